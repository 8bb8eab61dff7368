// Histories written by hand: one line per operation, times and values as small numbers.
#pragma once

#include <utility>

#include "checker/check.h"

namespace armazem::checker {

// Version number `tick` of op `op`; tests say which writes are the same operation by giving `op`.
inline Version version_of(std::uint64_t tick, std::uint64_t op = 0) {
  return Version::make(Tick(tick), OpId(op == 0 ? tick : op));
}

// Calls return the event, so that a test may change what is special about it.
class HistoryBuilder {
 public:
  // An applied put of `value` under version number `tick` from `invoked` to `returned`.
  Event& put(std::uint64_t invoked, std::uint64_t returned, std::uint64_t value, std::uint64_t tick,
             std::uint16_t status = 0) {
    return write(Kind::put, invoked, returned, value, tick, status);
  }
  Event& remove(std::uint64_t invoked, std::uint64_t returned, std::uint64_t tick, std::uint16_t status = 0) {
    return write(Kind::remove, invoked, returned, 0, tick, status);
  }
  // A put that was not answered.
  Event& lost_put(std::uint64_t invoked, std::uint64_t value) {
    Event& event = write(Kind::put, invoked, never_returned, value, 0, 0);
    event.outcome = Outcome::unknown;
    return event;
  }
  Event& lost_remove(std::uint64_t invoked) {
    Event& event = write(Kind::remove, invoked, never_returned, 0, 0, 0);
    event.outcome = Outcome::unknown;
    return event;
  }
  Event& accepted(std::uint64_t invoked, std::uint64_t returned, std::uint64_t value, std::uint64_t tick) {
    Event& event = write(Kind::put, invoked, returned, value, tick, 202);
    event.outcome = Outcome::accepted;
    return event;
  }
  Event& refused(std::uint64_t invoked, std::uint64_t returned, std::uint64_t value) {
    Event& event = write(Kind::put, invoked, returned, value, 0, 503);
    event.outcome = Outcome::failed;
    return event;
  }
  // A put whose condition did not hold; tick: of the version that the answer named.
  Event& condition_failed(std::uint64_t invoked, std::uint64_t returned, std::uint64_t value, std::uint64_t tick = 0) {
    Event& event = write(Kind::put, invoked, returned, value, tick, 412);
    event.outcome = Outcome::failed;
    event.conditional = true;
    return event;
  }
  Event& strong(std::uint64_t invoked, std::uint64_t returned, std::uint64_t value, std::uint64_t tick = 0) {
    return get(Level::strong, invoked, returned, value, tick);
  }
  Event& cached(std::uint64_t invoked, std::uint64_t returned, std::uint64_t value, std::uint64_t tick = 0) {
    return get(Level::cached, invoked, returned, value, tick);
  }
  Event& session(std::uint64_t invoked, std::uint64_t returned, std::uint64_t value, std::uint64_t tick,
                 std::uint64_t asked) {
    Event& event = get(Level::session, invoked, returned, value, tick);
    event.min_version = version_of(asked);
    return event;
  }
  FinalState& end(std::uint64_t value, std::uint64_t tick) {
    FinalState state;
    state.store_value = value;
    if (tick != 0) state.store_version = version_of(tick);
    history.finals.push_back(std::move(state));
    return history.finals.back();
  }

  History history;

 private:
  Event& write(Kind kind, std::uint64_t invoked, std::uint64_t returned, std::uint64_t value, std::uint64_t tick,
               std::uint16_t status) {
    Event event;
    event.kind = kind;
    event.invoked_us = invoked;
    event.returned_us = returned;
    event.value = value;
    if (tick != 0) event.version = version_of(tick);
    event.outcome = Outcome::ok;
    event.status = status;
    return add(event);
  }
  Event& get(Level level, std::uint64_t invoked, std::uint64_t returned, std::uint64_t value, std::uint64_t tick) {
    Event& event = write(Kind::get, invoked, returned, value, tick, value == 0 ? 404 : 200);
    event.level = level;
    return event;
  }
  Event& add(const Event& event) {
    history.events.push_back(event);
    return history.events.back();
  }
};

}  // namespace armazem::checker
