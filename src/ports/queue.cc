#include "ports/queue.h"

namespace armazem {

std::string_view to_string(DeadReason reason) noexcept {
  switch (reason) {
    case DeadReason::too_old: return "too-old";
    case DeadReason::rejected: return "rejected";
    case DeadReason::undecodable: return "undecodable";
    case DeadReason::expired: return "delivery-limit";
  }
  return "unknown";
}

}  // namespace armazem
