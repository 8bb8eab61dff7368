// A connection that answers gets: whatever gathered while the last round trip was on its way goes into the next one, as
// one statement. So a get alone costs one round trip, and many at once share it.
//
// Linearizable: a round trip that answers a get begins after the get.
#pragma once

#include "adapters/postgres/call_queue.h"
#include "adapters/postgres/slot.h"
#include "core/record.h"

namespace armazem::pg {

struct GetCall : PendingCall<std::optional<Record>> {
  GetCall(net::IoLoop& loop, std::string_view wanted, Deadline deadline) noexcept
      : PendingCall(loop, deadline), key(wanted) {}
  std::string_view key;
  int attempts = 0;
};
using GetQueue = CallQueue<GetCall>;

class ReadSlot final : public Slot {
 public:
  ReadSlot(SlotOwner& owner, Connector& connector, Sweeper& sweeper, net::IoLoop& loop, std::size_t number,
           GetQueue& queue, Counters& counters, MonotonicClock::duration patience)
      : Slot(owner, connector, sweeper, loop, number), queue_(queue), counters_(counters), patience_(patience) {}

  // Fails the calls on their way, and does not wait for their answers.
  void abandon(const Error& why);

 private:
  struct Passenger {
    std::string_view key;  // in `keys_`: a call that ended by its deadline takes its own key away
    GetCall* call = nullptr;  // null when it ended before the answer came
  };

  Task<void> serve() override;
  void sweep_calls(MonotonicTime now) override;
  Task<void> fly();
  void board();
  void answer(const PgResult& rows);
  void fail_or_repeat(const Failure& failure);

  GetQueue& queue_;
  Counters& counters_;
  const MonotonicClock::duration patience_;  // for one round trip
  std::vector<Passenger> passengers_;  // in key order
  std::string keys_;  // as the parameter of the statement
  std::size_t row_bytes_ = 1024;  // of late
};

}  // namespace armazem::pg
