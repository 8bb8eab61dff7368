#include "http/metrics.h"

#include <algorithm>

namespace armazem::http {
namespace {

constexpr std::array<std::uint64_t, latency_bounds.size()> bounds_ns = [] {
  std::array<std::uint64_t, latency_bounds.size()> bounds{};
  for (std::size_t i = 0; i < bounds.size(); ++i) bounds[i] = static_cast<std::uint64_t>(latency_bounds[i] * 1e9);
  return bounds;
}();

}  // namespace

void LatencyHistogram::observe(std::uint64_t nanoseconds) noexcept {
  std::size_t i = 0;
  while (i < bounds_ns.size() && nanoseconds > bounds_ns[i]) ++i;
  buckets_[i].add();
  nanoseconds_.add(nanoseconds);
}

std::string_view to_string(Rejection reason) noexcept {
  constexpr std::array<std::string_view, rejection_count> names{"connections",  "body_bytes",    "header_timeout", "body_timeout",
                                                                "idle_timeout", "write_timeout", "malformed"};
  return names[static_cast<std::size_t>(reason)];
}

std::size_t status_slot(int status) noexcept {
  if (status == 504) return known_statuses.size();
  if (status == 505) return known_statuses.size() + 1;
  const auto found = std::ranges::lower_bound(known_statuses, status);
  if (found == known_statuses.end() || *found != status) return status_count - 1;
  return static_cast<std::size_t>(found - known_statuses.begin());
}

int status_of_slot(std::size_t slot) noexcept {
  if (slot < known_statuses.size()) return known_statuses[slot];
  if (slot == known_statuses.size()) return 504;
  return slot == known_statuses.size() + 1 ? 505 : 0;
}

void LoopMetrics::count(Route route, Method method, int status, std::uint64_t nanoseconds) noexcept {
  const auto r = static_cast<std::size_t>(route);
  const auto m = static_cast<std::size_t>(method);
  requests[r][m][status_slot(status)].add();
  latency[r][m].observe(nanoseconds);
}

}  // namespace armazem::http
