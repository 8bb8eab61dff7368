// Many readers that miss the same key at the same time share one read of the store.
//
// Only for reads that may be as old as the one they join: it may have begun before them.
// Thread rule: any thread.
#pragma once

#include <algorithm>
#include <array>
#include <coroutine>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/key.h"
#include "core/mutex.h"
#include "core/record.h"
#include "core/result.h"
#include "core/task.h"
#include "service/waiters.h"

namespace armazem {

class SingleFlight {
 public:
  using Found = Result<std::optional<Record>>;

  // Runs `load` (a callable that returns Task<Found>), or waits for one of the same key that is under way.
  template <class Load>
  Task<Found> run(const Key& key, Load load) {
    Waiter waiter;
    const Join join{*this, key, waiter};
    const bool leads = co_await join;
    if (!leads) co_return std::move(*waiter.found);
    Found found = fail(ErrorCode::internal, "the read that was joined ended without an answer");
    try {
      found = co_await load();
    } catch (...) {
      finish(key, found);
      throw;
    }
    finish(key, found);
    co_return found;
  }

 private:
  struct Waiter : WaitingCoroutine {
    std::optional<Found> found;
  };
  struct Shard {
    Mutex mutex;
    std::unordered_map<std::string, std::vector<Waiter*>> flights GUARDED_BY(mutex);
  };

  // co_await: true for the one that has to load, at once; false when another has loaded.
  struct Join {
    SingleFlight& flights;
    const Key& key;
    Waiter& waiter;
    bool await_ready() const noexcept { return false; }
    template <class P>
    bool await_suspend(std::coroutine_handle<P> handle) const {
      waiter.executor = &handle.promise().executor();
      waiter.handle = handle;
      Shard& shard = flights.shard_of(key);
      const MutexLock lock(shard.mutex);
      const auto [flight, leads] = shard.flights.try_emplace(key.text());
      if (leads) {
        waiter.found = std::nullopt;
        waiter.handle = nullptr;
        return false;
      }
      flight->second.push_back(&waiter);
      return true;
    }
    bool await_resume() const noexcept { return waiter.handle == nullptr; }
  };

  Shard& shard_of(const Key& key) noexcept { return shards_[std::hash<std::string>{}(key.text()) % shards_.size()]; }

  void finish(const Key& key, const Found& found) {
    std::vector<Waiter*> waiters;
    Shard& shard = shard_of(key);
    {
      const MutexLock lock(shard.mutex);
      const auto flight = shard.flights.find(key.text());
      waiters.swap(flight->second);
      shard.flights.erase(flight);
    }
    for (Waiter* waiter : waiters) waiter->found = found;
    resume_all(waiters);
  }

  std::array<Shard, 16> shards_;
};

}  // namespace armazem
