#include "adapters/postgres/postgres_store.h"

#include <random>

#include "adapters/postgres/change_reader.h"
#include "adapters/postgres/purger.h"
#include "adapters/postgres/scanner.h"
#include "adapters/postgres/writer.h"
#include "adapters/request_check.h"
#include "core/run_at.h"

namespace armazem {
namespace {

constexpr std::chrono::seconds disk_full_for{5};

// Statements and idle transactions are ended by the server after the same time; twice that, and what may lie in between.
MonotonicClock::duration transaction_lifetime(const PostgresOptions& options) {
  return 2 * options.statement_timeout + std::chrono::seconds(5);
}

std::string random_name() {
  std::random_device random;
  return std::to_string(random()) + "-" + std::to_string(random());
}

}  // namespace

struct PostgresStore::Parts {
  Parts(const PostgresOptions& wanted, pg::Target where, net::LoopGroup& group, const TimeSource& clock);

  pg::LoopPool& pool_here() noexcept;
  // The one with the least to do for each of its connections; the caller's own when there is no difference.
  pg::LoopPool& pool_for_transaction() noexcept;
  // Runs `work(pool)` on the loop of the pool that should do it.
  template <class Work>
  auto transaction(Work work) -> std::invoke_result_t<Work, pg::LoopPool&>;

  const PostgresOptions options;
  const pg::Target target;
  net::LoopGroup& loops;
  const TimeSource& time;
  const std::string name = random_name();
  net::Resolver resolver;
  pg::Counters counters;
  pg::Gaps gaps;
  std::vector<std::unique_ptr<pg::LoopPool>> pools;  // one per loop
  std::atomic<MonotonicTime> disk_full_until{MonotonicTime::min()};
};

PostgresStore::Parts::Parts(const PostgresOptions& wanted, pg::Target where, net::LoopGroup& group,
                            const TimeSource& clock)
    : options(wanted), target(std::move(where)), loops(group), time(clock), gaps(transaction_lifetime(wanted)) {
  const std::size_t first = std::random_device{}() % target.hosts.size();
  const std::size_t writers = std::max<std::size_t>(options.write_connections, 1);
  for (std::size_t i = 0; i < loops.size(); ++i) {
    const std::size_t own_writers = writers / loops.size() + (i < writers % loops.size() ? 1 : 0);
    const pg::LoopPool::Size size{std::max<std::size_t>(options.read_connections_per_loop, 1), own_writers};
    pools.push_back(
        std::make_unique<pg::LoopPool>(loops[i], size, first + i, target, options, resolver, counters, time));
  }
}

pg::LoopPool& PostgresStore::Parts::pool_here() noexcept {
  const std::size_t here = loops.index_here();
  return *pools[here < pools.size() ? here : 0];
}

pg::LoopPool& PostgresStore::Parts::pool_for_transaction() noexcept {
  pg::LoopPool* best = &pool_here();
  for (const auto& pool : pools) {
    // load / capacity, compared without a division; a pool without a connection is never the better one.
    const bool better = pool->load() * best->write_capacity() < best->load() * pool->write_capacity();
    if (best->write_capacity() == 0 || (pool->write_capacity() > 0 && better)) best = pool.get();
  }
  return *best;
}

template <class Work>
auto PostgresStore::Parts::transaction(Work work) -> std::invoke_result_t<Work, pg::LoopPool&> {
  pg::LoopPool& pool = pool_for_transaction();
  ++pool.load();
  auto task = work(pool);
  auto result = co_await run_at(pool.loop(), std::move(task));
  --pool.load();
  co_return result;
}

Result<std::unique_ptr<PostgresStore>> PostgresStore::open(const PostgresOptions& options, net::LoopGroup& loops,
                                                           const TimeSource& time) {
  Result<pg::Target> target = pg::parse_target(options.url);
  if (!target) return fail(std::move(target.error()));
  auto parts = std::make_unique<Parts>(options, std::move(*target), loops, time);
  const auto start = [](pg::LoopPool& pool) -> Task<void> {
    pool.start();
    co_return;
  };
  for (const auto& pool : parts->pools) net::run_to_end(pool->loop(), start(*pool));
  return std::unique_ptr<PostgresStore>(new PostgresStore(std::move(parts)));
}

PostgresStore::PostgresStore(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

PostgresStore::~PostgresStore() {
  for (const auto& pool : parts_->pools) net::run_to_end(pool->loop(), pool->close());
}

Task<Result<std::optional<Record>>> PostgresStore::get(const Key& key, Deadline deadline) {
  if (deadline.expired(parts_->time.now())) return Task<Result<std::optional<Record>>>(too_late("the read"));
  pg::LoopPool& pool = parts_->pool_here();
  if (pool.loop().running_here()) return pool.get(key.text(), deadline);
  return run_at(pool.loop(), pool.get(key.text(), deadline));
}

Task<Result<std::vector<Outcome>>> PostgresStore::apply(std::vector<Mutation> mutations, ApplyGuard guard,
                                                        Deadline deadline) {
  using Answer = Result<std::vector<Outcome>>;
  if (auto checked = check_request(mutations); !checked) return Task<Answer>(fail(std::move(checked.error())));
  if (deadline.expired(parts_->time.now())) return Task<Answer>(too_late("the write"));
  if (mutations.empty()) return Task<Answer>(std::vector<Outcome>());
  return [](Parts& parts, std::vector<Mutation> batch, ApplyGuard with, Deadline until) -> Task<Answer> {
    auto written = parts.transaction(
        [&](pg::LoopPool& pool) { return pg::write_batch(pool, parts.counters, std::move(batch), with, until); });
    Answer answer = co_await std::move(written);
    const bool full = !answer && answer.error().code == ErrorCode::storage_full;
    if (full) parts.disk_full_until = parts.time.now() + disk_full_for;
    co_return answer;
  }(*parts_, std::move(mutations), guard, deadline);
}

Task<Result<ScanPage>> PostgresStore::scan(ScanRequest request, Deadline deadline) {
  if (auto checked = check_request(request); !checked) return Task<Result<ScanPage>>(fail(std::move(checked.error())));
  if (deadline.expired(parts_->time.now())) return Task<Result<ScanPage>>(too_late("the read"));
  return parts_->transaction([this, asked = std::move(request), deadline](pg::LoopPool& pool) mutable {
    return pg::read_page(pool, parts_->counters, std::move(asked), deadline);
  });
}

Task<Result<PurgeReport>> PostgresStore::purge(PurgeRequest request, Deadline deadline) {
  if (deadline.expired(parts_->time.now())) return Task<Result<PurgeReport>>(too_late("the write"));
  return parts_->transaction([this, request, deadline](pg::LoopPool& pool) {
    return pg::purge_step(pool, parts_->counters, parts_->name, parts_->options.changes_kept, request, deadline);
  });
}

Task<Result<ChangePage>> PostgresStore::read_changes(ChangesRequest request, Deadline deadline) {
  if (auto checked = check_request(request); !checked) return Task<Result<ChangePage>>(fail(std::move(checked.error())));
  if (deadline.expired(parts_->time.now())) return Task<Result<ChangePage>>(too_late("the read"));
  return parts_->transaction([this, request, deadline](pg::LoopPool& pool) {
    return pg::read_changes(pool, parts_->counters, parts_->gaps, request, deadline);
  });
}

Task<Result<ChangeLogState>> PostgresStore::change_log_state(Deadline deadline) {
  if (deadline.expired(parts_->time.now())) return Task<Result<ChangeLogState>>(too_late("the read"));
  return parts_->transaction(
      [this, deadline](pg::LoopPool& pool) { return pg::read_change_log(pool, parts_->counters, deadline); });
}

Task<StoreHealth> PostgresStore::health(Deadline deadline) {
  pg::LoopPool& pool = parts_->pool_here();
  const auto ask = [](pg::LoopPool& asked, Deadline until) -> Task<Result<std::string>> {
    // No key holds this byte.
    const auto answer = co_await asked.get(std::string_view("\0", 1), until);
    if (!answer) co_return fail(answer.error());
    co_return asked.server();
  };
  auto asking = ask(pool, deadline);
  const Result<std::string> server = co_await run_at(pool.loop(), std::move(asking));
  if (!server) co_return StoreHealth{false, server.error().message};
  if (parts_->time.now() < parts_->disk_full_until.load()) co_return StoreHealth{false, "the database's disk is full"};
  co_return StoreHealth{true, *server + " at " + parts_->target.host_names()};
}

PostgresFigures PostgresStore::figures() const { return parts_->counters.read(); }

}  // namespace armazem
