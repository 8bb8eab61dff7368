// The simulated world: one queue of events, one clock, one source of chance, one thread. Nothing in it waits for real time.
//
// An event belongs to a process, or to nobody (a server of the world, the network). Those of a process that has crashed are
// dropped; those of a paused one wait until it goes on.
#pragma once

#include <coroutine>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/executor.h"
#include "core/time_source.h"
#include "simulation/coverage.h"
#include "simulation/random.h"

namespace armazem::sim {

using Microseconds = std::uint64_t;  // since the world began, or of a span

inline constexpr std::uint64_t wall_begin_ms = 1'700'000'000'000;
// Far from zero, so that deadlines of the past have room.
inline constexpr MonotonicTime monotonic_begin{std::chrono::hours(1)};

class World;

// One life of one process: its executor, its clocks. After a crash a new one begins.
class Process final : public Executor, public TimeSource {
 public:
  Process(World& world, std::string name) : world_(world), name_(std::move(name)) {}

  void post(std::coroutine_handle<> resume) override;
  void post_all(std::span<const std::coroutine_handle<>> resume) override;
  void post_at(MonotonicTime time, std::coroutine_handle<> resume) override;
  [[nodiscard]] bool running_here() const noexcept override;

  [[nodiscard]] std::uint64_t wall_ms() const noexcept override;
  [[nodiscard]] MonotonicTime now() const noexcept override;

  // Nothing of it runs ever again.
  void kill() noexcept { alive_ = false; }
  [[nodiscard]] bool alive() const noexcept { return alive_; }
  void pause_until(Microseconds time) noexcept { paused_until_ = time; }
  void step_clock(std::int64_t by_ms) noexcept { clock_ahead_ms_ += by_ms; }
  void set_clock(std::int64_t ahead_ms) noexcept { clock_ahead_ms_ = ahead_ms; }
  [[nodiscard]] std::int64_t clock_ahead_ms() const noexcept { return clock_ahead_ms_; }
  // It dies instead of taking its step of that number; steps are the ends of its waits, timers not counted.
  void crash_at_step(std::uint64_t step) noexcept { crash_at_step_ = step; }
  [[nodiscard]] std::uint64_t steps() const noexcept { return steps_; }
  [[nodiscard]] const std::string& name() const noexcept { return name_; }

 private:
  friend class World;
  World& world_;
  const std::string name_;
  bool alive_ = true;
  Microseconds paused_until_ = 0;
  std::int64_t clock_ahead_ms_ = 0;
  std::uint64_t steps_ = 0;
  std::uint64_t crash_at_step_ = UINT64_MAX;
};

class World {
 public:
  World(std::uint64_t seed, Coverage& coverage, bool trace) : random(Random(seed).stream(1)), coverage_(coverage), trace_(trace) {}
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  [[nodiscard]] Microseconds now() const noexcept { return now_; }
  [[nodiscard]] static MonotonicTime at(Microseconds time) noexcept { return monotonic_begin + std::chrono::microseconds(time); }
  [[nodiscard]] static Microseconds since_begin(MonotonicTime time) noexcept;
  [[nodiscard]] Process* current() const noexcept { return current_; }

  // Calls `action` then, or never if `owner` has died by then.
  template <class Action>
  void schedule(Microseconds time, Process* owner, Action action) {
    push(time, owner, new Held<Action>(std::move(action)), nullptr, false);
  }
  template <class Action>
  void after(Microseconds span, Process* owner, Action action) {
    schedule(now_ + span, owner, std::move(action));
  }
  void resume(Microseconds time, Process& owner, std::coroutine_handle<> handle, bool timer) {
    push(time, &owner, nullptr, handle, timer);
  }
  // In the name of a process, now.
  template <class Action>
  void run_as(Process& process, Action action) {
    Process* const before = std::exchange(current_, &process);
    action();
    current_ = before;
  }

  // Takes events until `done()` or until that time; false when the time came first.
  template <class Done>
  bool run_until(Microseconds time, Done done) {
    while (!done()) {
      if (!step(time)) return false;
    }
    return true;
  }

  void count(Seen what, std::uint64_t times = 1) noexcept { coverage_.add(what, times); }
  [[nodiscard]] bool tracing() const noexcept { return trace_; }
  // One line, with the time and who runs.
  void trace(const std::string& text) const;
  // A number over every step taken so far: two runs are the same when it is.
  [[nodiscard]] std::uint64_t digest() const noexcept { return digest_; }
  void mix(std::uint64_t number) noexcept { digest_ = (digest_ ^ number) * 0x100000001B3; }
  [[nodiscard]] std::uint64_t events() const noexcept { return events_; }

  // Called with a process that dies at its step; set by whoever can start it again.
  void (*on_crash)(void* context, Process& process) = nullptr;
  void* on_crash_context = nullptr;

  Random random;

 private:
  struct Action {
    virtual ~Action() = default;
    virtual void run() = 0;
  };
  template <class F>
  struct Held final : Action {
    explicit Held(F f) : held(std::move(f)) {}
    void run() override { held(); }
    F held;
  };
  struct Event {
    Microseconds time;
    std::uint64_t order;  // chance, then sequence
    Process* owner;
    Action* action;
    std::coroutine_handle<> handle;
    bool timer;
    bool operator<(const Event& other) const noexcept {  // for a heap with the earliest on top
      return time != other.time ? time > other.time : order > other.order;
    }
  };

  void push(Microseconds time, Process* owner, Action* action, std::coroutine_handle<> handle, bool timer);
  bool step(Microseconds end);
  void run(Event& event);

  Coverage& coverage_;
  const bool trace_;
  Microseconds now_ = 0;
  std::vector<Event> queue_;
  std::uint64_t sequence_ = 0;
  std::uint64_t digest_ = 0xCBF29CE484222325;
  std::uint64_t events_ = 0;
  Process* current_ = nullptr;
};

// What a coroutine of a process waits for from outside: an answer, or its deadline, whichever comes first. Lives until the
// end of the run, because either may come late.
template <class T>
class Rpc {
 public:
  Rpc(World& world, Process& process) : world_(world), process_(process) {}

  void finish(T result) {
    if (done_) return;
    done_ = true;
    result_ = std::move(result);
    if (waiting_) world_.resume(world_.now(), process_, waiting_, false);
  }
  [[nodiscard]] bool done() const noexcept { return done_; }

  bool await_ready() const noexcept { return false; }  // an answer always comes back through the loop
  void await_suspend(std::coroutine_handle<> handle) {
    waiting_ = handle;
    if (done_) world_.resume(world_.now(), process_, handle, false);
  }
  T await_resume() { return std::move(result_); }

 private:
  World& world_;
  Process& process_;
  bool done_ = false;
  T result_{};
  std::coroutine_handle<> waiting_;
};

}  // namespace armazem::sim
