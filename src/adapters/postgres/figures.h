// What the store on PostgreSQL's protocol counts, as plain numbers for metrics.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace armazem {

struct PostgresFigures {
  static constexpr std::size_t meanings = 11;
  // Names for the index of `failures`.
  static std::string_view meaning_name(std::size_t index) noexcept;

  // Since the store was opened.
  std::uint64_t transactions = 0;            // of batches, that committed
  std::uint64_t transactions_unchanged = 0;  // that had nothing to write
  std::uint64_t rows_inserted = 0;
  std::uint64_t rows_updated = 0;
  double transaction_seconds = 0;            // from the connection in hand to the commit; sum over both kinds
  std::uint64_t mutations = 0;               // that were decided
  std::array<std::uint64_t, 6> by_verdict{};  // index: Verdict
  std::array<std::uint64_t, 4> by_effect{};   // index: Effect; only freshly applied ones
  std::uint64_t replayed = 0;
  std::uint64_t retries = 0;                 // transactions that were made again
  std::uint64_t batches_halved = 0;
  std::uint64_t commits_ambiguous = 0;       // the answer to a COMMIT did not come, or said nothing
  std::array<std::uint64_t, meanings> failures{};  // of statements, by what their SQLSTATE means
  std::uint64_t gets = 0;
  std::uint64_t get_misses = 0;              // no record
  std::uint64_t get_rounds = 0;              // round trips for gets; each answers all that had gathered
  double get_round_seconds = 0;              // sum
  std::uint64_t scans = 0;
  std::uint64_t purged = 0;
  std::uint64_t refused_overloaded = 0;      // too many calls waited for a connection
  std::uint64_t timed_out = 0;               // calls that ended by their deadline
  std::uint64_t connects = 0;
  std::uint64_t connect_failures = 0;        // per host
  // Now.
  std::uint64_t connections_open = 0;
  std::uint64_t writes_waiting = 0;          // for a connection
  std::uint64_t reads_waiting = 0;           // for a round trip
};

}  // namespace armazem
