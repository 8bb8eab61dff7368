// Structured logs: a message and fields. Text on a terminal, one JSON object a line otherwise. Values of keys never go in.
//
// Thread rule: `setup` once before other threads; the rest from any thread.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>

namespace armazem::log {

enum class Level { trace, debug, info, warn, error, off };
enum class Format { text, json };

// To standard error.
void setup(Level level, Format format);
[[nodiscard]] bool enabled(Level level) noexcept;

struct Field {
  Field(std::string_view field_name, std::string_view text) : name(field_name), value(text), quoted(true) {}
  Field(std::string_view field_name, const char* text) : Field(field_name, std::string_view(text)) {}
  Field(std::string_view field_name, const std::string& text) : Field(field_name, std::string_view(text)) {}
  template <class Number>
    requires std::is_arithmetic_v<Number>
  Field(std::string_view field_name, Number number) : name(field_name), value(to_text(number)), quoted(false) {}

  std::string_view name;
  std::string value;
  bool quoted;

 private:
  static std::string to_text(bool value) { return value ? "true" : "false"; }
  template <class Number>
  static std::string to_text(Number number) {
    return std::to_string(number);
  }
};

void write(Level level, std::string_view message, std::initializer_list<Field> fields);

inline void debug(std::string_view message, std::initializer_list<Field> fields = {}) { write(Level::debug, message, fields); }
inline void info(std::string_view message, std::initializer_list<Field> fields = {}) { write(Level::info, message, fields); }
inline void warn(std::string_view message, std::initializer_list<Field> fields = {}) { write(Level::warn, message, fields); }
inline void error(std::string_view message, std::initializer_list<Field> fields = {}) { write(Level::error, message, fields); }

}  // namespace armazem::log
