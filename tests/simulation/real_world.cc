// A run must not look at the real world: these take the place of what the standard library would ask, and end the program
// when a run asks. So the same seed is the same run, on every machine.
#include <ctime>

#include <chrono>
#include <memory>
#include <random>
#include <thread>

#include "core/assert.h"
#include "simulation/arena.h"

namespace {

std::chrono::nanoseconds read_clock(clockid_t clock) noexcept {
  const bool simulated_code_asks_for_real_time = armazem::sim::Arena::in_use();
  ARMAZEM_ASSERT(!simulated_code_asks_for_real_time);
  timespec time{};
  ::clock_gettime(clock, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

}  // namespace

namespace std {

namespace chrono {
inline namespace _V2 {
steady_clock::time_point steady_clock::now() noexcept { return time_point(read_clock(CLOCK_MONOTONIC)); }
system_clock::time_point system_clock::now() noexcept { return time_point(read_clock(CLOCK_REALTIME)); }
}  // namespace _V2
}  // namespace chrono

// Nothing in this program has a second thread, nor chance of the machine's.
void thread::_M_start_thread(_State_ptr, void (*)()) {
  const bool a_thread_is_started = true;
  ARMAZEM_ASSERT(!a_thread_is_started);
}
random_device::result_type random_device::_M_getval() {
  const bool chance_of_the_machine_is_asked_for = true;
  ARMAZEM_ASSERT(!chance_of_the_machine_is_asked_for);
  return 0;
}

}  // namespace std
