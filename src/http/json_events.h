// What the readers of JSON bodies share: one pass of events, no document in memory.
#pragma once

#include <boost/json/basic_parser_impl.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "core/limits.h"
#include "core/utf8.h"
#include "http/json_text.h"
#include "http/problem.h"

namespace armazem::http {

// Accepts everything. A handler inherits it and declares the events that mean something to it.
struct JsonEvents {
  static constexpr std::size_t max_object_size = ~std::size_t{0};
  static constexpr std::size_t max_array_size = ~std::size_t{0};
  static constexpr std::size_t max_key_size = ~std::size_t{0};
  static constexpr std::size_t max_string_size = ~std::size_t{0};
  using Code = boost::json::error_code;
  using Text = boost::json::string_view;

  bool on_document_begin(Code&) { return true; }
  bool on_document_end(Code&) { return true; }
  bool on_object_begin(Code&) { return true; }
  bool on_object_end(std::size_t, Code&) { return true; }
  bool on_array_begin(Code&) { return true; }
  bool on_array_end(std::size_t, Code&) { return true; }
  bool on_key_part(Text, std::size_t, Code&) { return true; }
  bool on_key(Text, std::size_t, Code&) { return true; }
  bool on_string_part(Text, std::size_t, Code&) { return true; }
  bool on_string(Text, std::size_t, Code&) { return true; }
  bool on_number_part(Text, Code&) { return true; }
  bool on_int64(std::int64_t, Text, Code&) { return true; }
  bool on_uint64(std::uint64_t, Text, Code&) { return true; }
  bool on_double(double, Text, Code&) { return true; }
  bool on_bool(bool, Code&) { return true; }
  bool on_null(Code&) { return true; }
  bool on_comment_part(Text, Code&) { return true; }
  bool on_comment(Text, Code&) { return true; }
};

// Writes events back as compact JSON text. Numbers go through as they came, so none loses a digit.
class JsonRewriter {
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
  // What was written since the last time.
  [[nodiscard]] std::string take() {
    fresh_ = true;
    return std::exchange(out_, {});
  }

 private:
  // A comma before everything but the first element and what follows a name.
  void separate() {
    if (!fresh_) out_.push_back(',');
    fresh_ = false;
  }
  std::string out_;
  bool fresh_ = true;
};

inline boost::json::parse_options json_options(int depth_max) {
  boost::json::parse_options options;
  options.max_depth = static_cast<std::size_t>(depth_max);
  return options;
}

// Boost.JSON stops quietly at the end of the first text; what follows must be blank.
inline bool only_blanks(std::string_view rest) { return rest.find_first_not_of(" \t\r\n") == rest.npos; }

inline Problem json_problem(const boost::json::error_code& ec, std::size_t position, int depth_max) {
  if (ec == boost::json::error::too_deep) {
    return {ProblemType::json_invalid, "the JSON is nested deeper than " + std::to_string(depth_max) + " levels"};
  }
  return {ProblemType::json_invalid, "the JSON is wrong near byte " + std::to_string(position) + ": " + ec.message()};
}

// Feeds a whole body to the handler, whose member `problem` is what it refuses itself.
template <class Handler>
std::optional<Problem> read_json(std::string_view text, int depth_max, boost::json::basic_parser<Handler>& parser) {
  if (only_blanks(text)) return Problem{ProblemType::json_invalid, "the body is empty; a JSON object is expected"};
  if (!is_utf8(text)) return Problem{ProblemType::json_invalid, "the body is not valid UTF-8"};
  boost::json::error_code ec;
  const std::size_t used = parser.write_some(false, text.data(), text.size(), ec);
  if (parser.handler().problem) return std::move(parser.handler().problem);
  if (ec) return json_problem(ec, used, depth_max);
  if (!parser.done()) return Problem{ProblemType::json_invalid, "the JSON ends too early"};
  if (!only_blanks(text.substr(used))) {
    return json_problem(make_error_code(boost::json::error::extra_data), used, depth_max);
  }
  return std::nullopt;
}

}  // namespace armazem::http
