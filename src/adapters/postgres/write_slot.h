// A connection that is lent to one call at a time, for a transaction, a scan or a step of purge.
#pragma once

#include "adapters/postgres/call_queue.h"
#include "adapters/postgres/slot.h"

namespace armazem::pg {

class WriteSlot;

// A lent connection; gives it back when it goes. One that is not `clean` by then is closed.
class [[nodiscard]] Lease {
 public:
  explicit Lease(WriteSlot& slot) noexcept : slot_(&slot) {}
  Lease(Lease&& other) noexcept : slot_(std::exchange(other.slot_, nullptr)) {}
  Lease& operator=(Lease&&) = delete;
  ~Lease();

  [[nodiscard]] Connection& connection() const noexcept;
  [[nodiscard]] const Session& session() const noexcept;
  // Its server is going away, or does not take writes.
  void avoid_host() const noexcept;

 private:
  WriteSlot* slot_;
};

using BorrowCall = PendingCall<Lease>;
using BorrowQueue = CallQueue<BorrowCall>;

class WriteSlot final : public Slot {
 public:
  WriteSlot(SlotOwner& owner, Connector& connector, Sweeper& sweeper, net::IoLoop& loop, std::size_t number,
            BorrowQueue& queue)
      : Slot(owner, connector, sweeper, loop, number), queue_(queue), returned_(loop) {}

  // Lends the connection when it is free and sound.
  std::optional<Lease> try_lend();
  // The call that holds it is given no more time.
  void interrupt();

 private:
  friend class Lease;
  Task<void> serve() override;
  void sweep_calls(MonotonicTime) override {}
  Lease lend();
  void give_back();

  BorrowQueue& queue_;
  Signal returned_;
  bool lent_ = false;
};

}  // namespace armazem::pg
