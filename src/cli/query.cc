#include "cli/query.h"

#include <algorithm>
#include <random>

namespace armazem::cli {

std::string encode_query(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  constexpr std::string_view plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  std::string encoded;
  for (const char c : text) {
    if (plain.find(c) != plain.npos) {
      encoded.push_back(c);
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    encoded.push_back('%');
    encoded.push_back(digits[byte >> 4]);
    encoded.push_back(digits[byte & 15]);
  }
  return encoded;
}

Result<void> LineSink::take(std::string_view piece) {
  while (true) {
    const auto end = piece.find('\n');
    if (end == piece.npos) break;
    Result<void> used;
    if (begun_.empty()) {
      used = use_(piece.substr(0, end));
    } else {
      begun_.append(piece.substr(0, end));
      used = use_(begun_);
      begun_.clear();
    }
    if (!used) return used;
    piece.remove_prefix(end + 1);
  }
  begun_.append(piece);
  if (begun_.size() > line_bytes_max) return fail(ErrorCode::internal, "a line of the answer is too long");
  return {};
}

std::chrono::milliseconds pause_after(int tries) {
  static thread_local std::minstd_rand random{std::random_device{}()};
  const int longest = std::min(5'000, 100 << std::min(tries, 10));
  return std::chrono::milliseconds(std::uniform_int_distribution<int>(longest / 2, longest)(random));
}

}  // namespace armazem::cli
