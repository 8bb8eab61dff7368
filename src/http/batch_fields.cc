#include "http/batch_fields.h"

#include <algorithm>
#include <utility>

#include "core/base64.h"
#include "core/limits.h"
#include "core/utf8.h"
#include "http/field_values.h"
#include "http/http_date.h"
#include "http/put_body.h"

namespace armazem::http {
namespace {

using Kind = BatchOperation::Kind;
using Wrong = std::optional<Problem>;

constexpr std::array<std::string_view, batch_member_count> names{
    "op", "key", "value", "value_base64", "content_type", "ttl", "if_match", "if_none_match", "form", "version", "expires_at"};

Problem wrong(BatchMember member, std::string detail, ProblemType type = ProblemType::body_invalid) {
  Problem problem{type, std::move(detail)};
  problem.field = std::string(to_string(member));
  return problem;
}

std::optional<Kind> kind_of(std::string_view op) noexcept {
  if (op == "put") return Kind::put;
  if (op == "get") return Kind::get;
  if (op == "delete") return Kind::remove;
  if (op == "restore") return Kind::restore;
  return std::nullopt;
}

bool belongs(BatchMember member, Kind kind) noexcept {
  switch (member) {
    case BatchMember::op:
    case BatchMember::key: return true;
    case BatchMember::value:
    case BatchMember::value_base64:
    case BatchMember::content_type: return kind == Kind::put || kind == Kind::restore;
    case BatchMember::ttl:
    case BatchMember::if_none_match: return kind == Kind::put;
    case BatchMember::if_match: return kind == Kind::put || kind == Kind::remove;
    case BatchMember::form:
    case BatchMember::version:
    case BatchMember::expires_at: return kind == Kind::restore;
  }
  return false;
}

class Maker {
 public:
  Maker(BatchFields fields, std::size_t value_bytes_max) : fields_(std::move(fields)), value_bytes_max_(value_bytes_max) {}

  std::variant<BatchOperation, Problem> make() {
    for (const auto step : {&Maker::take_kind, &Maker::check_members, &Maker::take_key, &Maker::take_value, &Maker::take_form,
                            &Maker::take_condition, &Maker::take_version, &Maker::take_expiry}) {
      if (Wrong problem = (this->*step)()) return std::move(*problem);
    }
    made_.ttl_seconds = fields_.ttl_seconds.value_or(0);
    return std::move(made_);
  }

 private:
  std::optional<std::string>& text(BatchMember member) { return fields_.text(member); }

  Wrong take_kind() {
    const auto& op = text(BatchMember::op);
    const auto kind = op ? kind_of(*op) : std::nullopt;
    if (!kind) return wrong(BatchMember::op, R"("op" must be "put", "get", "delete" or "restore")");
    made_.kind = *kind;
    return std::nullopt;
  }
  Wrong check_members() {
    for (std::size_t i = 0; i < batch_member_count; ++i) {
      const auto member = static_cast<BatchMember>(i);
      if (!fields_.has(member) || belongs(member, made_.kind)) continue;
      return wrong(member, "\"" + std::string(names[i]) + "\" means nothing to a " + *text(BatchMember::op));
    }
    return std::nullopt;
  }
  Wrong take_key() {
    auto& name = text(BatchMember::key);
    if (!name) return wrong(BatchMember::key, "the member \"key\" is missing");
    Result<Key> key = Key::parse(std::move(*name));
    if (!key) return wrong(BatchMember::key, key.error().message, ProblemType::key_invalid);
    made_.key = std::move(*key);
    return std::nullopt;
  }
  Wrong take_value() {
    if (made_.kind != Kind::put && made_.kind != Kind::restore) return std::nullopt;
    const auto& base64 = text(BatchMember::value_base64);
    if (fields_.value.has_value() == base64.has_value()) {
      return wrong(BatchMember::value, R"(exactly one of "value" and "value_base64" is needed)");
    }
    auto& type = text(BatchMember::content_type);
    if (type && !parse_media_type(*type)) return wrong(BatchMember::content_type, "expected something like text/plain");
    if (fields_.value) {
      made_.value = std::move(*fields_.value);
    } else {
      auto bytes = decode_base64(*base64);
      if (!bytes) return wrong(BatchMember::value_base64, "this is not base64 (RFC 4648, section 4, with padding)");
      if (!type) type = "application/octet-stream";
      made_.value.bytes = std::move(*bytes);
    }
    if (type) {
      made_.value.form = form_of(made_.value.bytes, *type);
      made_.value.content_type = std::move(*type);
    }
    return check_size();
  }
  Wrong check_size() const {
    const std::size_t size = made_.value.bytes.size();
    if (size <= value_bytes_max_) return std::nullopt;
    Problem problem = wrong(BatchMember::value, "the value has " + std::to_string(size) + " bytes; at most " +
                                                    std::to_string(value_bytes_max_) + " are allowed", ProblemType::value_too_large);
    problem.limit = value_bytes_max_;
    problem.size = size;
    return problem;
  }
  // Only what the bytes allow: every read relies on it.
  Wrong take_form() {
    const auto& form = text(BatchMember::form);
    if (!form) return std::nullopt;
    const std::string& bytes = made_.value.bytes;
    if (*form == "bytes") {
      made_.value.form = ValueForm::bytes;
    } else if (*form == "text" && is_utf8(bytes)) {
      made_.value.form = ValueForm::text;
    } else if (*form == "json" && is_json(bytes)) {
      made_.value.form = ValueForm::json;
    } else {
      return wrong(BatchMember::form, R"("form" is "bytes", or "text" or "json" when the value is that)");
    }
    return std::nullopt;
  }
  Wrong take_condition() {
    const auto& none_match = text(BatchMember::if_none_match);
    const auto& match = text(BatchMember::if_match);
    if (none_match && (match || *none_match != "*")) {
      return wrong(BatchMember::if_none_match, R"("if_none_match" is "*", and stands alone)", ProblemType::etag_invalid);
    }
    if (none_match) made_.condition.kind = Condition::Kind::if_absent;
    if (!match) return std::nullopt;
    made_.condition.kind = *match == "*" ? Condition::Kind::if_present : Condition::Kind::if_version;
    if (*match == "*") return std::nullopt;
    const std::string_view quoted = *match;
    const bool has_quotes = quoted.size() > 2 && quoted.front() == '"' && quoted.back() == '"';
    const Result<Version> version = Version::parse(without_coding(has_quotes ? quoted.substr(1, quoted.size() - 2) : quoted));
    if (!version) return wrong(BatchMember::if_match, R"("if_match" is a version, an ETag or "*")", ProblemType::etag_invalid);
    made_.condition.version = *version;
    return std::nullopt;
  }
  Wrong take_version() {
    if (made_.kind != Kind::restore) return std::nullopt;
    const auto& given = text(BatchMember::version);
    if (!given) return wrong(BatchMember::version, R"(a restore needs the "version" that it brings back)");
    const Result<Version> version = Version::parse(*given);
    if (!version) return wrong(BatchMember::version, version.error().message, ProblemType::version_invalid);
    made_.version = *version;
    return std::nullopt;
  }
  Wrong take_expiry() {
    const auto& given = text(BatchMember::expires_at);
    if (!given) return std::nullopt;
    made_.expires_at_ms = parse_rfc3339(*given);
    if (!made_.expires_at_ms) return wrong(BatchMember::expires_at, "expected a time like 2026-11-23T21:00:00.123Z");
    return std::nullopt;
  }

  BatchFields fields_;
  const std::size_t value_bytes_max_;
  BatchOperation made_;
};

}  // namespace

std::string_view to_string(BatchMember member) noexcept { return names[static_cast<std::size_t>(member)]; }

std::optional<BatchMember> batch_member(std::string_view name) noexcept {
  const auto at = std::ranges::find(names, name);
  if (at == names.end()) return std::nullopt;
  return static_cast<BatchMember>(at - names.begin());
}

std::variant<BatchOperation, Problem> make_operation(BatchFields fields, std::size_t value_bytes_max) {
  return Maker(std::move(fields), value_bytes_max).make();
}

}  // namespace armazem::http
