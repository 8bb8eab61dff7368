#include "checker/json_lines.h"

#include <array>
#include <boost/json.hpp>
#include <istream>
#include <stdexcept>

namespace armazem::checker {
namespace {

namespace json = boost::json;

constexpr std::array<std::string_view, 3> kinds{"put", "delete", "get"};
constexpr std::array<std::string_view, 3> levels{"cached", "session", "strong"};
constexpr std::array<std::string_view, 4> outcomes{"ok", "failed", "unknown", "accepted"};
constexpr std::array<std::string_view, 4> resolutions{"none", "applied", "superseded", "pending"};

template <typename Enum, std::size_t size>
std::string_view word(const std::array<std::string_view, size>& words, Enum value) {
  return words[static_cast<std::size_t>(value)];
}

template <typename Enum, std::size_t size>
Enum parse_word(const std::array<std::string_view, size>& words, std::string_view text) {
  for (std::size_t at = 0; at < size; ++at) {
    if (words[at] == text) return static_cast<Enum>(at);
  }
  throw std::invalid_argument("unknown word '" + std::string(text) + "'");
}

void add_number(std::string& out, std::string_view name, std::uint64_t number) {
  out.append(",\"").append(name).append("\":").append(std::to_string(number));
}

void add_text(std::string& out, std::string_view name, std::string_view text) {
  out.append(",\"").append(name).append("\":\"").append(text).append("\"");
}

void add_version(std::string& out, std::string_view name, const Version& version) {
  if (!version.is_nil()) add_text(out, name, version.text());
}

Version parse_version(const json::value& value) {
  auto version = Version::parse(std::string_view(value.as_string()));
  if (!version) throw std::invalid_argument(version.error().message);
  return *version;
}

Version version_of(const json::object& line, std::string_view name) {
  const json::value* value = line.if_contains(name);
  return value == nullptr ? Version() : parse_version(*value);
}

std::uint64_t number_of(const json::object& line, std::string_view name, std::uint64_t missing) {
  const json::value* value = line.if_contains(name);
  return value == nullptr ? missing : value->to_number<std::uint64_t>();
}

std::string_view text_of(const json::object& line, std::string_view name) { return line.at(name).as_string(); }

void parse_condition(const json::object& line, Event& event) {
  const json::value* value = line.if_contains("condition");
  if (value == nullptr) return;
  event.conditional = true;
  if (value->as_string() == "absent") {
    event.if_none_match = true;
  } else if (value->as_string() != "present") {
    event.if_match = parse_version(*value);
  }
}

Event parse_event(const json::object& line) {
  Event event;
  event.client = static_cast<std::uint32_t>(number_of(line, "client", 0));
  event.key = line.at("key").to_number<std::uint32_t>();
  event.kind = parse_word<Kind>(kinds, text_of(line, "op"));
  if (event.kind == Kind::get) event.level = parse_word<Level>(levels, text_of(line, "level"));
  event.invoked_us = line.at("invoked").to_number<std::uint64_t>();
  event.returned_us = number_of(line, "returned", never_returned);
  event.value = number_of(line, "value", 0);
  event.version = version_of(line, "version");
  event.min_version = version_of(line, "min_version");
  parse_condition(line, event);
  event.outcome = parse_word<Outcome>(outcomes, text_of(line, "outcome"));
  event.status = static_cast<std::uint16_t>(number_of(line, "status", 0));
  if (line.contains("resolution")) event.resolution = parse_word<Resolution>(resolutions, text_of(line, "resolution"));
  return event;
}

FinalState parse_final(const json::object& line) {
  FinalState state;
  state.key = line.at("key").to_number<std::uint32_t>();
  state.store_value = number_of(line, "value", 0);
  state.store_version = version_of(line, "version");
  if (const json::value* cache = line.if_contains("cache")) {
    state.in_cache = true;
    state.cache_value = number_of(cache->as_object(), "value", 0);
    state.cache_version = version_of(cache->as_object(), "version");
  }
  if (const json::value* applied = line.if_contains("applied")) {
    state.applied_known = true;
    for (const json::value& each : applied->as_array()) {
      state.applied.push_back({version_of(each.as_object(), "version"), number_of(each.as_object(), "value", 0)});
    }
  }
  return state;
}

std::string operation_name(std::uint64_t key, std::string_view operation) {
  return std::to_string(key) + "/" + std::string(operation);
}

}  // namespace

void append_event(std::string& out, const Event& event, const Version& operation) {
  out.append("{\"type\":\"op\",\"client\":").append(std::to_string(event.client));
  add_number(out, "key", event.key);
  add_text(out, "op", word(kinds, event.kind));
  if (event.kind == Kind::get) add_text(out, "level", word(levels, event.level));
  add_number(out, "invoked", event.invoked_us);
  if (event.returned_us != never_returned) add_number(out, "returned", event.returned_us);
  if (event.value != 0) add_number(out, "value", event.value);
  add_version(out, "version", event.version);
  add_version(out, "min_version", event.min_version);
  if (event.conditional) {
    add_text(out, "condition", event.if_none_match ? "absent" : event.if_match ? event.if_match->text() : "present");
  }
  add_text(out, "outcome", word(outcomes, event.outcome));
  if (event.status != 0) add_number(out, "status", event.status);
  if (event.resolution != Resolution::none) add_text(out, "resolution", word(resolutions, event.resolution));
  add_version(out, "operation", operation);
  out.append("}\n");
}

void append_final(std::string& out, const FinalState& state) {
  out.append("{\"type\":\"final\",\"key\":").append(std::to_string(state.key));
  if (state.store_value != 0) add_number(out, "value", state.store_value);
  add_version(out, "version", state.store_version);
  if (state.in_cache) {
    out.append(",\"cache\":{\"value\":").append(std::to_string(state.cache_value));
    add_version(out, "version", state.cache_version);
    out.append("}");
  }
  if (state.applied_known) {
    out.append(",\"applied\":[");
    for (std::size_t at = 0; at < state.applied.size(); ++at) {
      out.append(at == 0 ? "" : ",").append("{\"value\":").append(std::to_string(state.applied[at].value));
      add_version(out, "version", state.applied[at].version);
      out.append("}");
    }
    out.append("]");
  }
  out.append("}\n");
}

void append_resolution(std::string& out, std::uint32_t key, const Version& operation, Resolution resolution,
                       const Version& applied_as) {
  out.append("{\"type\":\"resolution\",\"key\":").append(std::to_string(key));
  add_version(out, "operation", operation);
  add_text(out, "resolution", word(resolutions, resolution));
  add_version(out, "version", applied_as);
  out.append("}\n");
}

Result<void> HistoryReader::add_line(std::string_view text) {
  try {
    const json::value parsed = json::parse(text);
    const json::object& line = parsed.as_object();
    const std::string_view type = text_of(line, "type");
    if (type == "op") {
      history_.events.push_back(parse_event(line));
      if (line.contains("operation")) {
        by_operation_[operation_name(history_.events.back().key, text_of(line, "operation"))] =
            history_.events.size() - 1;
      }
    } else if (type == "final") {
      history_.finals.push_back(parse_final(line));
    } else if (type == "resolution") {
      const auto place =
          by_operation_.find(operation_name(line.at("key").to_number<std::uint64_t>(), text_of(line, "operation")));
      if (place == by_operation_.end()) throw std::invalid_argument("resolution of an operation that is not there");
      Event& event = history_.events[place->second];
      event.resolution = parse_word<Resolution>(resolutions, text_of(line, "resolution"));
      if (event.resolution == Resolution::applied) event.version = version_of(line, "version");
    }  // other types are for other readers
    return {};
  } catch (const std::exception& error) {
    return fail(ErrorCode::invalid_argument, error.what());
  }
}

Result<void> HistoryReader::read(std::istream& in) {
  std::size_t number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    if (line.empty()) continue;
    if (auto added = add_line(line); !added)
      return fail(ErrorCode::invalid_argument, "line " + std::to_string(number) + ": " + added.error().message);
  }
  return {};
}

}  // namespace armazem::checker
