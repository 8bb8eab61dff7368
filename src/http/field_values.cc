#include "http/field_values.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "core/limits.h"

namespace armazem::http {
namespace {

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool is_token_char(char c) noexcept {
  constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || marks.find(c) != marks.npos;
}
bool is_token(std::string_view text) noexcept { return !text.empty() && std::ranges::all_of(text, is_token_char); }

std::string_view trim(std::string_view text) noexcept {
  const auto first = text.find_first_not_of(" \t");
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

enum class Backslash { escapes, is_ordinary };

// The next piece up to `separator`, outside of quoted strings; moves `rest` behind it.
std::string_view next_piece(std::string_view& rest, char separator, Backslash backslash = Backslash::escapes) {
  bool quoted = false;
  for (std::size_t i = 0; i < rest.size(); ++i) {
    if (quoted && rest[i] == '\\' && backslash == Backslash::escapes) {
      ++i;
    } else if (rest[i] == '"') {
      quoted = !quoted;
    } else if (rest[i] == separator && !quoted) {
      const std::string_view piece = trim(rest.substr(0, i));
      rest.remove_prefix(i + 1);
      return piece;
    }
  }
  return trim(std::exchange(rest, {}));
}

std::string_view unquote(std::string_view text) noexcept {
  const bool quoted = text.size() >= 2 && text.front() == '"' && text.back() == '"';
  return quoted ? text.substr(1, text.size() - 2) : text;
}

bool is_quoted_string(std::string_view text) noexcept {
  if (text.size() < 2 || text.front() != '"' || text.back() != '"') return false;
  text = text.substr(1, text.size() - 2);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') return false;
    if (text[i] != '\\') continue;
    if (++i == text.size()) return false;
  }
  return true;
}

std::optional<EntityTag> parse_entity_tag(std::string_view text) {
  EntityTag tag;
  if (text.starts_with("W/")) {
    tag.weak = true;
    text.remove_prefix(2);
  }
  if (text.size() < 2 || text.front() != '"' || text.back() != '"') return std::nullopt;
  tag.opaque = text.substr(1, text.size() - 2);
  const auto etagc = [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte == 0x21 || (byte >= 0x23 && byte != 0x7F);
  };
  if (!std::ranges::all_of(tag.opaque, etagc)) return std::nullopt;
  return tag;
}

// The q parameter in thousandths, 1000 when there is none or it is malformed.
int quality(std::string_view parameters) {
  while (!parameters.empty()) {
    const std::string_view parameter = next_piece(parameters, ';');
    if (parameter.size() < 3 || lower(parameter[0]) != 'q' || parameter[1] != '=') continue;
    int whole = 0;
    const std::string_view number = parameter.substr(2);
    if (number[0] == '1') return 1000;
    if (number[0] != '0') return 1000;
    int place = 100;
    for (std::size_t i = 2; i < number.size() && i < 5 && number[i] >= '0' && number[i] <= '9'; ++i, place /= 10) {
      whole += (number[i] - '0') * place;
    }
    return whole;
  }
  return 1000;
}

}  // namespace

bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept {
  return std::ranges::equal(a, b, {}, lower, lower);
}

std::optional<EntityTags> parse_entity_tags(std::string_view value) {
  EntityTags result;
  std::string_view rest = trim(value);
  if (rest == "*") {
    result.any = true;
    return result;
  }
  while (!rest.empty()) {
    // A tag looks like a quoted string but has no escapes (RFC 9110, section 8.8.3).
    const std::string_view piece = next_piece(rest, ',', Backslash::is_ordinary);
    if (piece.empty()) continue;
    const auto tag = parse_entity_tag(piece);
    if (!tag) return std::nullopt;
    result.tags.push_back(*tag);
  }
  if (result.tags.empty()) return std::nullopt;
  return result;
}

std::optional<MediaType> parse_media_type(std::string_view value) {
  if (value.size() > limits::content_type_bytes_max) return std::nullopt;
  const bool printable = std::ranges::all_of(value, [](char c) { return c == '\t' || (c >= 0x20 && c < 0x7F); });
  if (!printable) return std::nullopt;
  std::string_view rest = value;
  const std::string_view name = next_piece(rest, ';');
  const auto slash = name.find('/');
  if (slash == name.npos) return std::nullopt;
  MediaType media{name.substr(0, slash), name.substr(slash + 1), std::nullopt};
  if (!is_token(media.type) || !is_token(media.subtype)) return std::nullopt;
  while (!rest.empty()) {
    const std::string_view parameter = next_piece(rest, ';');
    if (parameter.empty()) continue;
    const auto equals = parameter.find('=');
    if (equals == parameter.npos || !is_token(parameter.substr(0, equals))) return std::nullopt;
    const std::string_view setting = parameter.substr(equals + 1);
    if (!is_token(setting) && !is_quoted_string(setting)) return std::nullopt;
    if (equal_ignoring_case(parameter.substr(0, equals), "charset")) media.charset = unquote(setting);
  }
  return media;
}

bool is_json_type(const MediaType& media) noexcept {
  const std::string_view subtype = media.subtype;
  const bool suffix = subtype.size() > 5 && equal_ignoring_case(subtype.substr(subtype.size() - 5), "+json");
  return suffix || (equal_ignoring_case(media.type, "application") && equal_ignoring_case(subtype, "json"));
}

bool accepts_json_first(std::string_view accept) {
  int best_json = -1;
  int best_other = 0;
  std::string_view rest = accept;
  while (!rest.empty()) {
    std::string_view range = next_piece(rest, ',');
    const std::string_view name = next_piece(range, ';');
    if (name.empty()) continue;
    const int q = quality(range);
    const bool json =
        name == "*/*" || equal_ignoring_case(name, "application/*") || equal_ignoring_case(name, "application/json");
    int& best = json ? best_json : best_other;
    best = std::max(best, q);
  }
  if (best_json < 0) return best_other == 0;  // nothing usable named at all: the default
  return best_json >= best_other;
}

bool accepts_json_lines(std::string_view accept) {
  int lines = 0;
  int json = 0;
  std::string_view rest = accept;
  while (!rest.empty()) {
    std::string_view range = next_piece(rest, ',');
    const std::string_view name = next_piece(range, ';');
    const int q = quality(range);
    if (equal_ignoring_case(name, "application/x-ndjson") || equal_ignoring_case(name, "application/ndjson")) lines = std::max(lines, q);
    if (equal_ignoring_case(name, "application/json")) json = std::max(json, q);
  }
  return lines > 0 && lines >= json;
}

bool accepts_coding(std::string_view accept_encoding, std::string_view coding) {
  std::optional<int> named;
  int any = 0;
  std::string_view rest = accept_encoding;
  while (!rest.empty()) {
    std::string_view piece = next_piece(rest, ',');
    const std::string_view name = next_piece(piece, ';');
    if (equal_ignoring_case(name, coding)) named = quality(piece);
    if (name == "*") any = quality(piece);
  }
  return named.value_or(any) > 0;
}

std::string_view without_coding(std::string_view tag) noexcept {
  if (tag.ends_with(gzip_tag_suffix)) tag.remove_suffix(gzip_tag_suffix.size());
  return tag;
}

Preferences parse_prefer(std::string_view value) {
  Preferences preferences;
  std::string_view rest = value;
  while (!rest.empty()) {
    std::string_view piece = next_piece(rest, ',');
    const std::string_view preference = next_piece(piece, ';');
    if (equal_ignoring_case(preference, "respond-async")) preferences.respond_async = true;
    const auto equals = preference.find('=');
    if (equals == preference.npos || !equal_ignoring_case(trim(preference.substr(0, equals)), "wait")) continue;
    if (preferences.wait_seconds) continue;  // only the first instance counts (RFC 7240, section 2)
    const std::string_view number = unquote(trim(preference.substr(equals + 1)));
    int seconds = 0;
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), seconds);
    if (error == std::errc{} && end == number.data() + number.size() && seconds >= 0) {
      preferences.wait_seconds = std::min(seconds, 30);
    }
  }
  return preferences;
}

bool asks_past_caches(std::string_view cache_control) {
  std::string_view rest = cache_control;
  while (!rest.empty()) {
    const std::string_view directive = next_piece(rest, ',');
    if (equal_ignoring_case(directive, "no-cache") || equal_ignoring_case(directive, "max-age=0")) return true;
  }
  return false;
}

std::optional<std::int64_t> parse_ttl(std::string_view value) {
  if (value.empty() || !std::ranges::all_of(value, [](char c) { return c >= '0' && c <= '9'; })) return std::nullopt;
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), seconds);
  if (error != std::errc{} || seconds < 1 || seconds > limits::ttl_seconds_max) return std::nullopt;
  return seconds;
}

bool is_idempotency_key(std::string_view value) noexcept {
  return !value.empty() && value.size() <= limits::idempotency_key_bytes_max &&
         std::ranges::all_of(value, [](char c) { return c > 0x20 && c < 0x7F; });
}

}  // namespace armazem::http
