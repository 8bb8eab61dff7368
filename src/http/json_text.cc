#include "http/json_text.h"

#include <openssl/evp.h>

#include <array>
#include <cstdint>

namespace armazem::http {
namespace {

// 0: as it is; 'u': \u00XX; else the letter after the backslash.
constexpr std::array<char, 256> make_escapes() {
  std::array<char, 256> table{};
  for (std::size_t i = 0; i < 0x20; ++i) table[i] = 'u';
  table['\b'] = 'b';
  table['\t'] = 't';
  table['\n'] = 'n';
  table['\f'] = 'f';
  table['\r'] = 'r';
  table['"'] = '"';
  table['\\'] = '\\';
  table[0x7F] = 'u';
  return table;
}
constexpr std::array<char, 256> escapes = make_escapes();

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  out.push_back('"');
  std::size_t plain_from = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<std::uint8_t>(text[i]);
    const char escape = escapes[byte];
    if (escape == 0) [[likely]] continue;
    out.append(text, plain_from, i - plain_from);
    plain_from = i + 1;
    out.push_back('\\');
    out.push_back(escape);
    if (escape == 'u') {
      out.append("00");
      out.push_back(digits[byte >> 4]);
      out.push_back(digits[byte & 15]);
    }
  }
  out.append(text, plain_from, text.size() - plain_from);
  out.push_back('"');
}

void append_base64(std::string& out, std::string_view bytes) {
  // OpenSSL takes an int for the length; whole groups of three keep the pieces free of padding.
  constexpr std::size_t piece = 3 * (std::size_t{1} << 24);
  for (std::size_t from = 0; from < bytes.size(); from += piece) {
    const std::string_view part = bytes.substr(from, piece);
    const std::size_t old_size = out.size();
    const std::size_t encoded = (part.size() + 2) / 3 * 4;
    out.resize(old_size + encoded + 1);  // EVP_EncodeBlock ends with a NUL
    EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data() + old_size),
                    reinterpret_cast<const unsigned char*>(part.data()), static_cast<int>(part.size()));
    out.resize(old_size + encoded);
  }
}

}  // namespace armazem::http
