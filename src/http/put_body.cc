#include "http/put_body.h"

#include <boost/json/basic_parser_impl.hpp>
#include <boost/system/system_error.hpp>

#include <utility>

#include "core/limits.h"
#include "core/utf8.h"
#include "http/json_text.h"

namespace armazem::http {
namespace {

namespace json = boost::json;

constexpr std::string_view text_type = "text/plain; charset=utf-8";
constexpr std::string_view json_type = "application/json";

enum class Member { none, key, value, ttl };

// Writes events back as compact JSON text. Numbers go through as they came, so none loses a digit.
class Rewriter {
 public:
  void begin(char bracket) {
    separate();
    out_.push_back(bracket);
    fresh_ = true;
  }
  void end(char bracket) {
    out_.push_back(bracket);
    fresh_ = false;
  }
  void name(std::string_view text) {
    separate();
    append_json_string(out_, text);
    out_.push_back(':');
    fresh_ = true;
  }
  void string(std::string_view text) {
    separate();
    append_json_string(out_, text);
  }
  void literal(std::string_view text) {
    separate();
    out_.append(text);
  }
  [[nodiscard]] std::string take() { return std::move(out_); }

 private:
  // A comma before everything but the first element and what follows a name.
  void separate() {
    if (!fresh_) out_.push_back(',');
    fresh_ = false;
  }
  std::string out_;
  bool fresh_ = true;
};

// Receives the parser's events. Depth 1 is inside the top-level object; anything deeper belongs to the value.
class PutHandler {
 public:
  static constexpr std::size_t max_object_size = ~std::size_t{0};
  static constexpr std::size_t max_array_size = ~std::size_t{0};
  static constexpr std::size_t max_key_size = ~std::size_t{0};
  static constexpr std::size_t max_string_size = ~std::size_t{0};

  std::optional<Problem> problem;
  bool has_key = false;
  bool has_value = false;
  PutBody body;

  bool on_document_begin(json::error_code&) { return true; }
  bool on_document_end(json::error_code&) { return true; }

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

  bool on_comment_part(json::string_view, json::error_code&) { return true; }
  bool on_comment(json::string_view, json::error_code&) { return true; }

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
  Rewriter rewriter_;
};

// Accepts everything; for asking whether a text is JSON at all.
struct NullHandler {
  static constexpr std::size_t max_object_size = ~std::size_t{0};
  static constexpr std::size_t max_array_size = ~std::size_t{0};
  static constexpr std::size_t max_key_size = ~std::size_t{0};
  static constexpr std::size_t max_string_size = ~std::size_t{0};
  bool on_document_begin(json::error_code&) { return true; }
  bool on_document_end(json::error_code&) { return true; }
  bool on_object_begin(json::error_code&) { return true; }
  bool on_object_end(std::size_t, json::error_code&) { return true; }
  bool on_array_begin(json::error_code&) { return true; }
  bool on_array_end(std::size_t, json::error_code&) { return true; }
  bool on_key_part(json::string_view, std::size_t, json::error_code&) { return true; }
  bool on_key(json::string_view, std::size_t, json::error_code&) { return true; }
  bool on_string_part(json::string_view, std::size_t, json::error_code&) { return true; }
  bool on_string(json::string_view, std::size_t, json::error_code&) { return true; }
  bool on_number_part(json::string_view, json::error_code&) { return true; }
  bool on_int64(std::int64_t, json::string_view, json::error_code&) { return true; }
  bool on_uint64(std::uint64_t, json::string_view, json::error_code&) { return true; }
  bool on_double(double, json::string_view, json::error_code&) { return true; }
  bool on_bool(bool, json::error_code&) { return true; }
  bool on_null(json::error_code&) { return true; }
  bool on_comment_part(json::string_view, json::error_code&) { return true; }
  bool on_comment(json::string_view, json::error_code&) { return true; }
};

json::parse_options options() {
  json::parse_options options;
  options.max_depth = limits::json_depth_max;
  return options;
}

// Boost.JSON stops quietly at the end of the first text; what follows must be blank.
bool only_blanks(std::string_view rest) { return rest.find_first_not_of(" \t\r\n") == rest.npos; }

Problem json_problem(const json::error_code& ec, std::size_t position) {
  if (ec == json::error::too_deep) {
    return {ProblemType::json_invalid, "the JSON is nested deeper than " + std::to_string(limits::json_depth_max) + " levels"};
  }
  return {ProblemType::json_invalid, "the JSON is wrong near byte " + std::to_string(position) + ": " + ec.message()};
}

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
  if (only_blanks(text)) return Problem{ProblemType::json_invalid, "the body is empty; a JSON object is expected"};
  if (!is_utf8(text)) return Problem{ProblemType::json_invalid, "the body is not valid UTF-8"};
  json::basic_parser<PutHandler> parser(options());
  json::error_code ec;
  const std::size_t used = parser.write_some(false, text.data(), text.size(), ec);
  PutHandler& handler = parser.handler();
  if (handler.problem) return std::move(*handler.problem);
  if (ec) return json_problem(ec, used);
  if (!parser.done()) return Problem{ProblemType::json_invalid, "the JSON ends too early"};
  if (!only_blanks(text.substr(used))) {
    return json_problem(make_error_code(json::error::extra_data), used);
  }
  if (auto missing = missing_member(handler)) return std::move(*missing);
  return std::move(handler.body);
}

bool is_json(std::string_view text) {
  if (!is_utf8(text)) return false;
  json::basic_parser<NullHandler> parser(options());
  json::error_code ec;
  const std::size_t used = parser.write_some(false, text.data(), text.size(), ec);
  return !ec && parser.done() && only_blanks(text.substr(used));
}

}  // namespace armazem::http
