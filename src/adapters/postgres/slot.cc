#include "adapters/postgres/slot.h"

namespace armazem::pg {

Slot::Slot(SlotOwner& owner, Connector& connector, Sweeper& sweeper, net::IoLoop& loop, std::size_t number)
    : owner_(owner), connector_(connector), sweeper_(sweeper), pause_over_(loop), number_(number) {
  sweeper_.add(*this);
}

Task<void> Slot::run() {
  for (int failures = 0; !owner_.closing();) {
    Result<Opened> opened = co_await connector_.open(number_);
    if (!opened) {
      owner_.not_opened(opened.error());
      co_await pause(connector_.backoff(++failures));
      continue;
    }
    failures = 0;
    connection_ = std::move(opened->connection);
    session_ = std::move(opened->session);
    host_ = opened->host;
    expires_at_ = connector_.expiry();
    owner_.opened();
    co_await serve();
    owner_.closed();
    connection_.reset();
  }
}

bool Slot::worth_keeping() const noexcept {
  return has_connection() && !owner_.closing() && sweeper_.now() < expires_at_;
}

Task<bool> Slot::idle() {
  if (!worth_keeping()) co_return false;
  woken_ = false;
  idling_ = true;
  co_await connection_->idle(expires_at_);
  idling_ = false;
  // Not woken: the server said something that nobody asked for, which is its good-bye, or the connection is too old.
  co_return woken_&& worth_keeping();
}

Task<void> Slot::pause(std::chrono::milliseconds span) {
  if (owner_.closing()) co_return;
  pause_until_ = sweeper_.now() + span;
  auto over = pause_over_.wait();
  co_await over;
  pause_until_ = MonotonicTime::max();
}

void Slot::wake() {
  if (idling_) {
    woken_ = true;
    connection_->interrupt();
  }
  if (pause_over_.awaited() && owner_.closing()) pause_over_.raise();
}

void Slot::sweep(MonotonicTime now) {
  if (pause_over_.awaited() && now >= pause_until_) pause_over_.raise();
  sweep_calls(now);
}

}  // namespace armazem::pg
