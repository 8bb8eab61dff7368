#include "cli/terminal.h"

#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "core/utf8.h"

namespace armazem::cli {

bool is_terminal(std::FILE* stream) { return ::isatty(::fileno(stream)) == 1; }

Paint::Paint(std::FILE* stream) {
  const char* const forbidden = std::getenv("NO_COLOR");
  const char* const terminal = std::getenv("TERM");
  const bool dumb = terminal == nullptr || std::strcmp(terminal, "dumb") == 0;
  colours_ = is_terminal(stream) && !dumb && (forbidden == nullptr || *forbidden == '\0');
}

std::string Paint::in(std::string_view code, std::string_view text) const {
  if (!colours_) return std::string(text);
  return "\x1b[" + std::string(code) + "m" + std::string(text) + "\x1b[0m";
}

std::string printable(std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  const bool known = is_utf8(text);
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<std::uint8_t>(text[i]);
    // C1 controls (U+0080 to U+009F) are C2 80 to C2 9F.
    const bool c1 = byte == 0xC2 && i + 1 < text.size() && static_cast<std::uint8_t>(text[i + 1]) < 0xA0;
    const bool second_of_c1 = i > 0 && static_cast<std::uint8_t>(text[i - 1]) == 0xC2 && byte >= 0x80 && byte < 0xA0;
    if (byte >= 0x20 && byte != 0x7F && !c1 && !second_of_c1 && (byte < 0x80 || known)) {
      out.push_back(text[i]);
      continue;
    }
    out.append("\\x");
    out.push_back(digits[byte >> 4]);
    out.push_back(digits[byte & 15]);
  }
  return out;
}

bool write_out(std::string_view bytes) { return std::fwrite(bytes.data(), 1, bytes.size(), stdout) == bytes.size(); }

}  // namespace armazem::cli
