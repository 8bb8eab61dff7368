// What the RabbitMQ adapters count, as plain numbers for metrics, and the counters behind them.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>

namespace armazem {

// Not cumulative: counts[i] lies in (bounds[i - 1], bounds[i]], the last one above all bounds.
struct ConfirmHistogram {
  static constexpr std::array<double, 12> bounds_seconds = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
                                                            0.05,   0.1,   0.25,   0.5,   1.0,  5.0};
  std::array<std::uint64_t, bounds_seconds.size() + 1> counts{};
  double sum_seconds = 0;
};

struct RabbitmqFigures {
  // Since the start.
  std::uint64_t published = 0;         // sent to the broker with a confirm asked for
  std::uint64_t confirmed = 0;
  std::uint64_t nacked = 0;
  std::uint64_t returned = 0;          // routed nowhere
  std::uint64_t unknown = 0;           // neither confirmed nor refused when the link or the deadline was lost
  std::uint64_t refused = 0;           // not sent: no link, blocked, window full
  std::uint64_t connects = 0;          // links that came up, on all connections of the adapter
  std::uint64_t link_losses = 0;
  std::uint64_t blocked = 0;           // times that the broker blocked us for lack of memory or disk
  std::uint64_t deliveries = 0;
  std::uint64_t redelivered = 0;       // of them, marked by the broker as delivered before
  std::uint64_t acknowledged = 0;
  std::uint64_t replies_sent = 0;      // messages
  std::uint64_t replies_dropped = 0;   // messages, for want of a link
  std::uint64_t replies_received = 0;  // messages
  std::uint64_t set_aside = 0;
  std::uint64_t undecodable = 0;
  ConfirmHistogram confirm;            // from the send to the confirm
  // Now.
  std::uint64_t dead_letters = 0;      // that wait, as a consumer last saw it
};

namespace rabbit {

// Thread rule: any thread; each number is exact, they are not of one moment.
class Counter {
 public:
  void add(std::uint64_t amount = 1) noexcept { value_.fetch_add(amount, std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t get() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

struct Counters {
  Counter published, confirmed, nacked, returned, unknown, refused, connects, link_losses, blocked, deliveries,
      redelivered, acknowledged, replies_sent, replies_dropped, replies_received, set_aside, undecodable;
  std::array<Counter, ConfirmHistogram::bounds_seconds.size() + 1> confirm_counts;
  Counter confirm_nanoseconds;

  void add_confirm(std::chrono::nanoseconds took) noexcept {
    const double seconds = std::chrono::duration<double>(took).count();
    std::size_t i = 0;
    while (i < ConfirmHistogram::bounds_seconds.size() && seconds > ConfirmHistogram::bounds_seconds[i]) ++i;
    confirm_counts[i].add();
    confirm_nanoseconds.add(static_cast<std::uint64_t>(took.count()));
  }

  [[nodiscard]] RabbitmqFigures figures() const noexcept {
    RabbitmqFigures f{published.get(),    confirmed.get(),       nacked.get(),
                      returned.get(),     unknown.get(),         refused.get(),
                      connects.get(),     link_losses.get(),     blocked.get(),
                      deliveries.get(),   redelivered.get(),     acknowledged.get(),
                      replies_sent.get(), replies_dropped.get(), replies_received.get(),
                      set_aside.get(),    undecodable.get(),     {}};
    for (std::size_t i = 0; i < confirm_counts.size(); ++i) f.confirm.counts[i] = confirm_counts[i].get();
    f.confirm.sum_seconds = static_cast<double>(confirm_nanoseconds.get()) / 1e9;
    return f;
  }
};

}  // namespace rabbit
}  // namespace armazem
