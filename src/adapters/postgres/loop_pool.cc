#include "adapters/postgres/loop_pool.h"

namespace armazem::pg {
namespace {

// Writes that are with the server when the store closes.
constexpr std::chrono::seconds close_patience{2};
// The server ends a statement by its own time-out; we wait a little longer than that.
constexpr std::chrono::seconds extra_patience{1};

Error closing_error() { return {ErrorCode::unavailable, "the store is closing"}; }

}  // namespace

LoopPool::LoopPool(net::IoLoop& loop, Size size, std::size_t number, const Target& target,
                   const PostgresOptions& options, net::Resolver& resolver, Counters& counters, const TimeSource& time)
    : loop_(loop),
      counters_(counters),
      patience_(options.statement_timeout + extra_patience),
      sweeper_(time),
      connector_(loop, sweeper_, resolver, target, options, counters),
      gets_(sweeper_, options.waiters_max, counters, counters.reads_waiting),
      borrows_(sweeper_, options.waiters_max, counters, counters.writes_waiting),
      slots_running_(loop),
      sweeper_running_(loop),
      all_left_(loop) {
  SlotOwner& owner = *this;
  for (std::size_t i = 0; i < size.read_connections; ++i) {
    readers_.push_back(
        std::make_unique<ReadSlot>(owner, connector_, sweeper_, loop, number + i, gets_, counters, patience_));
  }
  for (std::size_t i = 0; i < size.write_connections; ++i) {
    writers_.push_back(std::make_unique<WriteSlot>(owner, connector_, sweeper_, loop, number + i, borrows_));
  }
}

void LoopPool::start() {
  sweeper_running_.spawn(sweeper_.run());
  for (const auto& slot : readers_) slots_running_.spawn(slot->run());
  for (const auto& slot : writers_) slots_running_.spawn(slot->run());
}

Task<void> LoopPool::close() {
  closing_ = true;
  sweeper_.stop_waiting_at(now() + close_patience);
  gets_.fail_all(closing_error());
  borrows_.fail_all(closing_error());
  for (const auto& slot : readers_) slot->abandon(closing_error());
  while (visits_ > 0) {
    auto left = all_left_.wait();
    co_await left;
  }
  for (const auto& slot : readers_) slot->wake();
  for (const auto& slot : writers_) slot->wake();
  auto slots_ended = slots_running_.join();
  co_await slots_ended;
  sweeper_.finish();
  auto sweeper_ended = sweeper_running_.join();
  co_await sweeper_ended;
}

void LoopPool::left() {
  if (--visits_ == 0 && closing_) all_left_.raise();
}

Task<Result<std::optional<Record>>> LoopPool::get(std::string_view key, Deadline deadline) {
  const Visit visit(*this);
  if (auto refused = refusal(open_in(readers_))) co_return fail(std::move(*refused));
  GetCall call(loop_, key, deadline);
  if (!gets_.push(call)) co_return fail(ErrorCode::overloaded, "too many reads wait for the database");
  for (const auto& slot : readers_) slot->wake();
  auto result = call.result();
  co_return co_await result;
}

Task<Result<Lease>> LoopPool::borrow(Deadline deadline) {
  const Visit visit(*this);
  if (auto refused = refusal(open_in(writers_))) co_return fail(std::move(*refused));
  if (borrows_.empty()) {
    for (const auto& slot : writers_) {
      if (auto lease = slot->try_lend()) co_return std::move(*lease);
    }
  }
  BorrowCall call(loop_, deadline);
  if (!borrows_.push(call))
    co_return fail(ErrorCode::overloaded, "too many calls wait for a connection to the database");
  auto result = call.result();
  co_return co_await result;
}

MonotonicTime LoopPool::latest(Deadline deadline) const noexcept {
  return std::min(deadline.time(), now() + patience_);
}

std::optional<Error> LoopPool::trouble() const {
  if (trouble_) return trouble_;
  if (open_in(writers_) + open_in(readers_) == 0) return Error{ErrorCode::unavailable, "connecting to the database"};
  return std::nullopt;
}

template <class Slots>
std::size_t LoopPool::open_in(const Slots& slots) noexcept {
  return static_cast<std::size_t>(
      std::ranges::count_if(slots, [](const auto& slot) { return slot->has_connection(); }));
}

std::optional<Error> LoopPool::refusal(std::size_t open) const {
  if (closing_) return closing_error();
  if (open == 0 && trouble_) return trouble_;
  return std::nullopt;
}

void LoopPool::opened() {
  count(counters_.connections_open);
  trouble_.reset();
}

void LoopPool::closed() { uncount(counters_.connections_open); }

void LoopPool::not_opened(const Error& why) {
  trouble_ = why;
  if (open_in(readers_) == 0) gets_.fail_all(why);
  if (open_in(writers_) == 0) borrows_.fail_all(why);
}

}  // namespace armazem::pg
