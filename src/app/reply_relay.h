// Passes replies on to the enqueuer, which can only be made after the publisher that they come from.
//
// Thread rule: any thread. `aim` returns when no call to the former target is under way.
#pragma once

#include <span>

#include "core/mutex.h"
#include "ports/queue.h"

namespace armazem {

class ReplyRelay final : public ReplySink {
 public:
  void aim(ReplySink* target) {
    const MutexLock lock(mutex_);
    target_ = target;
  }
  void on_replies(std::span<const Reply> replies) override {
    const MutexLock lock(mutex_);
    if (target_ != nullptr) target_->on_replies(replies);
  }
  void on_replies_lost() override {
    const MutexLock lock(mutex_);
    if (target_ != nullptr) target_->on_replies_lost();
  }

 private:
  Mutex mutex_;
  ReplySink* target_ GUARDED_BY(mutex_) = nullptr;
};

}  // namespace armazem
