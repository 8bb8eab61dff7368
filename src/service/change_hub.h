// One reader of the store's change log for all watchers of a server.
//
// While somebody watches, the hub reads what is new in the log and keeps the last of it in memory, already in the form in
// which watchers are sent it, so a change is read and rendered once however many look at it. A watcher has no queue of its
// own: it is a position. One that falls behind what is in memory reads the log itself until it has caught up, and one that
// falls behind the log is told that something is lost. So a slow reader costs one piece of text.
//
// Every change that matches is told once and in the order of the log (ports/changes.h), whatever restarts in between, as
// long as the watcher comes back with the position it was told last.
//
// Thread rule: `expire`, `figures` and the construction of a Watch from any thread; a Watch's methods on the executor of
// whoever awaits `next`.
#pragma once

#include <boost/intrusive/list.hpp>

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/mutex.h"
#include "core/task.h"
#include "core/time_source.h"
#include "ports/changes.h"
#include "service/waiters.h"

namespace armazem {

// Which keys somebody watches: one, or all that begin with a prefix.
struct ChangeFilter {
  enum class By : std::uint8_t { prefix, key };
  By by = By::prefix;
  std::string text;

  [[nodiscard]] bool matches(std::string_view key) const noexcept {
    return by == By::key ? key == text : key.starts_with(text);
  }
};

struct ChangeHubOptions {
  std::chrono::milliseconds poll_interval{20};    // of a log without news
  std::chrono::milliseconds retry_interval{500};  // of a log that cannot be read
  std::chrono::milliseconds read_timeout{5'000};
  std::chrono::milliseconds heartbeat{15'000};
  std::size_t kept_bytes_max = std::size_t{32} << 20;  // in memory, for all watchers together
  std::size_t piece_bytes = std::size_t{256} << 10;    // a piece ends after the change that reaches it
};

// A change as its watchers are sent it. `log_id` names the log.
using RenderChange = std::function<std::string(std::string_view log_id, const Change& change)>;

class Watch;
using WatchLink = boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::safe_link>>;
using WaitingWatches = boost::intrusive::list<Watch, boost::intrusive::base_hook<WatchLink>,
                                              boost::intrusive::constant_time_size<false>>;

class ChangeHub {
 public:
  // The log, `executor` (which runs the loop that reads) and `time` must outlive the hub, the hub its watches.
  ChangeHub(ChangeLog& log, Executor& executor, const TimeSource& time, RenderChange render, ChangeHubOptions options = {});
  ChangeHub(const ChangeHub&) = delete;
  ChangeHub& operator=(const ChangeHub&) = delete;
  // Closes if that has not been done.
  ~ChangeHub();

  // Name of the log and its newest position, as of now.
  Task<Result<ChangeLogState>> state();

  // Wakes watchers whose heartbeat is due. To be called a few times per second.
  void expire(MonotonicTime now);

  // Ends the loop and returns when that has happened. No watch may be left. Not on the executor.
  void close();

  struct Figures {
    std::size_t watchers = 0;
    std::uint64_t changes = 0;   // read from the log
    std::uint64_t told = 0;      // of them, over all watchers
    std::uint64_t behind = 0;    // reads of the log for one watcher alone
    std::uint64_t lost = 0;      // watchers that were told of a loss
    std::uint64_t failures = 0;  // reads of the log that failed
  };
  [[nodiscard]] Figures figures() const;

 private:
  friend class Watch;
  struct Rendered {
    std::uint64_t position = 0;
    std::string key;
    std::string text;
  };
  // What one read of the log told: everything behind `after`, up to `next`.
  struct Batch {
    std::uint64_t after = 0;
    std::uint64_t next = 0;
    std::size_t bytes = 0;
    std::vector<Rendered> changes;
  };
  using Batches = std::vector<std::shared_ptr<const Batch>>;
  struct Look {
    bool behind = false;  // memory does not reach back so far
    bool ahead = false;   // nobody here has seen this position yet
    Batches batches;      // what lies behind the position; empty: nothing new
  };
  struct Idle;
  struct Wait;

  Task<void> run();
  Task<bool> read_on();  // false: nothing more to read just now
  Task<bool> begin();
  void keep(const std::shared_ptr<const Batch>& batch);
  [[nodiscard]] Look look(std::uint64_t after) const;
  void begin_at(std::uint64_t position);
  void enter();
  void leave();
  void wake(Watch& watch, std::vector<WaitingCoroutine*>& woken) REQUIRES(mutex_);
  [[nodiscard]] bool concerns(const Batch& batch, Watch& watch) const REQUIRES(mutex_);

  ChangeLog& log_;
  Executor& executor_;
  const TimeSource& time_;
  const RenderChange render_;
  const ChangeHubOptions options_;
  std::string log_id_;  // of the loop

  mutable Mutex mutex_;
  std::deque<std::shared_ptr<const Batch>> kept_ GUARDED_BY(mutex_);
  std::size_t kept_bytes_ GUARDED_BY(mutex_) = 0;
  bool reading_ GUARDED_BY(mutex_) = false;  // `end_` means something
  std::uint64_t end_ GUARDED_BY(mutex_) = 0;  // everything up to here was told or is in `kept_`
  WaitingWatches waiting_ GUARDED_BY(mutex_);
  std::coroutine_handle<> idle_ GUARDED_BY(mutex_);
  bool closing_ GUARDED_BY(mutex_) = false;
  bool ended_ GUARDED_BY(mutex_) = false;
  Figures figures_ GUARDED_BY(mutex_);
  ConditionVariable ended_signal_;
};

// One watcher. Destroyed only while no `next` runs.
class Watch : public WatchLink {
 public:
  // Tells what lies behind `after`.
  Watch(ChangeHub& hub, ChangeFilter filter, std::uint64_t after);
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;
  ~Watch();

  struct News {
    enum class Kind : std::uint8_t { changes, heartbeat, lost, stopped };
    Kind kind = Kind::stopped;
    std::string text;  // of changes: at least one
  };
  // Waits for changes that match, for the time of a heartbeat, or for `stop`. After `lost` it goes on from the newest
  // position: what lies between is unknown, and the watcher should read the state of its keys anew.
  Task<News> next();

  // Where to go on after what was told.
  [[nodiscard]] std::uint64_t position() const noexcept { return after_; }

  // From the executor of whoever awaits `next`; resumes nothing before it returns.
  void stop() noexcept;

 private:
  friend class ChangeHub;

  Task<News> read_log();  // `heartbeat` when it told nothing that matches
  void gather(const ChangeHub::Batches& batches, std::string& text);

  ChangeHub& hub_;
  const ChangeFilter filter_;
  std::uint64_t after_;  // while this waits: guarded by the hub's mutex
  bool stopped_ = false;
  bool known_ = false;  // the log has said that there is such a position
  MonotonicTime due_;  // of the next heartbeat, or of the next try to read
  WaitingCoroutine waiter_;
};

}  // namespace armazem
