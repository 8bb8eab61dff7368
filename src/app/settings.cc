#include "app/settings.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "app/setting_values.h"
#include "net/listen_socket.h"

namespace armazem {
namespace {

using Milliseconds = std::chrono::milliseconds;

template <class T>
Result<void> put(T& to, Result<T> value) {
  if (!value) return fail(value.error());
  to = std::move(*value);
  return {};
}

Result<void> put_duration(Milliseconds& to, std::string_view value, Milliseconds least) {
  Result<Milliseconds> parsed = parse_duration(value);
  if (parsed && *parsed < least) {
    return fail(ErrorCode::invalid_argument, "'" + std::string(value) + "' is too short; at least " + std::to_string(least.count()) + "ms");
  }
  return put(to, std::move(parsed));
}

template <class T>
Result<void> put_size(T& to, std::string_view value, std::uint64_t least, std::uint64_t most) {
  const Result<std::uint64_t> parsed = parse_size(value);
  if (!parsed) return fail(parsed.error());
  if (*parsed < least || *parsed > most) {
    return fail(ErrorCode::invalid_argument, "'" + std::string(value) + "' is out of range; from " + std::to_string(least) + " to " + std::to_string(most) + " bytes");
  }
  to = static_cast<T>(*parsed);
  return {};
}

template <class T>
Result<void> put_number(T& to, std::string_view value, std::uint64_t least, std::uint64_t most) {
  const Result<std::uint64_t> parsed = parse_number(value, least, most);
  if (!parsed) return fail(parsed.error());
  to = static_cast<T>(*parsed);
  return {};
}

template <class T, std::size_t n>
Result<void> put_choice(T& to, std::string_view value, const std::array<std::pair<std::string_view, T>, n>& choices) {
  std::string names;
  for (const auto& [name, meaning] : choices) {
    if (name == value) {
      to = meaning;
      return {};
    }
    names.append(names.empty() ? "" : ", ").append(name);
  }
  return fail(ErrorCode::invalid_argument, "'" + std::string(value) + "' is none of: " + names);
}

// Cores this process may use; a container or taskset may leave it fewer than the machine has.
std::size_t usable_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  return static_cast<std::size_t>(std::max(1, CPU_COUNT(&set)));
}

Result<void> put_address(Settings& settings, std::string_view value) {
  settings.server.address = value;
  if (net::is_ip_address(settings.server.address)) return {};
  return fail(ErrorCode::invalid_argument, "'" + std::string(value) + "' is not an IP address");
}

Result<void> put_threads(Settings& settings, std::string_view value) {
  if (auto done = put_number(settings.server.threads, value, 0, 256); !done) return done;
  if (settings.server.threads == 0) settings.server.threads = usable_cores();
  return {};
}

Result<void> put_log_format(Settings& settings, std::string_view value) {
  constexpr std::array<std::pair<std::string_view, int>, 3> choices{{{"auto", 0}, {"text", 1}, {"json", 2}}};
  int choice = 0;
  if (auto done = put_choice(choice, value, choices); !done) return done;
  const bool text = choice == 1 || (choice == 0 && isatty(STDERR_FILENO) == 1);
  settings.log_format = text ? log::Format::text : log::Format::json;
  return {};
}

Result<void> put_text(std::string& to, std::string_view value) {
  if (value.empty()) return fail(ErrorCode::invalid_argument, "must not be empty");
  to = value;
  return {};
}

constexpr std::uint64_t KiB = 1024;
constexpr std::uint64_t MiB = 1024 * KiB;
constexpr std::uint64_t TiB = 1024 * 1024 * MiB;
constexpr Milliseconds least_timeout{10};

constexpr std::array<std::pair<std::string_view, StoreKind>, 2> store_kinds{
    {{"rocksdb", StoreKind::rocksdb}, {"memory", StoreKind::memory}}};
constexpr std::array<std::pair<std::string_view, log::Level>, 6> log_levels{
    {{"trace", log::Level::trace}, {"debug", log::Level::debug}, {"info", log::Level::info}, {"warn", log::Level::warn},
     {"error", log::Level::error}, {"off", log::Level::off}}};

#define PUT [](Settings & s, std::string_view v) -> Result<void>
const std::array table{
    Setting{"listen", "127.0.0.1", "IP address", "Address to listen on. Anything but loopback lets others in: there is no authentication yet.",
            put_address},
    Setting{"port", "8000", "number", "Port to listen on; 0 takes any free one and logs it.",
            PUT { return put_number(s.server.port, v, 0, 65535); }},
    Setting{"store", "rocksdb", "choice", "System of record: `rocksdb` (on disk) or `memory` (lost at the end; for trials).",
            PUT { return put_choice(s.store, v, store_kinds); }},
    Setting{"data", "./data", "directory", "Where RocksDB keeps its files. Created when missing; one process at a time.",
            PUT { return put_text(s.data, v); }},
    Setting{"threads", "0", "number", "I/O threads; 0 means one per usable core.", put_threads},
    Setting{"value-max", "1MiB", "size", "Largest value that is accepted.",
            PUT { return put_size(s.value_bytes_max, v, 1, limits::value_bytes_max); }},
    Setting{"block-cache", "256MiB", "size", "Memory for data, index and filter blocks of the store; write buffers count in.",
            PUT { return put_size(s.block_cache_bytes, v, 8 * MiB, TiB); }},
    Setting{"write-buffer", "32MiB", "size", "Memory for writes that are in the log but not yet in a table file.",
            PUT { return put_size(s.write_buffer_bytes, v, MiB, TiB); }},
    Setting{"store-reserve", "128MiB", "size", "Free disk space below which writes are refused (503 store-full) until there is room again.",
            PUT { return put_size(s.store_reserve_bytes, v, 0, TiB); }},
    Setting{"max-connections", "16384", "number", "Open client connections; more are answered 503.",
            PUT { return put_number(s.server.connections_max, v, 1, 1'000'000); }},
    Setting{"inflight-bytes", "64MiB", "size", "Memory for request bodies of all connections together; more are answered 503.",
            PUT { return put_size(s.server.inflight_body_bytes_max, v, KiB, TiB); }},
    Setting{"header-timeout", "10s", "duration", "From the first byte of a request to the end of its headers; then 408.",
            PUT { return put_duration(s.server.header_timeout, v, least_timeout); }},
    Setting{"body-timeout", "30s", "duration", "For a whole request body; then 408.",
            PUT { return put_duration(s.server.body_timeout, v, least_timeout); }},
    Setting{"idle-timeout", "75s", "duration", "How long a connection may stay open without a request.",
            PUT { return put_duration(s.server.idle_timeout, v, least_timeout); }},
    Setting{"send-timeout", "30s", "duration", "How long a client may take to read an answer.",
            PUT { return put_duration(s.server.write_timeout, v, least_timeout); }},
    Setting{"store-timeout", "10s", "duration", "How long a request may wait for the store before it is answered 503 or 504.",
            PUT { return put_duration(s.store_timeout, v, least_timeout); }},
    Setting{"retention", "24h", "duration", "How long tombstones and expired records are kept, so that late copies of older writes cannot come back.",
            PUT { return put_duration(s.retention, v, Milliseconds(1000)); }},
    Setting{"purge-interval", "60s", "duration", "How often old tombstones and expired records are looked for.",
            PUT { return put_duration(s.purge_interval, v, least_timeout); }},
    Setting{"grace", "10s", "duration", "At SIGTERM: how long requests in flight may take to end.",
            PUT { return put_duration(s.grace, v, Milliseconds(0)); }},
    Setting{"log-level", "info", "choice", "`trace`, `debug`, `info`, `warn`, `error` or `off`. Values never appear in a log.",
            PUT { return put_choice(s.log_level, v, log_levels); }},
    Setting{"log-format", "auto", "choice", "`text`, `json`, or `auto`: text on a terminal, else JSON.", put_log_format},
};
#undef PUT

}  // namespace

std::span<const Setting> all_settings() { return table; }

std::string environment_name(std::string_view setting) {
  std::string name = "ARMAZEM_";
  for (const char c : setting) name.push_back(c == '-' ? '_' : static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c));
  return name;
}

Result<void> apply_setting(const Setting& setting, std::string_view value, Settings& settings) {
  Result<void> done = setting.apply(settings, value);
  if (!done) return fail(std::move(done.error()).with_context("--" + std::string(setting.name)));
  return done;
}

std::string settings_as_markdown() {
  std::string text = "| flag | environment | kind | default | meaning |\n| --- | --- | --- | --- | --- |\n";
  for (const Setting& setting : table) {
    text.append("| `--").append(setting.name).append("` | `").append(environment_name(setting.name)).append("` | ");
    text.append(setting.kind).append(" | `").append(setting.default_value).append("` | ").append(setting.meaning).append(" |\n");
  }
  return text;
}

}  // namespace armazem
