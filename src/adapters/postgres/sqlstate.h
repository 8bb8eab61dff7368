// What an SQLSTATE means to us. Sources: PostgreSQL's manual, appendix A; CockroachDB's "Common errors" and "Transaction
// retry error reference".
#pragma once

#include <cstdint>
#include <string_view>

namespace armazem::pg {

enum class Meaning : std::uint8_t {
  conflict,  // 40xxx, 23505: another transaction was in the way; this one was rolled back, and may be made again
  ambiguous,  // 40003: whether the statement took effect is not known
  connection,  // 08xxx, 26000, 0A000: this connection is of no use any more
  other_host,  // 57P01 and relatives, 53300, 25006: this server is going away, full, or not the one that writes
  timeout,  // 57014: statement_timeout, or somebody cancelled
  no_memory,  // 53200: a smaller batch may pass
  disk_full,  // 53100
  bad_data,  // 21xxx, 22xxx, 23xxx, 54xxx: the rows themselves
  not_fit,  // 28xxx, 3Dxxx, 3Fxxx, 42xxx: rights, database or schema
  damaged,  // XX001, XX002
  unknown,
};
inline constexpr std::size_t meanings = 11;

[[nodiscard]] Meaning meaning_of(std::string_view sqlstate) noexcept;
[[nodiscard]] std::string_view to_string(Meaning meaning) noexcept;

}  // namespace armazem::pg
