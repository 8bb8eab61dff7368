// Keys in paths: what is decoded and accepted is encoded to a path that means the same key.
#include <cstddef>
#include <cstdint>

#include "core/assert.h"
#include "core/key.h"
#include "http/percent.h"

using namespace armazem;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  // Any bytes survive encoding, keys or not.
  const std::string encoded = http::percent_encode_path(text);
  ARMAZEM_ASSERT(http::percent_decode(encoded) == text);
  ARMAZEM_ASSERT(encoded.find_first_not_of("%-._~/0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") ==
                 encoded.npos);

  auto decoded = http::percent_decode(text);
  if (!decoded) return 0;
  ARMAZEM_ASSERT(decoded->size() <= text.size());
  const auto key = Key::parse(*decoded);
  if (!key) return 0;
  ARMAZEM_ASSERT(key->text() == *decoded);
  ARMAZEM_ASSERT(!decoded->empty() && decoded->size() <= 1024 && decoded->find('\0') == decoded->npos);
  const std::string path = http::percent_encode_path(key->text());
  ARMAZEM_ASSERT(Key::parse(http::percent_decode(path).value()).value() == *key);
  return 0;
}
