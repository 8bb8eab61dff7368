#include "adapters/rocksdb/disk_space.h"

#include <sys/statvfs.h>

#include <limits>

namespace armazem::rocks {
namespace {

constexpr std::chrono::nanoseconds look_interval = std::chrono::milliseconds(100);
// More than the fastest disk takes in that time.
constexpr std::uint64_t plenty_bytes = std::uint64_t{1} << 30;

std::uint64_t ask_system(const std::string& path) noexcept {
  struct statvfs found{};
  // A file system that cannot answer must not stop writes: a full one still fails them safely.
  if (::statvfs(path.c_str(), &found) != 0) return std::numeric_limits<std::uint64_t>::max();
  return std::uint64_t{found.f_bavail} * found.f_frsize;
}

}  // namespace

DiskSpace::DiskSpace(std::string path, std::uint64_t reserve_bytes, const TimeSource& time)
    : path_(std::move(path)),
      reserve_bytes_(reserve_bytes),
      time_(time),
      next_look_ns_(std::numeric_limits<std::int64_t>::min()),
      free_bytes_(0) {}

std::uint64_t DiskSpace::free_bytes() {
  const std::int64_t now = std::chrono::nanoseconds(time_.now().time_since_epoch()).count();
  const bool plenty = free_bytes_.load(std::memory_order_relaxed) > reserve_bytes_ + plenty_bytes;
  if (!plenty || now >= next_look_ns_.load(std::memory_order_acquire)) {
    free_bytes_.store(ask_system(path_), std::memory_order_relaxed);
    next_look_ns_.store(now + look_interval.count(), std::memory_order_release);
  }
  return free_bytes_.load(std::memory_order_relaxed);
}

}  // namespace armazem::rocks
