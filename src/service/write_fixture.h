// What tests of writes ask for.
#pragma once

#include "service/writer.h"
#include "support/mutations.h"

namespace armazem::test {

// Op ids that a test can tell: first + 1, first + 2, …
class CountedOpIds final : public OpIdSource {
 public:
  explicit CountedOpIds(std::uint64_t first = 0) : drawn(first) {}
  OpId next() override { return OpId(++drawn); }
  std::uint64_t drawn;
};

inline WriteRequest put_request(const std::string& name, const std::string& bytes) {
  return {Mutation::Kind::put, key(name), {bytes, "text/plain", ValueForm::text}, {}, 0, {}};
}

}  // namespace armazem::test
