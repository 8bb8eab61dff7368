#include "http/put_body.h"

#include <utility>

#include "core/limits.h"
#include "core/utf8.h"
#include "http/field_values.h"
#include "http/json_events.h"

namespace armazem::http {
namespace {

namespace json = boost::json;

enum class Member { none, key, value, ttl };

// Receives the parser's events. Depth 1 is inside the top-level object; anything deeper belongs to the value.
class PutHandler : public JsonEvents {
 public:
  std::optional<Problem> problem;
  bool has_key = false;
  bool has_value = false;
  PutBody body;

  bool on_object_begin(json::error_code& ec) {
    if (depth_ > 0) {
      if (!expect_value(ec, "an object")) return false;
      rewriter_.begin('{');
    }
    ++depth_;
    return true;
  }
  bool on_object_end(std::size_t, json::error_code&) {
    if (--depth_ == 0) return true;
    rewriter_.end('}');
    return end_value();
  }
  bool on_array_begin(json::error_code& ec) {
    if (depth_ == 0) return refuse_top_level(ec);
    if (!expect_value(ec, "an array")) return false;
    ++depth_;
    rewriter_.begin('[');
    return true;
  }
  bool on_array_end(std::size_t, json::error_code&) {
    --depth_;
    rewriter_.end(']');
    return end_value();
  }

  bool on_key_part(json::string_view part, std::size_t, json::error_code&) {
    text_.append(part);
    return true;
  }
  bool on_key(json::string_view part, std::size_t, json::error_code& ec) {
    text_.append(part);
    const std::string name = std::exchange(text_, {});
    if (depth_ > 1) {
      rewriter_.name(name);
      return true;
    }
    return begin_member(name, ec);
  }

  bool on_string_part(json::string_view part, std::size_t, json::error_code&) {
    text_.append(part);
    return true;
  }
  bool on_string(json::string_view part, std::size_t, json::error_code& ec) {
    text_.append(part);
    std::string text = std::exchange(text_, {});
    if (depth_ == 0) return refuse_top_level(ec);
    if (depth_ > 1) {
      rewriter_.string(text);
      return true;
    }
    if (member_ == Member::key) {
      body.key = std::move(text);
      return true;
    }
    if (member_ == Member::value) {
      body.value = {std::move(text), std::string(text_type), ValueForm::text};
      return true;
    }
    return refuse(ec, "ttl", "\"ttl\" must be a whole number of seconds, not a string", ProblemType::ttl_invalid);
  }

  bool on_number_part(json::string_view part, json::error_code&) {
    text_.append(part);
    return true;
  }
  bool on_int64(std::int64_t number, json::string_view part, json::error_code& ec) { return number_ends(part, number, ec); }
  bool on_uint64(std::uint64_t, json::string_view part, json::error_code& ec) { return number_ends(part, std::nullopt, ec); }
  bool on_double(double, json::string_view part, json::error_code& ec) { return number_ends(part, std::nullopt, ec); }
  bool on_bool(bool value, json::error_code& ec) { return literal(value ? "true" : "false", "a boolean", ec); }
  bool on_null(json::error_code& ec) { return literal("null", "null", ec); }

 private:
  bool refuse(json::error_code& ec, std::optional<std::string> field, std::string detail,
              ProblemType type = ProblemType::body_invalid) {
    problem = Problem{type, std::move(detail)};
    problem->field = std::move(field);
    ec = json::error::exception;
    return false;
  }
  bool refuse_top_level(json::error_code& ec) {
    return refuse(ec, std::nullopt, "the body must be a JSON object with \"key\" and \"value\"");
  }

  bool begin_member(const std::string& name, json::error_code& ec) {
    if (name == "key") {
      member_ = Member::key;
      return once(has_key, name, ec);
    }
    if (name == "value") {
      member_ = Member::value;
      return once(has_value, name, ec);
    }
    if (name == "ttl") {
      member_ = Member::ttl;
      return once(has_ttl_, name, ec);
    }
    return refuse(ec, name, "unknown member; only \"key\", \"value\" and \"ttl\" are understood");
  }
  bool once(bool& seen, const std::string& name, json::error_code& ec) {
    if (std::exchange(seen, true)) return refuse(ec, name, "the member \"" + name + "\" appears twice");
    return true;
  }

  // True when a structure, number, boolean or null may stand here.
  bool expect_value(json::error_code& ec, std::string_view what) {
    if (depth_ > 1 || member_ == Member::value) return true;
    if (depth_ == 0) return refuse_top_level(ec);
    if (member_ == Member::ttl) {
      return refuse(ec, "ttl", "\"ttl\" must be a whole number of seconds, not " + std::string(what), ProblemType::ttl_invalid);
    }
    return refuse(ec, "key", "\"key\" must be a string, not " + std::string(what));
  }

  bool literal(std::string_view text, std::string_view what, json::error_code& ec) {
    if (!expect_value(ec, what)) return false;
    rewriter_.literal(text);
    return end_value();
  }

  bool number_ends(json::string_view part, std::optional<std::int64_t> whole, json::error_code& ec) {
    text_.append(part);
    const std::string text = std::exchange(text_, {});
    if (depth_ != 1 || member_ != Member::ttl) return literal(text, "a number", ec);
    if (!whole || *whole < 1 || *whole > limits::ttl_seconds_max) {
      return refuse(ec, "ttl", "\"ttl\" must be a whole number of seconds from 1 to 315360000", ProblemType::ttl_invalid);
    }
    body.ttl_seconds = whole;
    return true;
  }

  bool end_value() {
    if (depth_ == 1) body.value = {rewriter_.take(), std::string(json_type), ValueForm::json};
    return true;
  }

  int depth_ = 0;
  Member member_ = Member::none;
  bool has_ttl_ = false;
  std::string text_;
  JsonRewriter rewriter_;
};

std::optional<Problem> missing_member(const PutHandler& handler) {
  Problem problem{ProblemType::body_invalid, ""};
  if (!handler.has_key) {
    problem.field = "key";
    problem.detail = "the member \"key\" is missing";
    return problem;
  }
  if (!handler.has_value) {
    problem.field = "value";
    problem.detail = "the member \"value\" is missing";
    return problem;
  }
  return std::nullopt;
}

}  // namespace

std::variant<PutBody, Problem> parse_put_body(std::string_view text) {
  json::basic_parser<PutHandler> parser(json_options(limits::json_depth_max));
  if (auto problem = read_json(text, limits::json_depth_max, parser)) return std::move(*problem);
  if (auto missing = missing_member(parser.handler())) return std::move(*missing);
  return std::move(parser.handler().body);
}

bool is_json(std::string_view text) {
  if (!is_utf8(text)) return false;
  json::basic_parser<JsonEvents> parser(json_options(limits::json_depth_max));
  json::error_code ec;
  const std::size_t used = parser.write_some(false, text.data(), text.size(), ec);
  return !ec && parser.done() && only_blanks(text.substr(used));
}

ValueForm form_of(std::string_view bytes, std::string_view content_type) {
  const auto media = parse_media_type(content_type);
  if (media && is_json_type(*media) && is_json(bytes)) return ValueForm::json;
  return is_utf8(bytes) ? ValueForm::text : ValueForm::bytes;
}

}  // namespace armazem::http
