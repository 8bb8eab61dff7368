// A shared bound on bytes in memory. Thread rule: any thread.
#pragma once

#include <atomic>
#include <cstddef>
#include <utility>

namespace armazem::http {

class ByteBudget {
 public:
  explicit ByteBudget(std::size_t bytes_max) noexcept : bytes_max_(bytes_max) {}

  [[nodiscard]] std::size_t used() const noexcept { return used_.load(std::memory_order_relaxed); }

  // What one request holds; gives it back at the end of its life.
  class [[nodiscard]] Share {
   public:
    explicit Share(ByteBudget& budget) noexcept : budget_(budget) {}
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;
    ~Share() { release(); }

    // Makes the share at least that large; false when the budget does not allow it, and then the share stays as it was.
    [[nodiscard]] bool grow_to(std::size_t bytes) noexcept {
      if (bytes <= held_) return true;
      const std::size_t more = bytes - held_;
      if (more > budget_.bytes_max_) return false;  // so that the sum cannot overflow
      const std::size_t before = budget_.used_.fetch_add(more, std::memory_order_relaxed);
      if (before + more > budget_.bytes_max_) {
        budget_.used_.fetch_sub(more, std::memory_order_relaxed);
        return false;
      }
      held_ = bytes;
      return true;
    }
    // Touches the shared counter only when something is held: most requests have no body.
    void release() noexcept {
      if (held_ > 0) budget_.used_.fetch_sub(std::exchange(held_, 0), std::memory_order_relaxed);
    }

   private:
    ByteBudget& budget_;
    std::size_t held_ = 0;
  };

 private:
  const std::size_t bytes_max_;
  std::atomic<std::size_t> used_{0};
};

}  // namespace armazem::http
