// Which keys are in use. A key serves for a bounded number of operations and is then replaced by a new one, so that the
// search of the checker stays short, however long the run. Three uses:
//   hot     few keys, many clients at once: contention
//   slow    many keys that live for minutes, longer than an entry of the cache
//   retry   at most eight writes, each repeated with its Idempotency-Key until it is answered: within the bounds in
//           which docs/api.md promises that a repetition is recognised, however late a copy arrives
//
// Thread rule: any thread.
#pragma once

#include <cstdint>
#include <mutex>
#include <random>
#include <vector>

#include "core/version.h"

namespace armazem::faults {

enum class KeyUse : std::uint8_t { hot, slow, retry };

struct Lease {
  std::uint32_t key = 0;
  KeyUse use = KeyUse::hot;
  bool may_write = true;
  Version newest;  // that any client has seen, for conditions
  std::size_t slot = 0;
};

class KeyPool {
 public:
  struct Sizes {
    std::size_t hot = 12, slow = 300, retry = 30;
  };
  explicit KeyPool(Sizes sizes);

  // A key for one operation.
  Lease take(std::mt19937_64& random, bool wants_to_write);
  void saw(const Lease& lease, const Version& version);
  // A write of that key whose fate is not known: each makes the search longer, so after some the key is replaced.
  void became_unknown(const Lease& lease);
  // All keys so far are below this.
  [[nodiscard]] std::uint32_t keys() const;

 private:
  struct Slot {
    std::uint32_t key = 0;
    KeyUse use = KeyUse::hot;
    int operations_left = 0;
    int writes_left = 0;
    int unknown_left = 0;
    Version newest;
  };

  void renew(Slot& slot);
  std::size_t pick(std::mt19937_64& random) const;

  const Sizes sizes_;
  mutable std::mutex mutex_;
  std::vector<Slot> slots_;
  std::uint32_t next_key_ = 0;
};

}  // namespace armazem::faults
