// Dead letters: mutations that can never be applied, kept until a person decides. For operators, not for the hot path.
//
// Thread rule: one thread; calls block.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/mutation.h"
#include "core/result.h"

namespace armazem {

struct DeadLetter {
  std::uint64_t number = 0;            // 1-based position, oldest first, as of this look
  std::string reason;                  // to_string(DeadReason), or the broker's own word
  std::string detail;
  std::uint64_t set_aside_at_ms = 0;   // Unix milliseconds; 0: not known
  std::vector<Mutation> mutations;     // empty when the message does not parse
  std::string raw;                     // the body as it came
};

class DeadLetterBox {
 public:
  virtual ~DeadLetterBox() = default;
  // Looks without taking away: at most `limit` letters, oldest first.
  virtual Result<std::vector<DeadLetter>> list(std::size_t limit) = 0;
  // Publishes the mutations to their queues again (confirmed), stamped anew by `restamp` when given, and only then removes
  // the letter.
  virtual Result<void> replay(std::uint64_t number, std::optional<Version> restamp) = 0;
  virtual Result<void> drop(std::uint64_t number) = 0;
};

}  // namespace armazem
