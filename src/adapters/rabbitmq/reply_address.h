// Where replies to what is published now will come: the name of the reply queue, while there is one.
//
// Thread rule: any thread.
#pragma once

#include <string>
#include <utility>

#include "core/mutex.h"

namespace armazem::rabbit {

class ReplyAddress {
 public:
  // For a message that is about to be sent; empty: nobody will hear of it.
  [[nodiscard]] std::string for_message() {
    const MutexLock lock(mutex_);
    sent_without_ = sent_without_ || address_.empty();
    return address_;
  }
  // True when messages were sent without an address since it was lost: replies to them will never come.
  [[nodiscard]] bool set(std::string address) {
    const MutexLock lock(mutex_);
    address_ = std::move(address);
    return std::exchange(sent_without_, false);
  }
  // True when there was an address.
  bool clear() {
    const MutexLock lock(mutex_);
    return !std::exchange(address_, {}).empty();
  }

 private:
  Mutex mutex_;
  std::string address_ GUARDED_BY(mutex_);
  bool sent_without_ GUARDED_BY(mutex_) = false;
};

}  // namespace armazem::rabbit
