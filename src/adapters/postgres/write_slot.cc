#include "adapters/postgres/write_slot.h"

namespace armazem::pg {

Lease::~Lease() {
  if (slot_ != nullptr) slot_->give_back();
}
Connection& Lease::connection() const noexcept { return slot_->connection(); }
const Session& Lease::session() const noexcept { return slot_->session(); }
void Lease::avoid_host() const noexcept { slot_->avoid_host(); }

Lease WriteSlot::lend() {
  lent_ = true;
  return Lease(*this);
}

std::optional<Lease> WriteSlot::try_lend() {
  if (lent_ || !worth_keeping()) return std::nullopt;
  if (!connection().clean()) {
    wake();  // the slot looks by itself
    return std::nullopt;
  }
  lent_ = true;
  wake();
  return Lease(*this);
}

// From one call to the next without a stop here, unless the connection is to be replaced.
void WriteSlot::give_back() {
  lent_ = false;
  if (connection().clean() && worth_keeping() && !queue_.empty()) {
    queue_.pop().finish(lend());
  } else {
    returned_.raise();
  }
}

void WriteSlot::interrupt() {
  if (lent_) connection().interrupt();
}

Task<void> WriteSlot::serve() {
  while (true) {
    if (lent_) {
      auto returned = returned_.wait();
      co_await returned;
      continue;
    }
    if (!worth_keeping() || !connection().clean()) break;
    if (!queue_.empty()) {
      queue_.pop().finish(lend());
      continue;
    }
    const bool sound = co_await idle();
    if (!sound && !lent_) break;
  }
}

}  // namespace armazem::pg
