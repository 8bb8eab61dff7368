#include "cli/load_stats.h"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <limits>
#include <utility>

namespace armazem::cli {
namespace {

// A server that invents a new problem with each answer must not fill our memory.
constexpr std::size_t outcome_kinds_max = 64;

void count(Outcomes& outcomes, std::string name, std::uint64_t times = 1) {
  if (outcomes.size() >= outcome_kinds_max && !outcomes.contains(name)) name = "other";
  outcomes[std::move(name)] += times;
}

// "503 store-unavailable": the last part of the type of a problem (RFC 9457), where the answer is one.
std::string error_name(const HttpAnswer& answer) {
  std::string name = std::to_string(answer.status);
  const auto type = answer.header("Content-Type");
  if (!type || !type->starts_with("application/problem+json")) return name;
  boost::system::error_code failed;
  const boost::json::value problem = boost::json::parse(answer.body, failed);
  if (failed || !problem.is_object()) return name;
  const boost::json::value* const uri = problem.get_object().if_contains("type");
  if (uri == nullptr || !uri->is_string()) return name;
  const std::string_view text = uri->get_string();
  const std::string_view slug = text.substr(text.find_last_of(":/") + 1);
  return slug.empty() ? name : name + " " + std::string(slug.substr(0, 60));
}

// A row without a request is worth showing when it means a stall.
constexpr double shortest_silence = 0.25;  // seconds

double ms(std::chrono::nanoseconds duration) { return static_cast<double>(duration.count()) / 1e6; }

double seconds(MonotonicClock::duration duration) { return std::chrono::duration<double>(duration).count(); }

SeriesRow row_of(std::string operation, const OperationStats& stats, double at, double length) {
  const LatencyHistogram& latency = stats.latency;
  return {at,
          std::move(operation),
          stats.requests,
          stats.errors,
          length > 0 ? static_cast<double>(stats.requests) / length : 0,
          ms(latency.mean()),
          ms(latency.percentile(50)),
          ms(latency.percentile(90)),
          ms(latency.percentile(99)),
          ms(latency.percentile(99.9)),
          ms(latency.max())};
}

}  // namespace

bool is_success(Operation operation, int status) noexcept {
  if (status == 404) return operation != Operation::put;
  return (status >= 200 && status < 300) || status == 304;
}

void OperationStats::add(const OperationStats& other) {
  latency.add(other.latency);
  requests += other.requests;
  errors += other.errors;
}

void Stats::add(const Stats& other) {
  for (std::size_t i = 0; i < operation_count; ++i) operations[i].add(other.operations[i]);
  for (const auto& [name, times] : other.successes) count(successes, name, times);
  for (const auto& [name, times] : other.errors) count(errors, name, times);
}

void Stats::clear() {
  for (OperationStats& one : operations) {
    one.latency.clear();
    one.requests = one.errors = 0;
  }
  successes.clear();
  errors.clear();
}

void Stats::answered(Operation operation, const HttpAnswer& answer, std::chrono::nanoseconds took) {
  OperationStats& stats = operations[static_cast<std::size_t>(operation)];
  ++stats.requests;
  stats.latency.record(took);
  if (is_success(operation, answer.status)) {
    count(successes, std::to_string(answer.status));
  } else {
    ++stats.errors;
    count(errors, error_name(answer));
  }
}

void Stats::failed(Operation operation, const std::string& why, bool timed_out, std::chrono::nanoseconds took) {
  OperationStats& stats = operations[static_cast<std::size_t>(operation)];
  ++stats.requests;
  ++stats.errors;
  if (timed_out) stats.latency.record(took);
  count(errors, why);
}

OperationStats Stats::all() const {
  OperationStats sum;
  for (const OperationStats& one : operations) sum.add(one);
  return sum;
}

void Collector::hand_over(std::size_t loop, std::size_t index, const Stats& stats, MonotonicTime now) {
  const std::lock_guard lock(mutex_);
  Interval& interval = open_[index];
  interval.stats.add(stats);
  interval.end = std::max(interval.end, now);
  next_[loop] = index + 1;
  close_complete();
}

void Collector::finish(std::size_t loop) {
  const std::lock_guard lock(mutex_);
  next_[loop] = std::numeric_limits<std::size_t>::max();
  close_complete();
}

// In order, and none that a loop may still add to.
void Collector::close_complete() {
  const std::size_t complete = std::ranges::min(next_);
  while (!open_.empty() && open_.begin()->first < complete) {
    close(open_.begin()->second);
    open_.erase(open_.begin());
  }
}

void Collector::close(const Interval& interval) {
  const OperationStats all = interval.stats.all();
  const double at = seconds(interval.end - measured_);
  const double length = seconds(interval.end - previous_end_);
  if (all.requests == 0 && length < shortest_silence) return;  // the last look, just after an interval's end
  previous_end_ = interval.end;
  total_.add(interval.stats);
  if (all.requests > all.errors) last_success_ = interval.end;
  for (std::size_t i = 0; i < operation_count; ++i) {
    const OperationStats& one = interval.stats.operations[i];
    if (one.requests > 0) series_.push_back(row_of(std::string(operation_names[i]), one, at, length));
  }
  series_.push_back(row_of("all", all, at, length));
}

Stats Collector::total() const {
  const std::lock_guard lock(mutex_);
  return total_;
}

std::vector<SeriesRow> Collector::series() const {
  const std::lock_guard lock(mutex_);
  return series_;
}

Collector::Progress Collector::progress() const {
  const std::lock_guard lock(mutex_);
  Progress progress{0, 0, series_.empty() ? SeriesRow{} : series_.back(), last_success_};
  for (const OperationStats& one : total_.operations) {
    progress.requests += one.requests;
    progress.errors += one.errors;
  }
  return progress;
}

}  // namespace armazem::cli
