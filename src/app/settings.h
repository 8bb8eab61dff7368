// Everything that can be set, once: name, default, meaning and parser. The command line, the environment
// (ARMAZEM_ + upper case), the configuration file and docs/configuration.md all come from this one table.
//
// Precedence: flag, then environment, then file, then default. Anything unknown or malformed is an error that names it.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "access/rate_limiter.h"
#include "core/limits.h"
#include "core/result.h"
#include "http/server_options.h"
#include "runtime/log.h"

namespace armazem {

enum class StoreKind { rocksdb, memory, sql };

struct Settings {
  http::ServerOptions server;
  std::string keys_file;                 // empty: no API keys
  bool without_keys = false;
  std::string admin_address;             // empty: no listener of its own
  std::uint16_t admin_port = 0;
  Rate rate_per_key;
  Rate rate_per_address;
  std::size_t bad_keys_per_minute = 0;
  StoreKind store = StoreKind::rocksdb;
  std::string store_url;                 // with StoreKind::sql
  std::string cache_url;                 // empty: no cache
  std::string queue_url;                 // empty: no queue
  std::size_t queue_partitions = 1;
  std::size_t queue_in_flight = 0;
  std::chrono::milliseconds queue_wait{0};
  std::chrono::milliseconds confirm_timeout{0};
  std::chrono::milliseconds session_wait{0};
  std::chrono::milliseconds cache_ttl{0};
  std::chrono::milliseconds cache_timeout{0};
  std::size_t store_connections = 0;
  std::size_t lanes_max = 0;
  std::chrono::milliseconds test_clock_offset{0};
  std::string data;
  std::size_t block_cache_bytes = 0;
  std::size_t write_buffer_bytes = 0;
  std::uint64_t store_reserve_bytes = 0;
  std::size_t value_bytes_max = 0;
  std::chrono::milliseconds store_timeout{0};
  std::chrono::milliseconds retention{0};
  std::chrono::milliseconds purge_interval{0};
  std::chrono::milliseconds drain{0};
  std::chrono::milliseconds watch_heartbeat{0};
  std::chrono::milliseconds grace{0};
  log::Level log_level = log::Level::info;
  log::Format log_format = log::Format::text;
};

// The commands that a setting means something to; a file or an environment may hold it for all of them.
// `address`: of serve and worker, and of health, which asks them.
enum class For : std::uint8_t { serve, serve_worker, worker, address, all };

struct Setting {
  std::string_view name;           // of the flag, without dashes in front
  std::string_view default_value;
  std::string_view kind;           // for people: "size", "duration", "number", …
  std::string_view meaning;
  Result<void> (*apply)(Settings& settings, std::string_view value);
  For commands = For::serve;
};

[[nodiscard]] std::span<const Setting> all_settings();
[[nodiscard]] std::string environment_name(std::string_view setting);  // "block-cache" -> "ARMAZEM_BLOCK_CACHE"

// Whether others than programs of this machine can reach the server.
[[nodiscard]] bool listens_beyond_loopback(const Settings& settings) noexcept;
// That who can reach the server is asked for a key, or that somebody has said that this is not wanted.
[[nodiscard]] Result<void> check_access_settings(const Settings& settings);

// Parses a value and puts it into `settings`; the error names the setting.
Result<void> apply_setting(const Setting& setting, std::string_view value, Settings& settings);

// The table of docs/configuration.md.
[[nodiscard]] std::string settings_as_markdown();

}  // namespace armazem
