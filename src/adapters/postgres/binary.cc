#include "adapters/postgres/binary.h"

#include <limits>

namespace armazem::pg {
namespace {

constexpr std::size_t flags_at = 4;
constexpr std::size_t size_at = 12;
constexpr std::uint32_t null_length = 0xFFFF'FFFF;

template <class Unsigned>
void write(char* to, Unsigned value) noexcept {
  for (std::size_t i = 0; i < sizeof value; ++i) to[i] = static_cast<char>(value >> (8 * (sizeof value - 1 - i)));
}

template <class Unsigned>
void append(std::string& to, Unsigned value) {
  char bytes[sizeof value];
  write(bytes, value);
  to.append(bytes, sizeof bytes);
}

}  // namespace

std::string binary_bigint(std::int64_t value) {
  std::string bytes;
  append(bytes, static_cast<std::uint64_t>(value));
  return bytes;
}

std::int64_t as_bigint(std::uint64_t value) noexcept {
  constexpr auto greatest = std::numeric_limits<std::int64_t>::max();
  return value > static_cast<std::uint64_t>(greatest) ? greatest : static_cast<std::int64_t>(value);
}

BinaryArray::BinaryArray(TypeOid element, std::size_t bytes_expected) {
  bytes_.reserve(20 + bytes_expected);
  append(bytes_, std::uint32_t{1});  // dimensions
  append(bytes_, std::uint32_t{0});  // whether it has a NULL; filled in by `take`
  append(bytes_, static_cast<std::uint32_t>(element));
  append(bytes_, std::uint32_t{0});  // size; filled in by `take`
  append(bytes_, std::uint32_t{1});  // first index
}

void BinaryArray::add(std::string_view bytes) {
  append(bytes_, static_cast<std::uint32_t>(bytes.size()));
  bytes_.append(bytes);
  ++size_;
}

void BinaryArray::add(bool value) {
  append(bytes_, std::uint32_t{1});
  bytes_.push_back(value ? 1 : 0);
  ++size_;
}

void BinaryArray::add(std::int64_t value) {
  append(bytes_, std::uint32_t{8});
  append(bytes_, static_cast<std::uint64_t>(value));
  ++size_;
}

void BinaryArray::add(std::optional<std::uint64_t> value) {
  if (value) return add(as_bigint(*value));
  add_null();
}

void BinaryArray::add_null() {
  append(bytes_, null_length);
  has_null_ = true;
  ++size_;
}

std::string BinaryArray::take() && {
  write(bytes_.data() + flags_at, std::uint32_t{has_null_ ? 1U : 0U});
  write(bytes_.data() + size_at, size_);
  return std::move(bytes_);
}

}  // namespace armazem::pg
