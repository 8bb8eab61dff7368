// Every limit of the system: one place, unit last, reason beside it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace armazem::limits {

// A key fits a URL (8 KiB target) even when every byte is percent-encoded, and an index entry of every store we support.
inline constexpr std::size_t key_bytes_max = 1024;

// Default bound of one value. CockroachDB and RabbitMQ both advise staying at or below 1 MiB per item.
inline constexpr std::size_t value_bytes_default = std::size_t{1} << 20;
// No setting may raise the bound above this: a batch must still fit into memory several times.
inline constexpr std::size_t value_bytes_max = std::size_t{64} << 20;

inline constexpr std::size_t content_type_bytes_max = 255;
inline constexpr std::size_t idempotency_key_bytes_max = 255;
inline constexpr std::size_t request_id_bytes_max = 128;

// Applied (version, outcome) pairs kept per key, however old. Simulated: 8 and 4 leave no run wrong, 2 does
// (docs/adr/0002).
inline constexpr std::size_t history_entries_min = 8;
// Of a key that is written often, all of this time is kept: servers whose clocks differ and messages that overtake each
// other come late by less (docs/adr/0010).
inline constexpr std::chrono::milliseconds history_window{10'000};
// But no more than this: 8.7 KB, rewritten with each write of such a key. Two whole messages of one key fit.
inline constexpr std::size_t history_entries_max = 512;

// A batch is one store transaction and, on the cluster, one message.
inline constexpr std::size_t batch_mutations_max = 512;
inline constexpr std::size_t batch_bytes_max = std::size_t{4} << 20;

// One message of the queue: small enough that a quorum copies it in one go, large enough to pay for a confirm.
inline constexpr std::size_t message_mutations_max = 256;
inline constexpr std::size_t message_bytes_max = std::size_t{512} << 10;  // one larger mutation travels alone
// Messages of one partition that may be on their way to the broker at once; what arrives meanwhile gathers.
inline constexpr std::size_t messages_in_flight_max = 4;

// Operations of one request to /batch.
inline constexpr std::size_t batch_operations_max = 1'000;
// Its body may have so many bytes, or twice those of the largest value (base64, or some escapes), whatever is more.
inline constexpr std::size_t batch_body_bytes_min = std::size_t{8} << 20;
// The results of its reads: those behind must be asked for again.
inline constexpr std::size_t batch_answer_bytes_max = std::size_t{16} << 20;

// Mutations waiting for a batch; beyond them a write is refused before it has any effect.
inline constexpr std::size_t pending_mutations_max = 16'384;
inline constexpr std::size_t pending_bytes_max = std::size_t{64} << 20;

// A write that proves to be superseded is stamped again this often before the client is told to retry.
inline constexpr int restamps_max = 3;

// How far a version seen from outside may lead our wall clock: the usual bound for hybrid logical clocks.
inline constexpr std::chrono::milliseconds clock_lead_max{500};

inline constexpr std::int64_t ttl_seconds_max = 315'360'000;  // ten years of 365 days

inline constexpr std::size_t list_entries_default = 100;
inline constexpr std::size_t scan_entries_max = 1'000;
inline constexpr std::size_t scan_bytes_max = std::size_t{4} << 20;

// A value up to here goes into the change log with its bytes, so that a watcher need not read it; of a larger one, only its
// size does, because the log is written with every write.
inline constexpr std::size_t change_value_bytes_max = std::size_t{4} << 10;
// What the change log keeps for watchers that were away: the newest of them, and no more bytes than this.
inline constexpr std::size_t changes_kept = 1'000'000;
inline constexpr std::size_t change_log_bytes_max = std::size_t{256} << 20;
inline constexpr std::size_t change_page_max = 1'000;
inline constexpr std::size_t change_page_bytes_max = std::size_t{1} << 20;

inline constexpr int json_depth_max = 32;

// Tombstones and expired records stay this long, so that a late copy of an older write cannot resurrect a key.
inline constexpr std::chrono::hours retention_default{24};

static_assert(message_mutations_max <= batch_mutations_max);
static_assert(message_bytes_max <= batch_bytes_max);
static_assert(pending_mutations_max >= batch_mutations_max);
static_assert(pending_bytes_max >= batch_bytes_max);
static_assert(batch_bytes_max >= value_bytes_default);
static_assert(history_entries_min >= 4, "fewer entries lose acknowledged writes under redelivery");
static_assert(history_entries_max > history_entries_min);
static_assert(history_entries_max >= 2 * message_mutations_max, "messages of one key that overtake each other");
static_assert(history_window >= 10 * clock_lead_max, "clocks that differ beyond what versions may teach them");
static_assert(history_window < retention_default, "a purge must not be what forgets first");

}  // namespace armazem::limits
