// Where the loops of one cache meet: the newest view of the cluster, and the wish for a newer one.
//
// Thread rule: any thread. Views are immutable and shared; a loop keeps the one it has until the generation changes.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "adapters/redis/topology.h"
#include "core/mutex.h"
#include "ports/cache.h"

namespace armazem::redis {

class ViewBoard {
 public:
  [[nodiscard]] std::uint64_t generation() const noexcept { return generation_.load(std::memory_order_acquire); }
  [[nodiscard]] std::shared_ptr<const Topology> view() const {
    const MutexLock lock(mutex_);
    return view_;
  }
  void publish(std::shared_ptr<const Topology> view) {
    {
      const MutexLock lock(mutex_);
      view_ = std::move(view);
    }
    generation_.fetch_add(1, std::memory_order_release);
  }

  void want_refresh() noexcept { wanted_.store(true, std::memory_order_relaxed); }
  [[nodiscard]] bool refresh_wanted() const noexcept { return wanted_.load(std::memory_order_relaxed); }
  // Taken back as a round begins, so that a wish during the round leads to another one.
  void refresh_begins() noexcept {
    begun_.fetch_add(1, std::memory_order_release);
    wanted_.store(false, std::memory_order_relaxed);
  }
  void refresh_ended() noexcept { rounds_.fetch_add(1, std::memory_order_release); }
  // Rounds that have ended, with or without a view.
  [[nodiscard]] std::uint64_t rounds() const noexcept { return rounds_.load(std::memory_order_acquire); }
  [[nodiscard]] std::uint64_t rounds_begun() const noexcept { return begun_.load(std::memory_order_acquire); }

  // The user may not run what the cache needs: no node is at fault and nothing mends it but an administrator.
  void deny(const std::string& why) {
    const MutexLock lock(mutex_);
    denied_ = why;
    is_denied_.store(true, std::memory_order_relaxed);
  }
  void allow() noexcept {
    if (is_denied_.load(std::memory_order_relaxed)) is_denied_.store(false, std::memory_order_relaxed);
  }
  [[nodiscard]] std::string denied() const {
    if (!is_denied_.load(std::memory_order_relaxed)) return {};
    const MutexLock lock(mutex_);
    return denied_;
  }

  void set_health(CacheHealth health) {
    const MutexLock lock(mutex_);
    health_ = std::move(health);
  }
  [[nodiscard]] CacheHealth health() const {
    const MutexLock lock(mutex_);
    return health_;
  }

 private:
  std::atomic<std::uint64_t> generation_{0};
  std::atomic<std::uint64_t> begun_{0};
  std::atomic<std::uint64_t> rounds_{0};
  std::atomic<bool> wanted_{true};
  std::atomic<bool> is_denied_{false};
  mutable Mutex mutex_;
  std::string denied_ GUARDED_BY(mutex_);
  std::shared_ptr<const Topology> view_ GUARDED_BY(mutex_);
  CacheHealth health_ GUARDED_BY(mutex_){false, "no node has answered yet"};
};

}  // namespace armazem::redis
