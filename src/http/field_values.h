// The values of the headers that we understand, each parsed strictly by its RFC.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace armazem::http {

// RFC 9110, section 8.8.3: an opaque tag, without its quotes.
struct EntityTag {
  std::string_view opaque;
  bool weak = false;
};
struct EntityTags {
  bool any = false;  // the single "*"
  std::vector<EntityTag> tags;
};
// If-Match and If-None-Match; nullopt when malformed.
[[nodiscard]] std::optional<EntityTags> parse_entity_tags(std::string_view value);

// RFC 9110, section 8.3.1. Views into `value`.
struct MediaType {
  std::string_view type;
  std::string_view subtype;
  std::optional<std::string_view> charset;
};
[[nodiscard]] std::optional<MediaType> parse_media_type(std::string_view value);
[[nodiscard]] bool is_json_type(const MediaType& media) noexcept;  // application/json or …+json

// RFC 9110, section 12.5.1: true when JSON serves the client at least as well as any other type it names.
[[nodiscard]] bool accepts_json_first(std::string_view accept);

// True when the client names application/x-ndjson (or application/ndjson) and likes it at least as well as JSON.
[[nodiscard]] bool accepts_json_lines(std::string_view accept);

// RFC 9110, section 12.5.3: true when the client names `coding`, or "*", and does not refuse it.
[[nodiscard]] bool accepts_coding(std::string_view accept_encoding, std::string_view coding);

// The entity tag of a compressed answer is the version with this behind it: another representation, another strong tag
// (RFC 9110, section 8.8.3.3). Wherever a tag comes back, it means the version.
inline constexpr std::string_view gzip_tag_suffix = "-gzip";
[[nodiscard]] std::string_view without_coding(std::string_view tag) noexcept;

// RFC 7240. Unknown preferences are ignored, as it asks.
struct Preferences {
  bool respond_async = false;
  std::optional<int> wait_seconds;  // 0 .. 30, cut to that
};
[[nodiscard]] Preferences parse_prefer(std::string_view value);

// RFC 9111, section 5.2.1.4: does the client want an answer that does not come from a cache? no-cache and max-age=0 ask
// for the same.
[[nodiscard]] bool asks_past_caches(std::string_view cache_control);

// Digits only, within [1, ttl_seconds_max].
[[nodiscard]] std::optional<std::int64_t> parse_ttl(std::string_view value);

[[nodiscard]] bool is_idempotency_key(std::string_view value) noexcept;

[[nodiscard]] bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept;

}  // namespace armazem::http
