// What differs when a person looks: colours, and bytes that a terminal would take for commands.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>

namespace armazem::cli {

[[nodiscard]] bool is_terminal(std::FILE* stream);

// Colours for one stream: on a terminal only, and not when NO_COLOR is set (https://no-color.org) or it is a dumb one.
class Paint {
 public:
  explicit Paint(std::FILE* stream);
  [[nodiscard]] std::string red(std::string_view text) const { return in("31", text); }
  [[nodiscard]] std::string green(std::string_view text) const { return in("32", text); }
  [[nodiscard]] std::string dim(std::string_view text) const { return in("2", text); }

 private:
  [[nodiscard]] std::string in(std::string_view code, std::string_view text) const;
  bool colours_;
};

// Control bytes, and what is no UTF-8, as \xNN; a backslash stays what it is.
[[nodiscard]] std::string printable(std::string_view text);

// Writes all of it; false when that failed. A pipe that nobody reads any more ends the process by SIGPIPE, as usual.
[[nodiscard]] bool write_out(std::string_view bytes);

}  // namespace armazem::cli
