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

#include "core/limits.h"
#include "core/result.h"
#include "http/server_options.h"
#include "runtime/log.h"

namespace armazem {

enum class StoreKind { rocksdb, memory };

struct Settings {
  http::ServerOptions server;
  StoreKind store = StoreKind::rocksdb;
  std::string data;
  std::size_t block_cache_bytes = 0;
  std::size_t write_buffer_bytes = 0;
  std::uint64_t store_reserve_bytes = 0;
  std::size_t value_bytes_max = 0;
  std::chrono::milliseconds store_timeout{0};
  std::chrono::milliseconds retention{0};
  std::chrono::milliseconds purge_interval{0};
  std::chrono::milliseconds grace{0};
  log::Level log_level = log::Level::info;
  log::Format log_format = log::Format::text;
};

struct Setting {
  std::string_view name;           // of the flag, without dashes in front
  std::string_view default_value;
  std::string_view kind;           // for people: "size", "duration", "number", …
  std::string_view meaning;
  Result<void> (*apply)(Settings& settings, std::string_view value);
};

[[nodiscard]] std::span<const Setting> all_settings();
[[nodiscard]] std::string environment_name(std::string_view setting);  // "block-cache" -> "ARMAZEM_BLOCK_CACHE"

// Parses a value and puts it into `settings`; the error names the setting.
Result<void> apply_setting(const Setting& setting, std::string_view value, Settings& settings);

// The table of docs/configuration.md.
[[nodiscard]] std::string settings_as_markdown();

}  // namespace armazem
