#include "runtime/log.h"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/ansicolor_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>

#include <memory>

namespace armazem::log {
namespace {

// Fixed after setup.
Format current_format = Format::text;

spdlog::level::level_enum level_of(Level level) noexcept {
  switch (level) {
    case Level::trace: return spdlog::level::trace;
    case Level::debug: return spdlog::level::debug;
    case Level::info: return spdlog::level::info;
    case Level::warn: return spdlog::level::warn;
    case Level::error: return spdlog::level::err;
    case Level::off: return spdlog::level::off;
  }
  return spdlog::level::info;
}

std::string quoted(std::string_view text) { return boost::json::serialize(boost::json::string(text)); }

std::string as_text(std::string_view message, std::initializer_list<Field> fields) {
  std::string line(message);
  for (const Field& field : fields) {
    const bool plain = field.value.find_first_of(" \"\n\r\t=") == std::string::npos && !field.value.empty();
    line.append("  ").append(field.name).append("=").append(plain ? field.value : quoted(field.value));
  }
  return line;
}

// The pattern adds time and level around it.
std::string as_json(std::string_view message, std::initializer_list<Field> fields) {
  std::string line = "\"msg\":" + quoted(message);
  for (const Field& field : fields) {
    line.append(",").append(quoted(field.name)).append(":").append(field.quoted ? quoted(field.value) : field.value);
  }
  return line;
}

}  // namespace

void setup(Level level, Format format) {
  current_format = format;
  std::shared_ptr<spdlog::sinks::sink> sink;
  if (format == Format::text) {
    sink = std::make_shared<spdlog::sinks::ansicolor_stderr_sink_mt>();
  } else {
    sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  }
  auto logger = std::make_shared<spdlog::logger>("armazem", std::move(sink));
  if (format == Format::text) {
    logger->set_pattern("%H:%M:%S.%e %^%5l%$ %v");
  } else {
    auto formatter = std::make_unique<spdlog::pattern_formatter>(
        "{\"time\":\"%Y-%m-%dT%H:%M:%S.%eZ\",\"level\":\"%l\",%v}", spdlog::pattern_time_type::utc);
    logger->set_formatter(std::move(formatter));
  }
  logger->set_level(level_of(level));
  logger->flush_on(spdlog::level::trace);
  spdlog::set_default_logger(std::move(logger));
}

bool enabled(Level level) noexcept { return spdlog::should_log(level_of(level)); }

void write(Level level, std::string_view message, std::initializer_list<Field> fields) {
  if (!enabled(level)) return;
  const std::string line = current_format == Format::json ? as_json(message, fields) : as_text(message, fields);
  spdlog::log(level_of(level), "{}", line);
}

}  // namespace armazem::log
