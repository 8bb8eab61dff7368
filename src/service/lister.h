// Lists: pages of live keys in byte order, always from the store.
//
// A page is what the store holds at one moment; a walk over several pages is not: a key that exists throughout the whole
// walk is seen exactly once, one that is written or deleted meanwhile is seen as it stands when its page is read.
//
// Thread rule: any thread.
#pragma once

#include <atomic>
#include <chrono>
#include <optional>
#include <string>

#include "core/time_source.h"
#include "ports/store.h"

namespace armazem {

struct ListRequest {
  std::string prefix;
  std::optional<std::string> after;
  std::size_t entries_max = limits::list_entries_default;  // 1 .. limits::scan_entries_max
  std::size_t bytes_max = limits::scan_bytes_max;          // of keys and values: the page ends after the entry that reaches it
  bool keys_only = false;
};

struct ListerOptions {
  // Pages that may be in the making at once; beyond, a list is refused. Each may hold `bytes_max`.
  std::size_t pages_max = 64;
  // After this time a page ends as it is, even without an entry: many deleted keys lie between two live ones.
  std::chrono::milliseconds page_time{1'000};
};

class Lister {
 public:
  // Both must outlive the lister.
  Lister(Store& store, const TimeSource& time, ListerOptions options = {}) noexcept
      : store_(store), time_(time), options_(options) {}

  // A full page, or the last one, or as much of it as could be found in the time. `next_after` is set whenever more may
  // follow. Errors are the store's; overloaded also when `pages_max` are being made.
  Task<Result<ScanPage>> page(ListRequest request, Deadline deadline);

 private:
  Store& store_;
  const TimeSource& time_;
  const ListerOptions options_;
  std::atomic<std::size_t> pages_now_{0};
};

}  // namespace armazem
