// PostgreSQL's binary format of parameters: integers are big-endian; an array is its dimensions (here always one, from
// index 1), the type of its elements and then each element as length and bytes (src/backend/utils/adt/arrayfuncs.c,
// array_recv). CockroachDB reads the same.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace armazem::pg {

// From src/include/catalog/pg_type.dat; part of the protocol, they never change.
enum class TypeOid : std::uint32_t { boolean = 16, bytea = 17, bigint = 20 };

[[nodiscard]] std::string binary_bigint(std::int64_t value);

// Saturates: times beyond the year 292,277,026 are all the same to us.
[[nodiscard]] std::int64_t as_bigint(std::uint64_t value) noexcept;

// Appends elements one by one; `take` fills in how many there were.
class BinaryArray {
 public:
  explicit BinaryArray(TypeOid element, std::size_t bytes_expected = 0);

  void add(std::string_view bytes);
  void add(bool value);
  void add(std::int64_t value);
  void add(std::optional<std::uint64_t> value);  // nullopt: NULL
  void add_null();

  // So far, with what stands in front of the elements.
  [[nodiscard]] std::size_t size_bytes() const noexcept { return bytes_.size(); }
  [[nodiscard]] std::string take() &&;

 private:
  std::string bytes_;
  std::uint32_t size_ = 0;
  bool has_null_ = false;
};

}  // namespace armazem::pg
