// Op ids: the half of a version that names a request.
#pragma once

#include <string_view>

#include "core/mutation.h"
#include "core/version.h"

namespace armazem {

// Random op ids. Thread rule: `next` from any thread.
class OpIdSource {
 public:
  virtual ~OpIdSource() = default;
  [[nodiscard]] virtual OpId next() = 0;
};

// 62 random bits from a generator per thread, seeded by the kernel. Ids name requests; they are not secrets.
class RandomOpIds final : public OpIdSource {
 public:
  [[nodiscard]] OpId next() override;
};

// The op id of a request with an Idempotency-Key: a SHA-256 digest of it and of everything that makes the write what it
// is, so that a repeated request is the same operation and a reused key with another write is another one.
struct IdempotentRequest {
  std::string_view idempotency_key;
  Mutation::Kind kind;
  std::string_view key;
  std::string_view content_type;
  std::string_view body;
  std::int64_t ttl_seconds;  // 0: none
};
[[nodiscard]] OpId digest_op_id(const IdempotentRequest& request);

}  // namespace armazem
