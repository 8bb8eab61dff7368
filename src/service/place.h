// One of a limited number of calls that may be under way at once; given back however the call ends.
//
// Thread rule: any thread.
#pragma once

#include <atomic>
#include <cstddef>

namespace armazem {

class Place {
 public:
  explicit Place(std::atomic<std::size_t>& taken) noexcept
      : taken_(taken), before_(taken.fetch_add(1, std::memory_order_relaxed)) {}
  ~Place() { taken_.fetch_sub(1, std::memory_order_relaxed); }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  // Calls that were under way already.
  [[nodiscard]] std::size_t before() const noexcept { return before_; }

 private:
  std::atomic<std::size_t>& taken_;
  const std::size_t before_;
};

}  // namespace armazem
