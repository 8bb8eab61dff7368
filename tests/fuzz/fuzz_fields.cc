// Header values, tokens and versions: what is understood is inside the text, within its bounds, and written back means the
// same.
//
// Input: one byte that chooses the field, then its value.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/assert.h"
#include "core/limits.h"
#include "core/version.h"
#include "http/field_values.h"

using namespace armazem;

namespace {

bool is_inside(std::string_view part, std::string_view whole) {
  return part.empty() || (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

void entity_tags(std::string_view value) {
  const auto tags = http::parse_entity_tags(value);
  if (!tags) return;
  ARMAZEM_ASSERT(tags->any != !tags->tags.empty());
  for (const http::EntityTag& tag : tags->tags) {
    ARMAZEM_ASSERT(is_inside(tag.opaque, value) && tag.opaque.find('"') == tag.opaque.npos);
  }
}

void media_type(std::string_view value) {
  const auto media = http::parse_media_type(value);
  if (!media) return;
  ARMAZEM_ASSERT(!media->type.empty() && !media->subtype.empty());
  ARMAZEM_ASSERT(is_inside(media->type, value) && is_inside(media->subtype, value));
  if (media->charset) ARMAZEM_ASSERT(is_inside(*media->charset, value));
  (void)http::is_json_type(*media);
}

void prefer(std::string_view value) {
  const auto wait = http::parse_prefer(value).wait_seconds;
  ARMAZEM_ASSERT(!wait || (*wait >= 0 && *wait <= 30));
}

void ttl(std::string_view value) {
  const auto seconds = http::parse_ttl(value);
  if (!seconds) return;
  ARMAZEM_ASSERT(*seconds >= 1 && *seconds <= limits::ttl_seconds_max);
  ARMAZEM_ASSERT(http::parse_ttl(std::to_string(*seconds)) == seconds);
}

void version(std::string_view value) {
  if (const auto parsed = Version::parse(value)) {
    ARMAZEM_ASSERT(Version::parse(parsed->text()).value() == *parsed);
    ARMAZEM_ASSERT(http::equal_ignoring_case(parsed->text(), value));
  }
  (void)Version::from_bytes(value);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 8) {
    case 0: entity_tags(text); break;
    case 1: media_type(text); break;
    case 2: prefer(text); break;
    case 3: ttl(text); break;
    case 4: version(text); break;
    case 5: (void)http::accepts_json_first(text); break;
    case 6: (void)http::asks_past_caches(text); break;
    default: ARMAZEM_ASSERT(!http::is_idempotency_key(text) || !text.empty()); break;
  }
  return 0;
}
