#include "service/change_hub.h"

#include <algorithm>
#include <utility>

#include "core/task_scope.h"

namespace armazem {

// Suspends the loop while nobody watches.
struct ChangeHub::Idle {
  ChangeHub& hub;
  bool await_ready() const noexcept { return false; }
  bool await_suspend(std::coroutine_handle<> self) const {
    const MutexLock lock(hub.mutex_);
    if (hub.figures_.watchers > 0 || hub.closing_) return false;
    hub.reading_ = false;
    hub.kept_.clear();
    hub.kept_bytes_ = 0;
    hub.idle_ = self;
    return true;
  }
  void await_resume() const noexcept {}
};

// Suspends a watcher until there is news for it, or until `due_`.
struct ChangeHub::Wait {
  Watch& watch;
  bool only_time;  // whatever there is to read: the log could not be read just now
  bool await_ready() const noexcept { return false; }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> self) const {
    ChangeHub& hub = watch.hub_;
    const MutexLock lock(hub.mutex_);
    if (watch.stopped_) return false;
    const bool unknown = watch.after_ > hub.end_ && !watch.known_;
    if (!only_time && hub.reading_ && (watch.after_ < hub.end_ || unknown)) return false;
    watch.waiter_.executor = &self.promise().executor();
    watch.waiter_.handle = self;
    hub.waiting_.push_back(watch);
    return true;
  }
  void await_resume() const noexcept {}
};

ChangeHub::ChangeHub(ChangeLog& log, Executor& executor, const TimeSource& time, RenderChange render,
                     ChangeHubOptions options)
    : log_(log), executor_(executor), time_(time), render_(std::move(render)), options_(options) {
  start_root(executor_, run());
}

ChangeHub::~ChangeHub() { close(); }

Task<Result<ChangeLogState>> ChangeHub::state() {
  return log_.change_log_state(Deadline::after(time_.now(), options_.read_timeout));
}

Task<void> ChangeHub::run() {
  co_await resume_on(executor_);
  while (true) {
    Idle idle{*this};
    co_await idle;
    {
      const MutexLock lock(mutex_);
      if (closing_) break;
    }
    const bool more = co_await read_on();
    if (!more) {
      auto pause = sleep_until(time_.now() + options_.poll_interval);
      co_await pause;
    }
  }
  const MutexLock lock(mutex_);
  ended_ = true;
  ended_signal_.notify_all();
}

Task<bool> ChangeHub::read_on() {
  std::optional<std::uint64_t> after;
  {
    const MutexLock lock(mutex_);
    if (reading_) after = end_;
  }
  if (!after) co_return co_await begin();
  ChangesRequest request;
  request.after = *after;
  request.limit = limits::change_page_max;
  const Deadline deadline = Deadline::after(time_.now(), options_.read_timeout);
  Result<ChangePage> page = co_await log_.read_changes(request, deadline);
  if (!page) {
    {
      const MutexLock lock(mutex_);
      ++figures_.failures;
    }
    auto pause = sleep_until(time_.now() + options_.retry_interval);
    co_await pause;
    co_return false;
  }
  if (page->lost) co_return co_await begin();
  if (page->next == *after) co_return false;
  auto batch = std::make_shared<Batch>();
  batch->after = *after;
  batch->next = page->next;
  batch->changes.reserve(page->changes.size());
  for (Change& change : page->changes) {
    std::string text = render_(log_id_, change);
    batch->bytes += sizeof(Rendered) + change.key.text().size() + text.size();
    batch->changes.push_back({change.position, change.key.text(), std::move(text)});
  }
  const bool full = page->changes.size() >= request.limit;
  keep(batch);
  co_return full;
}

// From the newest position on: what watchers ask for that lies before it, they read themselves.
Task<bool> ChangeHub::begin() {
  const Result<ChangeLogState> found = co_await state();
  if (!found) {
    {
      const MutexLock lock(mutex_);
      ++figures_.failures;
    }
    auto pause = sleep_until(time_.now() + options_.retry_interval);
    co_await pause;
    co_return false;
  }
  log_id_ = found->id;
  begin_at(found->newest);
  co_return false;
}

void ChangeHub::begin_at(std::uint64_t position) {
  std::vector<WaitingCoroutine*> woken;
  {
    const MutexLock lock(mutex_);
    reading_ = true;
    end_ = position;
    kept_.clear();
    kept_bytes_ = 0;
    for (auto next = waiting_.begin(); next != waiting_.end();) {
      Watch& watch = *next++;
      if (watch.after_ != end_) wake(watch, woken);
    }
  }
  resume_all(woken);
}

void ChangeHub::keep(const std::shared_ptr<const Batch>& batch) {
  std::vector<WaitingCoroutine*> woken;
  {
    const MutexLock lock(mutex_);
    figures_.changes += batch->changes.size();
    end_ = batch->next;
    kept_bytes_ += batch->bytes;
    kept_.push_back(batch);
    while (kept_.size() > 1 && kept_bytes_ > options_.kept_bytes_max) {
      kept_bytes_ -= kept_.front()->bytes;
      kept_.pop_front();
    }
    for (auto next = waiting_.begin(); next != waiting_.end();) {
      Watch& watch = *next++;
      if (concerns(*batch, watch)) wake(watch, woken);
    }
  }
  resume_all(woken);
}

// A watcher that waits has seen everything before the batch; one for whom nothing is in it has seen the batch, too.
bool ChangeHub::concerns(const Batch& batch, Watch& watch) const {
  if (watch.after_ < batch.after) return true;
  const auto told = [&](const Rendered& change) {
    return change.position > watch.after_ && watch.filter_.matches(change.key);
  };
  if (std::ranges::any_of(batch.changes, told)) return true;
  watch.after_ = std::max(watch.after_, batch.next);
  return false;
}

void ChangeHub::wake(Watch& watch, std::vector<WaitingCoroutine*>& woken) {
  waiting_.erase(waiting_.iterator_to(watch));
  woken.push_back(&watch.waiter_);
}

ChangeHub::Look ChangeHub::look(std::uint64_t after) const {
  Look found;
  const MutexLock lock(mutex_);
  found.ahead = reading_ && after > end_;
  if (!reading_ || after >= end_) return found;
  if (kept_.empty() || after < kept_.front()->after) {
    found.behind = true;
    return found;
  }
  const auto covers = [&](const auto& batch) { return batch->next <= after; };
  for (auto next = std::ranges::partition_point(kept_, covers); next != kept_.end(); ++next) found.batches.push_back(*next);
  return found;
}

void ChangeHub::enter() {
  std::coroutine_handle<> wake;
  {
    const MutexLock lock(mutex_);
    if (++figures_.watchers == 1) wake = std::exchange(idle_, {});
  }
  if (wake) executor_.post(wake);
}

void ChangeHub::leave() {
  const MutexLock lock(mutex_);
  --figures_.watchers;
}

void ChangeHub::expire(MonotonicTime now) {
  std::vector<WaitingCoroutine*> woken;
  {
    const MutexLock lock(mutex_);
    for (auto next = waiting_.begin(); next != waiting_.end();) {
      Watch& watch = *next++;
      if (watch.due_ <= now) wake(watch, woken);
    }
  }
  resume_all(woken);
}

void ChangeHub::close() {
  std::coroutine_handle<> wake;
  {
    const MutexLock lock(mutex_);
    closing_ = true;
    wake = std::exchange(idle_, {});
  }
  if (wake) executor_.post(wake);
  const MutexLock lock(mutex_);
  while (!ended_) ended_signal_.wait(mutex_);
}

ChangeHub::Figures ChangeHub::figures() const {
  const MutexLock lock(mutex_);
  return figures_;
}

Watch::Watch(ChangeHub& hub, ChangeFilter filter, std::uint64_t after)
    : hub_(hub), filter_(std::move(filter)), after_(after), due_(hub.time_.now() + hub.options_.heartbeat) {
  hub_.enter();
}

Watch::~Watch() { hub_.leave(); }

Task<Watch::News> Watch::next() {
  News news;
  while (!stopped_) {
    const ChangeHub::Look look = hub_.look(after_);
    if (look.behind || (look.ahead && !known_)) {
      news = co_await read_log();
      if (news.kind != News::Kind::heartbeat) break;
      continue;
    }
    gather(look.batches, news.text);
    if (!news.text.empty()) {
      news.kind = News::Kind::changes;
      break;
    }
    if (!look.batches.empty()) continue;
    if (hub_.time_.now() >= due_) {
      news.kind = News::Kind::heartbeat;
      break;
    }
    ChangeHub::Wait wait{*this, false};
    co_await wait;
  }
  if (stopped_) news = News{};
  due_ = hub_.time_.now() + hub_.options_.heartbeat;
  co_return news;
}

void Watch::gather(const ChangeHub::Batches& batches, std::string& text) {
  std::uint64_t told = 0;
  for (const auto& batch : batches) {
    for (const ChangeHub::Rendered& change : batch->changes) {
      if (change.position <= after_ || !filter_.matches(change.key)) continue;
      text.append(change.text);
      ++told;
    }
    after_ = std::max(after_, batch->next);
    if (text.size() >= hub_.options_.piece_bytes) break;
  }
  if (told == 0) return;
  const MutexLock lock(hub_.mutex_);
  hub_.figures_.told += told;
}

Task<Watch::News> Watch::read_log() {
  News news;
  ChangesRequest request;
  request.after = after_;
  request.limit = limits::change_page_max;
  request.bytes_max = hub_.options_.piece_bytes;
  const Deadline deadline = Deadline::after(hub_.time_.now(), hub_.options_.read_timeout);
  const Result<ChangePage> page = co_await hub_.log_.read_changes(request, deadline);
  const Result<ChangeLogState> state = co_await hub_.state();
  if (!page || !state) {
    due_ = hub_.time_.now() + hub_.options_.retry_interval;
    {
      const MutexLock lock(hub_.mutex_);
      ++hub_.figures_.failures;
    }
    ChangeHub::Wait wait{*this, true};
    co_await wait;
    news.kind = News::Kind::heartbeat;
    co_return news;
  }
  // A position is missing that may still come: to ask again at once would only keep the store busy.
  if (!page->lost && page->next == after_) {
    known_ = true;
    due_ = hub_.time_.now() + hub_.options_.poll_interval;
    ChangeHub::Wait wait{*this, true};
    co_await wait;
    news.kind = News::Kind::heartbeat;
    co_return news;
  }
  news.kind = page->lost ? News::Kind::lost : News::Kind::heartbeat;
  after_ = page->lost ? state->newest : page->next;
  known_ = true;
  std::uint64_t told = 0;
  for (const Change& change : page->changes) {
    if (!filter_.matches(change.key.text())) continue;
    news.text.append(hub_.render_(state->id, change));
    ++told;
  }
  if (told > 0) news.kind = News::Kind::changes;
  const MutexLock lock(hub_.mutex_);
  ++hub_.figures_.behind;
  hub_.figures_.told += told;
  if (page->lost) ++hub_.figures_.lost;
  co_return news;
}

void Watch::stop() noexcept {
  std::coroutine_handle<> wake;
  {
    const MutexLock lock(hub_.mutex_);
    stopped_ = true;
    if (!is_linked()) return;
    hub_.waiting_.erase(hub_.waiting_.iterator_to(*this));
    wake = waiter_.handle;
  }
  waiter_.executor->post(wake);
}

}  // namespace armazem
