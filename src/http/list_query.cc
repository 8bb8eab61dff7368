#include "http/list_query.h"

#include <charconv>
#include <utility>

#include "core/limits.h"
#include "core/list_cursor.h"
#include "http/percent.h"

namespace armazem::http {
namespace {

using Wrong = std::optional<Problem>;

// One parameter: its text as it came, and whether it had an '='.
struct Parameter {
  std::string_view name;
  std::string_view text;
  bool has_value = false;
};

Parameter next_parameter(std::string_view& rest) {
  const std::string_view piece = rest.substr(0, rest.find('&'));
  rest.remove_prefix(std::min(rest.size(), piece.size() + 1));
  const auto equals = piece.find('=');
  if (equals == piece.npos) return {piece, {}, false};
  return {piece.substr(0, equals), piece.substr(equals + 1), true};
}

Problem query_problem(std::string detail) { return {ProblemType::query_invalid, std::move(detail)}; }

Problem cursor_problem() {
  return {ProblemType::cursor_invalid, "'after' takes the 'next' of a page of the same prefix, as it came"};
}

class Parser {
 public:
  Wrong take(const Parameter& parameter) {
    if (parameter.name == "prefix") return once(prefix_, parameter);
    if (parameter.name == "after") return once(after_, parameter);
    if (parameter.name == "limit") return once(limit_, parameter);
    if (parameter.name == "keys_only") return once(keys_only_, parameter);
    if (parameter.name == "values") return once(values_, parameter);
    return query_problem("a list understands prefix, after, limit, keys_only and values, joined by '&'");
  }

  // What came, checked; the cursor last, because it belongs to the prefix.
  std::variant<ListQuery, Problem> finish() {
    for (const auto check : {&Parser::check_prefix, &Parser::check_after, &Parser::check_limit, &Parser::check_flags}) {
      if (Wrong wrong = (this->*check)()) return std::move(*wrong);
    }
    return std::move(query_);
  }

 private:
  Wrong once(std::optional<Parameter>& into, const Parameter& parameter) {
    if (into) return query_problem("the parameter '" + std::string(parameter.name) + "' appears twice");
    into = parameter;
    return std::nullopt;
  }

  Wrong check_prefix() {
    if (!prefix_) return std::nullopt;
    auto decoded = percent_decode(prefix_->text);
    if (!decoded) return Problem{ProblemType::percent_encoding_invalid, "a '%' in the prefix is not followed by two hex digits"};
    if (decoded->size() > limits::key_bytes_max) return query_problem("the prefix is longer than a key may be");
    query_.prefix = std::move(*decoded);
    return std::nullopt;
  }
  Wrong check_after() {
    if (!after_) return std::nullopt;
    query_.after = decode_list_cursor(query_.prefix, after_->text);
    return query_.after ? Wrong() : cursor_problem();
  }
  Wrong check_limit() {
    if (!limit_) return std::nullopt;
    const std::string_view text = limit_->text;
    std::size_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size() || number < 1 || number > limits::scan_entries_max) {
      return query_problem("'limit' is a number from 1 to " + std::to_string(limits::scan_entries_max));
    }
    query_.limit = number;
    return std::nullopt;
  }
  Wrong check_flags() {
    if (keys_only_ && keys_only_->has_value && keys_only_->text != "true" && keys_only_->text != "false") {
      return query_problem("'keys_only' is true or false");
    }
    query_.keys_only = keys_only_ && keys_only_->text != "false";
    if (values_ && values_->text != "readable" && values_->text != "base64") {
      return query_problem("'values' is readable or base64");
    }
    query_.base64 = values_ && values_->text == "base64";
    return std::nullopt;
  }

  std::optional<Parameter> prefix_, after_, limit_, keys_only_, values_;
  ListQuery query_;
};

}  // namespace

std::variant<ListQuery, Problem> parse_list_query(std::string_view query) {
  Parser parser;
  while (!query.empty()) {
    if (Wrong wrong = parser.take(next_parameter(query))) return std::move(*wrong);
  }
  return parser.finish();
}

}  // namespace armazem::http
