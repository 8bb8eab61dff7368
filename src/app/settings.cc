#include "app/settings.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <initializer_list>

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

bool has_scheme(std::string_view value, std::initializer_list<std::string_view> schemes) {
  return std::ranges::any_of(schemes, [&](std::string_view scheme) {
    return value.starts_with(scheme) && value.substr(scheme.size()).starts_with("://");
  });
}

// The value itself is not repeated in messages: it holds a password.
Result<void> put_store(Settings& settings, std::string_view value) {
  if (value == "rocksdb" || value == "memory") {
    settings.store = value == "memory" ? StoreKind::memory : StoreKind::rocksdb;
    return {};
  }
  if (!has_scheme(value, {"postgres", "postgresql", "cockroachdb"})) {
    return fail(ErrorCode::invalid_argument, "must be rocksdb, memory, or a URL that begins with postgres://");
  }
  settings.store = StoreKind::sql;
  settings.store_url = value;
  return {};
}

Result<void> put_url(std::string& to, std::string_view value, std::string_view plain, std::string_view secure) {
  if (value == "none") {
    to.clear();
    return {};
  }
  if (!has_scheme(value, {plain, secure})) {
    return fail(ErrorCode::invalid_argument,
                "must be none, or a URL that begins with " + std::string(plain) + ":// or " + std::string(secure) + "://");
  }
  to = value;
  return {};
}

// "250ms", "-5s".
Result<void> put_offset(Milliseconds& to, std::string_view value) {
  const bool back = value.starts_with('-');
  const Result<Milliseconds> parsed = parse_duration(back ? value.substr(1) : value);
  if (!parsed) return fail(parsed.error());
  to = back ? -*parsed : *parsed;
  return {};
}

Result<void> put_text(std::string& to, std::string_view value) {
  if (value.empty()) return fail(ErrorCode::invalid_argument, "must not be empty");
  to = value;
  return {};
}

Result<void> put_flag(bool& to, std::string_view value) {
  constexpr std::array<std::pair<std::string_view, bool>, 2> choices{{{"false", false}, {"true", true}}};
  return put_choice(to, value, choices);
}

Result<void> put_file(std::string& to, std::string_view value) {
  if (value == "none") value = {};
  else if (value.empty()) return fail(ErrorCode::invalid_argument, "must be none or the name of a file");
  to = value;
  return {};
}

// "100", "100:500": requests a second, and at once after a rest; without the second as many as in a second.
Result<void> put_rate(Rate& to, std::string_view value) {
  constexpr std::uint64_t most = 1'000'000;
  const std::size_t colon = value.find(':');
  const Result<std::uint64_t> rate = parse_number(value.substr(0, colon), colon == value.npos ? 0 : 1, most);
  if (!rate) return fail(rate.error());
  std::uint64_t burst = *rate;
  if (colon != value.npos) {
    const Result<std::uint64_t> given = parse_number(value.substr(colon + 1), 1, most);
    if (!given) return fail(Error(given.error()).with_context("the burst behind the colon"));
    burst = *given;
  }
  to = Rate::per(std::chrono::seconds(1), *rate, burst);
  return {};
}

// "127.0.0.1:9100", "[::1]:9100", or none.
Result<void> put_admin_listen(Settings& settings, std::string_view value) {
  settings.admin_address.clear();
  if (value == "none") return {};
  const std::size_t colon = value.rfind(':');
  std::string address(value.substr(0, colon));
  const bool brackets = address.starts_with('[') && address.ends_with(']');
  if (brackets) address = address.substr(1, address.size() - 2);
  const bool six = address.find(':') != address.npos;
  if (colon == value.npos || brackets != six || !net::is_ip_address(address)) {
    return fail(ErrorCode::invalid_argument, "'" + std::string(value) + "' is no address and port; write for example 127.0.0.1:9100 or [::1]:9100, or none");
  }
  settings.admin_address = std::move(address);
  return put_number(settings.admin_port, value.substr(colon + 1), 0, 65535);
}

constexpr std::uint64_t KiB = 1024;
constexpr std::uint64_t MiB = 1024 * KiB;
constexpr std::uint64_t TiB = 1024 * 1024 * MiB;
constexpr Milliseconds least_timeout{10};

constexpr std::array<std::pair<std::string_view, log::Level>, 6> log_levels{
    {{"trace", log::Level::trace}, {"debug", log::Level::debug}, {"info", log::Level::info}, {"warn", log::Level::warn},
     {"error", log::Level::error}, {"off", log::Level::off}}};

#define PUT [](Settings & s, std::string_view v) -> Result<void>
const std::array table{
    Setting{"listen", "127.0.0.1", "IP address", "Address to listen on. Anything but loopback lets others in, and so needs `--keys`, or `--without-keys`.",
            put_address, For::address},
    Setting{"port", "8000", "number", "Port to listen on; 0 takes any free one and logs it. Of a worker: for /health and /metrics, by default 8100.",
            PUT { return put_number(s.server.port, v, 0, 65535); }, For::address},
    Setting{"keys", "none", "file", "API keys, as `armazem keys create` makes them: who has one may do what its scopes say, nobody else anything. Changes are noticed within two seconds.",
            PUT { return put_file(s.keys_file, v); }},
    Setting{"without-keys", "false", "flag", "Listen beyond loopback although everybody who reaches the port may read and write everything: for servers behind something that asks.",
            PUT { return put_flag(s.without_keys, v); }},
    Setting{"admin-listen", "none", "address:port", "A listener of its own for /metrics, /health/*, /openapi.json, Swagger UI and the dashboard, without keys; the others then have /health/* only.",
            put_admin_listen},
    Setting{"rate-per-address", "0", "rate", "Requests a second that one client address may send (an IPv6 client: its /64), and behind a colon how many at once after a rest: `100:500`; more are answered 429. 0: no limit.",
            PUT { return put_rate(s.rate_per_address, v); }},
    Setting{"rate-per-key", "0", "rate", "The same, of one API key.",
            PUT { return put_rate(s.rate_per_key, v); }},
    Setting{"bad-keys-per-minute", "30", "number", "Requests with wrong API keys that one address may send a minute; more are answered 429 instead of 401. 0: no limit.",
            PUT { return put_number(s.bad_keys_per_minute, v, 0, 1'000'000); }},
    Setting{"store", "rocksdb", "choice or URL", "System of record: `rocksdb` (on disk), `memory` (lost at the end; for trials), or `postgres://user:password@host:port,host:port/database` (PostgreSQL, CockroachDB).",
            put_store, For::all},
    Setting{"cache", "none", "URL", "Redis Cluster in front of a shared store: `redis://user:password@host:port,host:port`, `rediss://` with TLS.",
            PUT { return put_url(s.cache_url, v, "redis", "rediss"); }, For::serve_worker},
    Setting{"queue", "none", "URL", "RabbitMQ before a shared store: `amqp://user:password@host:port,host:port/vhost`, `amqps://` with TLS. Workers apply what it holds.",
            PUT { return put_url(s.queue_url, v, "amqp", "amqps"); }, For::all},
    Setting{"queue-partitions", "1", "number", "Queues that the writes are spread over by key; one is fastest until one queue's leader is the limit. May change at any time, workers first.",
            PUT { return put_number(s.queue_partitions, v, 1, 64); }, For::all},
    Setting{"queue-in-flight", "4", "number", "Messages of one queue that may be on their way, from the send to the workers' replies; writes that arrive meanwhile share the next. More shortens the wait of a few writes, fewer carries more writes in each message.",
            PUT { return put_number(s.queue_in_flight, v, 1, 64); }},
    Setting{"queue-wait", "5s", "duration", "How long a queued write waits for a worker before it is answered 202; `Prefer: wait=N` overrides it.",
            PUT { return put_duration(s.queue_wait, v, Milliseconds(0)); }},
    Setting{"confirm-timeout", "2s", "duration", "How long the queue may take to confirm a write; then it is applied directly.",
            PUT { return put_duration(s.confirm_timeout, v, least_timeout); }},
    Setting{"session-wait", "2s", "duration", "How long a read with Armazem-Min-Version waits for a write that is still in the queue; then 503.",
            PUT { return put_duration(s.session_wait, v, Milliseconds(0)); }},
    Setting{"cache-ttl", "60s", "duration", "How long an entry of the cache lives: the bound of how old an answer from it may be.",
            PUT { return put_duration(s.cache_ttl, v, Milliseconds(1000)); }, For::serve_worker},
    Setting{"cache-timeout", "100ms", "duration", "How long the cache may take; then the store is asked.",
            PUT { return put_duration(s.cache_timeout, v, least_timeout); }, For::serve_worker},
    Setting{"store-connections", "4", "number", "Connections to a SQL store for transactions; reads have one more per thread.",
            PUT { return put_number(s.store_connections, v, 1, 256); }, For::serve_worker},
    Setting{"lanes", "4", "number", "Batches that a worker may apply at the same time when its queue is deep.",
            PUT { return put_number(s.lanes_max, v, 1, 64); }, For::worker},
    Setting{"data", "./data", "directory", "Where RocksDB keeps its files. Created when missing; one process at a time.",
            PUT { return put_text(s.data, v); }},
    Setting{"threads", "0", "number", "I/O threads; 0 means one per usable core.", put_threads, For::serve_worker},
    Setting{"value-max", "1MiB", "size", "Largest value that is accepted.",
            PUT { return put_size(s.value_bytes_max, v, 1, limits::value_bytes_max); }},
    Setting{"block-cache", "256MiB", "size", "Memory for data, index and filter blocks of the store; write buffers count in.",
            PUT { return put_size(s.block_cache_bytes, v, 8 * MiB, TiB); }},
    Setting{"write-buffer", "32MiB", "size", "Memory for writes that are in the log but not yet in a table file.",
            PUT { return put_size(s.write_buffer_bytes, v, MiB, TiB); }},
    Setting{"store-reserve", "128MiB", "size", "Free disk space below which writes are refused (503 store-full) until there is room again.",
            PUT { return put_size(s.store_reserve_bytes, v, 0, TiB); }},
    Setting{"max-connections", "16384", "number", "Open client connections; more are answered 503.",
            PUT { return put_number(s.server.connections_max, v, 1, 1'000'000); }, For::serve_worker},
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
    Setting{"watch-heartbeat", "15s", "duration", "How often a watch hears something when nothing changes. Shorter than what proxies on the way take for dead.",
            PUT { return put_duration(s.watch_heartbeat, v, least_timeout); }},
    Setting{"store-timeout", "10s", "duration", "How long a request may wait for the store before it is answered 503 or 504.",
            PUT { return put_duration(s.store_timeout, v, least_timeout); }, For::serve_worker},
    Setting{"retention", "24h", "duration", "How long tombstones and expired records are kept, so that late copies of older writes cannot come back.",
            PUT { return put_duration(s.retention, v, Milliseconds(1000)); }, For::serve_worker},
    Setting{"purge-interval", "60s", "duration", "How often old tombstones and expired records are looked for.",
            PUT { return put_duration(s.purge_interval, v, least_timeout); }, For::serve_worker},
    Setting{"drain", "0ms", "duration", "At SIGTERM, before `--grace`: how long new requests are still served, while /health/ready says 503 and each answer closes its connection. What balancers need to look away.",
            PUT { return put_duration(s.drain, v, Milliseconds(0)); }},
    Setting{"grace", "10s", "duration", "At SIGTERM: how long requests in flight may take to end.",
            PUT { return put_duration(s.grace, v, Milliseconds(0)); }, For::serve_worker},
    Setting{"log-level", "info", "choice", "`trace`, `debug`, `info`, `warn`, `error` or `off`. Values never appear in a log.",
            PUT { return put_choice(s.log_level, v, log_levels); }, For::all},
    Setting{"log-format", "auto", "choice", "`text`, `json`, or `auto`: text on a terminal, else JSON.", put_log_format, For::all},
    Setting{"test-clock-offset", "0ms", "duration", "For tests of clock skew only: shifts this process's wall clock; may begin with a minus.",
            PUT { return put_offset(s.test_clock_offset, v); }, For::serve_worker},
};
#undef PUT

}  // namespace

std::span<const Setting> all_settings() { return table; }

std::string environment_name(std::string_view setting) {
  std::string name = "ARMAZEM_";
  for (const char c : setting) name.push_back(c == '-' ? '_' : static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c));
  return name;
}

bool listens_beyond_loopback(const Settings& settings) noexcept {
  return !settings.server.address.starts_with("127.") && settings.server.address != "::1";
}

Result<void> check_access_settings(const Settings& settings) {
  if (!settings.keys_file.empty() && settings.without_keys) {
    return fail(ErrorCode::invalid_argument, "--keys and --without-keys contradict each other");
  }
  if (settings.keys_file.empty() && !settings.without_keys && listens_beyond_loopback(settings)) {
    return fail(ErrorCode::invalid_argument,
                "--listen " + settings.server.address + " lets others in, and no API keys are set: make some with 'armazem keys create' "
                "and give --keys FILE, or say --without-keys if whatever stands in front asks who comes");
  }
  return {};
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
