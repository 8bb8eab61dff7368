// The small parts that every binary form of ours is made of: LEB128 varints (shortest form only) and a strict reader.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace armazem {

inline void put_varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>(value | 0x80));
  out.push_back(static_cast<char>(value));
}

// Reads from the front and remembers whether anything was wrong, so that callers check once per part.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) noexcept : rest_(bytes) {}

  [[nodiscard]] bool ok() const noexcept { return ok_; }
  [[nodiscard]] std::string_view rest() const noexcept { return rest_; }

  std::uint8_t byte() noexcept {
    const std::string_view one = take(1);
    return one.empty() ? std::uint8_t{0} : static_cast<std::uint8_t>(one.front());
  }

  // Points into the bytes that are read.
  std::string_view take(std::uint64_t size) noexcept {
    if (size > rest_.size()) {
      ok_ = false;
      return {};
    }
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }

  std::uint64_t varint() noexcept {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const std::uint8_t next = byte();
      const bool overflows = shift == 63 && next > 1;
      const bool padded = shift > 0 && next == 0;
      if (overflows || padded) ok_ = false;
      if (!ok_) return 0;
      value |= std::uint64_t{next & 0x7FU} << shift;
      if (next < 0x80) return value;
    }
    ok_ = false;
    return 0;
  }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace armazem
