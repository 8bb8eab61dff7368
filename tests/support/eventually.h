// Waiting in a test for what happens on another thread: looks again and again until a deadline.
#pragma once

#include <chrono>
#include <thread>

#include "core/deadline.h"

namespace armazem::test {

// True as soon as `holds()`; false when it did not within the time.
template <class Holds>
bool eventually(Holds holds, std::chrono::milliseconds within = std::chrono::seconds(30)) {
  const Deadline deadline = Deadline::after(MonotonicClock::now(), within);
  while (!holds()) {
    if (deadline.expired(MonotonicClock::now())) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

}  // namespace armazem::test
