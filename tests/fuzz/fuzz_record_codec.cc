// Stored bytes: nothing but an error or a whole record comes out, and a record goes back to bytes that mean the same.
#include <cstddef>
#include <cstdint>

#include "adapters/rocksdb/record_codec.h"
#include "core/assert.h"

using namespace armazem;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view stored(reinterpret_cast<const char*>(data), size);
  const auto head = rocks::decode_head(stored);
  const auto record = rocks::decode(stored);
  ARMAZEM_ASSERT(head.has_value() == record.has_value());
  if (!record) {
    ARMAZEM_ASSERT(record.error().code == ErrorCode::data_damaged);
    return 0;
  }
  ARMAZEM_ASSERT(record->check());
  ARMAZEM_ASSERT(head->value == record->value.bytes && stored.ends_with(head->value));
  const std::string encoded = rocks::encode_head(*record) + record->value.bytes;
  ARMAZEM_ASSERT(encoded.size() <= stored.size());
  const auto again = rocks::decode(encoded);
  ARMAZEM_ASSERT(again && *again == *record);
  return 0;
}
