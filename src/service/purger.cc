#include "service/purger.h"

namespace armazem {

Task<void> Purger::run() {
  running_ = true;
  const std::uint64_t now_ms = time_.wall_ms();
  const auto retention_ms = static_cast<std::uint64_t>(options_.retention.count());
  PurgeRequest request;
  request.before_ms = now_ms > retention_ms ? now_ms - retention_ms : 0;
  request.limit = options_.step;
  const Deadline deadline = Deadline::after(time_.now(), std::chrono::seconds(10));
  const Result<PurgeReport> report = co_await store_.purge(request, deadline);
  if (report) removed_.fetch_add(report->removed, std::memory_order_relaxed);
  const bool more = report && report->more;
  next_ = time_.now() + (more ? std::chrono::milliseconds(0) : options_.interval);
  running_ = false;
}

}  // namespace armazem
