// The bytes of one connection that were received and not yet used. Small while idle, bounded while a request arrives.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>

#include "core/assert.h"

namespace armazem::http {

class ReadBuffer {
 public:
  static constexpr std::size_t idle_capacity = 4096;

  [[nodiscard]] std::string_view unread() const noexcept { return {data_.get() + begin_, end_ - begin_}; }

  // Room for at least one more byte; doubles when full. Moves what is unread, so views into it end here.
  [[nodiscard]] std::span<char> prepare() {
    if (begin_ == end_) begin_ = end_ = 0;
    if (!data_) reallocate(idle_capacity);
    if (end_ == capacity_) {
      if (begin_ > 0) {
        std::memmove(data_.get(), data_.get() + begin_, end_ - begin_);
        end_ -= begin_;
        begin_ = 0;
      } else {
        reallocate(capacity_ * 2);
      }
    }
    return {data_.get() + end_, capacity_ - end_};
  }
  void commit(std::size_t bytes) noexcept { end_ += bytes; }
  void consume(std::size_t bytes) noexcept {
    ARMAZEM_ASSERT(bytes <= end_ - begin_);
    begin_ += bytes;
  }
  // Replaces everything.
  void assign(std::string_view bytes) {
    if (bytes.size() > capacity_) {
      begin_ = end_ = 0;
      reallocate(bytes.size());
    }
    if (!bytes.empty()) std::memcpy(data_.get(), bytes.data(), bytes.size());
    begin_ = 0;
    end_ = bytes.size();
  }
  // Gives memory of an unusually large request back.
  void shrink_when_empty() {
    if (begin_ == end_ && capacity_ > idle_capacity) {
      begin_ = end_ = 0;
      reallocate(idle_capacity);
    }
  }

 private:
  void reallocate(std::size_t capacity) {
    auto fresh = std::unique_ptr<char[]>(new char[capacity]);  // not zeroed: it is written before it is read
    if (end_ > begin_) std::memcpy(fresh.get(), data_.get() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
    data_ = std::move(fresh);
    capacity_ = capacity;
  }

  std::unique_ptr<char[]> data_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace armazem::http
