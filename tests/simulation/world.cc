#include "simulation/world.h"

#include <algorithm>
#include <cstdio>

namespace armazem::sim {

void Process::post(std::coroutine_handle<> resume) { post_all({&resume, 1}); }

// Loops of one server are threads of their own, so what is posted at one moment may run in any order.
void Process::post_all(std::span<const std::coroutine_handle<>> resume) {
  for (const auto handle : resume) world_.resume(world_.now() + world_.random.below(3), *this, handle, false);
}

void Process::post_at(MonotonicTime time, std::coroutine_handle<> resume) {
  const Microseconds at = World::since_begin(time);
  world_.resume(std::max(at, world_.now()) + world_.random.below(200), *this, resume, true);
}

bool Process::running_here() const noexcept { return world_.current() == this; }

std::uint64_t Process::wall_ms() const noexcept {
  return wall_begin_ms + static_cast<std::uint64_t>(static_cast<std::int64_t>(world_.now() / 1000) + clock_ahead_ms_);
}

MonotonicTime Process::now() const noexcept { return World::at(world_.now()); }

Microseconds World::since_begin(MonotonicTime time) noexcept {
  if (time <= monotonic_begin) return 0;
  return static_cast<Microseconds>(std::chrono::ceil<std::chrono::microseconds>(time - monotonic_begin).count());
}

void World::push(Microseconds time, Process* owner, Action* action, std::coroutine_handle<> handle, bool timer) {
  const std::uint64_t order = (random.next() >> 40 << 40) | sequence_++;
  queue_.push_back({time, order, owner, action, handle, timer});
  std::push_heap(queue_.begin(), queue_.end());
}

bool World::step(Microseconds end) {
  if (queue_.empty() || queue_.front().time > end) {
    now_ = std::max(now_, end);
    return false;
  }
  std::pop_heap(queue_.begin(), queue_.end());
  Event event = queue_.back();
  queue_.pop_back();
  now_ = std::max(now_, event.time);
  if (event.owner != nullptr) {
    if (!event.owner->alive_) return true;
    if (event.owner->paused_until_ > now_) {
      push(event.owner->paused_until_ + random.below(50), event.owner, event.action, event.handle, event.timer);
      return true;
    }
    if (!event.timer && ++event.owner->steps_ == event.owner->crash_at_step_) {
      on_crash(on_crash_context, *event.owner);
      return true;
    }
  }
  run(event);
  return true;
}

void World::run(Event& event) {
  ++events_;
  mix(now_);
  mix(event.order);
  current_ = event.owner;
  if (event.action != nullptr) {
    event.action->run();
    delete event.action;
  } else {
    event.handle.resume();
  }
  current_ = nullptr;
}

void World::trace(const std::string& text) const {
  std::printf("%10.3f ms  %-9s %s\n", static_cast<double>(now_) / 1000, current_ == nullptr ? "" : current_->name().c_str(),
              text.c_str());
}

}  // namespace armazem::sim
