#include "cli/load_run.h"

#include <algorithm>
#include <optional>

#include "cli/alarm_clock.h"
#include "core/task_scope.h"

namespace armazem::cli {
namespace {

// After a failed connection or a lost one: a server that is gone is not asked as fast as it can refuse.
constexpr std::chrono::milliseconds pause_first{10};
constexpr std::chrono::milliseconds pause_max{1'000};

}  // namespace

// The part of a run that lives on one loop.
class LoopLoad final : private Sweepable {
 public:
  LoopLoad(LoadRun& run, net::IoLoop& loop, std::size_t number)
      : run_(run), loop_(loop), number_(number), sweeper_(run.time_) {}

  [[nodiscard]] MonotonicTime last_answer() const noexcept { return last_answer_; }  // when the run has ended
  // From any thread; the last thing that it does is to count itself out.
  Task<void> work();

 private:
  Task<void> send_all();
  Task<void> connection(std::size_t number);
  void record(const RequestMaker::Made& made, MonotonicTime intended, const Result<void>& done, bool timed_out,
              const HttpAnswer& answer);
  MonotonicTime after_failure(int failures, Random& jitter) const;
  void sweep(MonotonicTime now) override;
  void hand_over(MonotonicTime now);

  LoadRun& run_;
  net::IoLoop& loop_;
  const std::size_t number_;
  Sweeper sweeper_;
  std::optional<AlarmClock> clock_;  // while it works: it may only be destroyed on its loop
  Stats stats_;
  std::size_t interval_ = 0;
  MonotonicTime last_answer_{};
  bool stopped_ = false;
};

Task<void> LoopLoad::work() {
  co_await resume_on(loop_);
  clock_.emplace(loop_);
  sweeper_.add(*this);
  TaskScope sweeping(loop_);
  sweeping.spawn(sweeper_.run());
  co_await send_all();
  sweeper_.finish();
  auto swept = sweeping.join();
  co_await swept;
  sweeper_.remove(*this);
  clock_.reset();
  hand_over(run_.time_.now());
  run_.collector_.finish(number_);
  run_.running_.fetch_sub(1, std::memory_order_acq_rel);
}

Task<void> LoopLoad::send_all() {
  TaskScope sending(loop_);
  for (std::size_t i = number_; i < run_.options_.connections; i += run_.parts_.size()) sending.spawn(connection(i));
  auto sent = sending.join();
  co_await sent;
}

Task<void> LoopLoad::connection(std::size_t number) {
  const BenchOptions& options = run_.options_;
  const auto later =
      options.ramp_up * static_cast<std::int64_t>(number) / static_cast<std::int64_t>(options.connections);
  auto turn = clock_->until(std::min(run_.schedule_.begin() + later, run_.schedule_.end()));
  bool go = co_await turn;
  HttpClient client(loop_, sweeper_, run_.endpoint_);
  RequestMaker maker(options, number, run_.work_);
  HttpAnswer answer;
  Random jitter(number);
  int failures = 0;
  for (std::uint64_t sent = 0; go && (options.loops == 0 || sent < options.loops); ++sent) {
    MonotonicTime now = run_.time_.now();
    const auto intended = run_.schedule_.take(now);
    if (!intended) break;
    if (*intended > now) {
      auto start = clock_->until(*intended);
      go = co_await start;
      if (!go) break;
      now = run_.time_.now();
    }
    const RequestMaker::Made made = maker.next();
    const Result<void> done = co_await client.exchange(made.request, Deadline::after(now, options.timeout), answer);
    record(made, *intended, done, client.timed_out(), answer);
    if (done) {
      maker.answered(answer);
      failures = 0;
    } else {
      auto pause = clock_->until(after_failure(++failures, jitter));
      go = co_await pause;
    }
  }
}

void LoopLoad::record(const RequestMaker::Made& made, MonotonicTime intended, const Result<void>& done, bool timed_out,
                      const HttpAnswer& answer) {
  const MonotonicTime now = run_.time_.now();
  if (intended < run_.schedule_.measured()) return;
  if (timed_out && stopped_) return;  // cut off by us: that says nothing about the server
  last_answer_ = now;
  if (done) {
    stats_.answered(made.operation, answer, now - intended);
  } else {
    stats_.failed(made.operation, done.error().message, timed_out, now - intended);
  }
}

MonotonicTime LoopLoad::after_failure(int failures, Random& jitter) const {
  const auto full = std::min(pause_max, pause_first * (1 << std::min(failures - 1, 10)));
  return run_.time_.now() + full / 2 +
         std::chrono::milliseconds(jitter.below(static_cast<std::uint64_t>(full.count()) / 2 + 1));
}

void LoopLoad::sweep(MonotonicTime now) {
  if (!stopped_ && run_.cut_at_.load(std::memory_order_acquire) != MonotonicTime::max()) {
    stopped_ = true;
    clock_->cancel();
    sweeper_.stop_waiting_at(run_.cut_at_.load(std::memory_order_acquire));
  }
  if (now >= run_.schedule_.measured() + interval_length * static_cast<std::int64_t>(interval_ + 1)) hand_over(now);
}

// A late look makes an interval longer; its rate is computed from its real length.
void LoopLoad::hand_over(MonotonicTime now) {
  run_.collector_.hand_over(number_, interval_, stats_, now);
  const auto passed = std::max(now - run_.schedule_.measured(), MonotonicClock::duration::zero());
  interval_ = std::max(interval_ + 1, static_cast<std::size_t>(passed / interval_length));
  stats_.clear();
}

LoadRun::LoadRun(const BenchOptions& options, const Endpoint& endpoint, net::LoopGroup& loops, const TimeSource& time)
    : options_(options),
      endpoint_(endpoint),
      time_(time),
      work_(options),
      schedule_(options, time.now()),
      collector_(loops.size(), schedule_.measured()),
      running_(loops.size()) {
  for (std::size_t i = 0; i < loops.size(); ++i) parts_.push_back(std::make_unique<LoopLoad>(*this, loops[i], i));
  for (std::size_t i = 0; i < loops.size(); ++i) start_root(loops[i], parts_[i]->work());
}

LoadRun::~LoadRun() { ARMAZEM_ASSERT(ended()); }

void LoadRun::stop(std::chrono::milliseconds grace) {
  schedule_.stop(time_.now());
  cut_at_.store(time_.now() + grace, std::memory_order_release);
}

double LoadRun::measured_seconds() const {
  MonotonicTime last = schedule_.measured();
  for (const auto& part : parts_) last = std::max(last, part->last_answer());
  return std::chrono::duration<double>(last - schedule_.measured()).count();
}

}  // namespace armazem::cli
