#include "adapters/postgres/read_slot.h"

#include <ranges>

#include "adapters/postgres/binary.h"
#include "adapters/postgres/row_codec.h"

namespace armazem::pg {
namespace {

constexpr std::size_t keys_max = 512;
// A round trip's rows are in memory at once; so where rows are large, fewer go together.
constexpr std::size_t bytes_wanted = std::size_t{4} << 20;
constexpr int attempts_max = 3;

}  // namespace

Task<void> ReadSlot::serve() {
  while (worth_keeping()) {
    if (queue_.empty()) {
      const bool sound = co_await idle();
      if (!sound) break;
      continue;
    }
    co_await fly();
  }
}

Task<void> ReadSlot::fly() {
  board();
  connection().send(sql::get_rows, {keys_});
  count(counters_.get_rounds);
  const MonotonicTime begin = sweeper().now();
  const Reply reply = co_await connection().finish(begin + patience_);
  counters_.add_time(counters_.get_round_ns, sweeper().now() - begin);
  if (reply.failure) {
    counters_.add(*reply.failure);
    fail_or_repeat(*reply.failure);
  } else {
    answer(reply.results.front());
  }
  passengers_.clear();
}

void ReadSlot::board() {
  const std::size_t seats = std::clamp<std::size_t>(bytes_wanted / row_bytes_, 1, keys_max);
  while (!queue_.empty() && passengers_.size() < seats) {
    GetCall& call = queue_.pop();
    passengers_.push_back({call.key, &call});
  }
  std::ranges::sort(passengers_, {}, &Passenger::key);
  BinaryArray keys(TypeOid::bytea);
  const Passenger* last = nullptr;
  std::vector<std::size_t> ends(passengers_.size());
  for (std::size_t i = 0; i < passengers_.size(); ++i) {
    const Passenger& one = passengers_[i];
    if (last == nullptr || one.key != last->key) keys.add(one.key);
    last = &one;
    ends[i] = keys.size_bytes();
  }
  keys_ = std::move(keys).take();
  for (std::size_t i = 0; i < passengers_.size(); ++i) {
    const std::size_t size = passengers_[i].key.size();
    passengers_[i].key = std::string_view(keys_).substr(ends[i] - size, size);
  }
}

void ReadSlot::answer(const PgResult& rows) {
  std::size_t bytes = 0;
  for (int row = 0; row < rows.rows(); ++row) {
    const auto [first, last] = std::ranges::equal_range(passengers_, rows.bytes(row, 0), {}, &Passenger::key);
    for (auto one = first; one != last; ++one) {
      if (one->call == nullptr) continue;
      Result<Record> record = decode_record(rows, row);
      if (record) {
        bytes += record->value.bytes.size();
        one->call->finish(std::optional(std::move(*record)));
      } else {
        one->call->finish(fail(std::move(record.error())));
      }
      one->call = nullptr;
      count(counters_.gets);
    }
  }
  for (Passenger& one : passengers_) {
    if (one.call == nullptr) continue;
    std::exchange(one.call, nullptr)->finish(std::optional<Record>());
    count(counters_.gets);
    count(counters_.get_misses);
  }
  const std::size_t average = bytes / static_cast<std::size_t>(std::max(rows.rows(), 1));
  row_bytes_ = std::max({row_bytes_ - row_bytes_ / 8, average, std::size_t{1}});
}

// Reading twice does no harm, so what another connection or another moment may answer is asked again.
void ReadSlot::fail_or_repeat(const Failure& failure) {
  const Meaning meaning = meaning_of(failure);
  if (meaning == Meaning::other_host) avoid_host();
  const bool again = !failure.timed_out && !owner().closing() &&
                     (meaning == Meaning::connection || meaning == Meaning::other_host || meaning == Meaning::conflict);
  for (auto& passenger : std::views::reverse(passengers_)) {
    GetCall* const call = std::exchange(passenger.call, nullptr);
    if (call == nullptr) continue;
    if (again && ++call->attempts < attempts_max) {
      queue_.push_front(*call);
    } else {
      call->finish(fail(to_error(failure, "reading")));
    }
  }
}

void ReadSlot::abandon(const Error& why) {
  for (Passenger& one : passengers_) {
    if (GetCall* const call = std::exchange(one.call, nullptr)) call->finish(fail(why));
  }
  if (has_connection()) connection().interrupt();
}

void ReadSlot::sweep_calls(MonotonicTime now) {
  for (Passenger& one : passengers_) {
    if (one.call == nullptr || !one.call->overdue(now)) continue;
    count(counters_.timed_out);
    std::exchange(one.call, nullptr)->finish(fail(ErrorCode::deadline_exceeded, "the database did not answer in time"));
  }
}

}  // namespace armazem::pg
