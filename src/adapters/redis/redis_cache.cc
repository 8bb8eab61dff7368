#include "adapters/redis/redis_cache.h"

#include <algorithm>
#include <utility>

#include "adapters/redis/cluster_client.h"
#include "adapters/redis/entry_codec.h"
#include "adapters/redis/tls_stream.h"
#include "core/run_at.h"

namespace armazem {
namespace {

using redis::ClusterClient;
using redis::Reply;
using redis::Request;

// A lease's token: when it was granted, in the upper 42 bits (Unix ms, good for 139 years), and chance in the lower 22. So
// whoever fills knows how old the record may be that it has read.
constexpr int token_random_bits = 22;

std::uint64_t new_token(std::uint64_t now_ms, std::mt19937_64& random) {
  return now_ms << token_random_bits | (random() & ((std::uint64_t{1} << token_random_bits) - 1));
}

std::uint64_t granted_ms(Lease lease) noexcept { return lease.token >> token_random_bits; }

tl::unexpected<Error> unexpected_reply(const Reply& reply) {
  const bool error = reply.kind == Reply::Kind::error;
  return fail(ErrorCode::unavailable, "redis: " + (error ? reply.text : std::string("an unexpected kind of reply")));
}

bool out_of_memory(const Result<Reply>& reply) {
  return reply && reply->kind == Reply::Kind::error &&
         (reply->text.starts_with("OOM") || reply->text.find("OOM command not allowed") != std::string::npos);
}

Result<void> check(const RedisOptions& options) {
  const auto wrong = [](const std::string& why) { return fail(ErrorCode::invalid_argument, "redis options: " + why); };
  const std::chrono::milliseconds none{0};
  if (options.seeds.empty()) return wrong("no host");
  if (options.prefix.size() > 64) return wrong("a prefix has at most 64 bytes");
  if (options.ttl <= none || options.lease_ttl <= none) return wrong("a time to live must be positive");
  if (options.command_timeout <= none || options.connect_timeout <= none) return wrong("a time-out must be positive");
  if (options.refresh_period <= none || options.breaker_open <= none) return wrong("a period must be positive");
  if (options.entry_bytes_max > limits::value_bytes_max) return wrong("entry_bytes_max is above the largest value");
  if (options.waiting_max == 0 || options.breaker_failures < 1 || options.redirects_max < 0) {
    return wrong("a bound must be positive");
  }
  return {};
}

}  // namespace

// ---- life

Result<std::unique_ptr<RedisCache>> RedisCache::open(RedisOptions options, net::LoopGroup& loops,
                                                     const TimeSource& time) {
  if (auto checked = check(options); !checked) return fail(std::move(checked.error()));
  std::unique_ptr<redis::TlsContext> tls;
  if (options.tls) {
    auto made = redis::TlsContext::make(options.ca_file);
    if (!made) return fail(std::move(made.error()));
    tls = std::move(*made);
  }
  return std::unique_ptr<RedisCache>(new RedisCache(std::move(options), std::move(tls), loops, time));
}

RedisCache::RedisCache(RedisOptions options, std::unique_ptr<redis::TlsContext> tls, net::LoopGroup& loops,
                       const TimeSource& time)
    : options_(std::move(options)),
      tls_(std::move(tls)),
      loops_(loops),
      time_(time),
      board_(std::make_unique<redis::ViewBoard>()) {
  for (std::size_t i = 0; i < loops_.size(); ++i) {
    clients_.push_back(
        std::make_unique<ClusterClient>(loops_[i], options_, resolver_, tls_.get(), *board_, /*all_nodes=*/i == 0));
  }
  for (std::size_t i = 0; i < loops_.size(); ++i) net::run_to_end(loops_[i], clients_[i]->start());
}

RedisCache::~RedisCache() {
  for (std::size_t i = 0; i < loops_.size(); ++i) net::run_to_end(loops_[i], clients_[i]->close());
}

ClusterClient* RedisCache::client_here() const noexcept {
  const std::size_t here = loops_.index_here();
  return here < clients_.size() ? clients_[here].get() : nullptr;
}

CacheHealth RedisCache::health() const { return board_->health(); }

RedisFigures RedisCache::figures() const {
  RedisFigures sum;
  for (const auto& client : clients_) std::as_const(*client).counters().add_to(sum);
  return sum;
}

// ---- the port, on the right loop

Task<Result<CacheLookup>> RedisCache::get(const Key& key, Deadline deadline) {
  if (ClusterClient* const client = client_here()) return get_here(*client, key, deadline);
  return run_at(loops_[0], get_here(*clients_[0], key, deadline));
}

Task<Result<bool>> RedisCache::fill(const Key& key, const std::optional<Record>& record, Lease lease,
                                    Deadline deadline) {
  if (ClusterClient* const client = client_here()) return fill_here(*client, key, record, lease, deadline);
  return run_at(loops_[0], fill_here(*clients_[0], key, record, lease, deadline));
}

Task<Result<void>> RedisCache::write(std::span<const CacheWrite> writes, Deadline deadline) {
  if (ClusterClient* const client = client_here()) return write_here(*client, writes, deadline);
  return run_at(loops_[0], write_here(*clients_[0], writes, deadline));
}

// ---- reading

Task<Result<CacheLookup>> RedisCache::get_here(ClusterClient& client, const Key& key, Deadline deadline) {
  std::string name = name_of(key);
  Request request;
  request.name = name;
  Result<Reply> reply = co_await client.call(request, deadline);
  if (!reply) co_return fail(std::move(reply.error()));
  if (reply->kind == Reply::Kind::bulk) {
    const redis::Head head = redis::read_head(reply->text);
    if (head.kind == redis::Kind::lease && client.is_current(request, head.epoch)) {
      client.counters().misses.add();
      client.counters().leases_held.add();
      co_return CacheLookup();
    }
    if (auto lookup = hit(client, request, std::move(reply->text))) co_return std::move(*lookup);
  } else if (reply->kind != Reply::Kind::nil) {
    co_return unexpected_reply(*reply);
  }
  client.counters().misses.add();
  co_return co_await take_lease(client, std::move(name), deadline);
}

std::optional<CacheLookup> RedisCache::hit(ClusterClient& client, const Request& request, std::string&& encoded) {
  const redis::Head head = redis::read_head(encoded);
  if (head.kind == redis::Kind::lease) return std::nullopt;
  if (head.kind == redis::Kind::entry && !client.is_current(request, head.epoch)) {
    client.counters().misses_other_epoch.add();
    return std::nullopt;
  }
  auto entry = redis::decode_entry(std::move(encoded));
  if (!entry) {
    client.counters().misses_damaged.add();
    return std::nullopt;
  }
  const std::uint64_t now_ms = time_.wall_ms();
  CacheLookup lookup;
  lookup.age_ms = now_ms - std::min(now_ms, entry->stored_ms);
  (entry->record.tombstone ? client.counters().hits_negative : client.counters().hits_value).add();
  lookup.record = std::move(entry->record);
  return lookup;
}

Task<Result<CacheLookup>> RedisCache::take_lease(ClusterClient& client, std::string name, Deadline deadline) {
  const Lease lease{new_token(time_.wall_ms(), client.random())};
  std::string encoded = redis::encode_lease(lease.token);
  const std::string ttl = std::to_string(options_.lease_ttl.count());
  Request request;
  request.name = name;
  request.script = &redis::scripts().lease;
  request.arguments = {encoded, ttl};
  request.argument_count = 2;
  request.stamped = {&encoded};
  request.stamped_count = 1;
  Result<Reply> reply = co_await client.call(request, deadline);
  if (!reply) co_return fail(std::move(reply.error()));
  CacheLookup lookup;
  if (reply->kind == Reply::Kind::integer) {
    const bool granted = reply->integer == 1;
    (granted ? client.counters().leases_granted : client.counters().leases_held).add();
    if (granted) lookup.lease = lease;
    co_return lookup;
  }
  if (reply->kind != Reply::Kind::bulk) co_return unexpected_reply(*reply);
  // Filled by somebody since we looked.
  if (auto found = hit(client, request, std::move(reply->text))) co_return std::move(*found);
  // Not a miss without a lease: that would promise that somebody is loading the key.
  co_return fail(ErrorCode::unavailable, "redis: what is cached for the key cannot be used");
}

// ---- filling

Task<Result<bool>> RedisCache::fill_here(ClusterClient& client, const Key& key, const std::optional<Record>& record,
                                         Lease lease, Deadline deadline) {
  const std::uint64_t now_ms = time_.wall_ms();
  // A clock that was set back or forward must not make the record any younger, nor older than a lease can get.
  const auto oldest = now_ms - std::min(now_ms, static_cast<std::uint64_t>(options_.lease_ttl.count()));
  const std::uint64_t stored_ms = std::clamp(granted_ms(lease), oldest, now_ms);
  const std::int64_t ttl = ttl_ms(client, record, stored_ms);
  if (too_large(record)) client.counters().too_large.add();
  if (ttl <= 0 || too_large(record)) {
    client.counters().fills_refused.add();
    co_return false;
  }
  const std::string name = name_of(key);
  const std::string ttl_text = std::to_string(ttl);
  std::string encoded_lease = redis::encode_lease(lease.token);
  std::string entry = redis::encode_entry(record, stored_ms);
  Request request;
  request.name = name;
  request.script = &redis::scripts().fill;
  request.arguments = {encoded_lease, entry, ttl_text};
  request.argument_count = 3;
  request.stamped = {&encoded_lease, &entry};
  request.stamped_count = 2;
  Result<Reply> reply = co_await client.call(request, deadline);
  if (!reply) co_return fail(std::move(reply.error()));
  if (reply->kind != Reply::Kind::integer && !out_of_memory(reply)) co_return unexpected_reply(*reply);
  const bool stored = reply->kind == Reply::Kind::integer && reply->integer == 1;
  (stored ? client.counters().fills_stored : client.counters().fills_refused).add();
  co_return stored;
}

// ---- writing

Task<Result<void>> RedisCache::write_here(ClusterClient& client, std::span<const CacheWrite> writes,
                                          Deadline deadline) {
  Result<void> all;
  TaskScope scope(client.loop());
  for (const CacheWrite& write : writes) scope.spawn(write_one(client, write, deadline, all));
  co_await scope.join();
  co_return all;
}

// Many of these at once: each puts its command into the pipeline of its shard before it waits. The first error is kept.
Task<void> RedisCache::write_one(ClusterClient& client, const CacheWrite& write, Deadline deadline, Result<void>& all) {
  const bool store_it = write.mode != CacheWrite::Mode::remove_older;
  Task<Result<long long>> task = store_it ? store(client, write, deadline) : remove_older(client, write, deadline);
  Result<long long> done = co_await std::move(task);
  if (!done) {
    if (all) all = fail(std::move(done.error()));
    co_return;
  }
  redis::Counters& counters = client.counters();
  if (*done == 2) counters.removed.add();
  if (*done == 1) counters.puts_stored.add();
  if (*done == 0 && store_it) counters.puts_older.add();
}

Task<Result<long long>> RedisCache::store(ClusterClient& client, const CacheWrite& write, Deadline deadline) {
  const auto age_ms = static_cast<std::uint64_t>(write.age(time_.now()).count());
  const std::uint64_t now_ms = time_.wall_ms();
  const std::uint64_t stored_ms = now_ms - std::min(now_ms, age_ms);
  const std::optional<Record> record(write.record);
  const std::int64_t ttl = ttl_ms(client, record, stored_ms);
  if (too_large(record)) client.counters().too_large.add();
  if (ttl <= 0 || too_large(record)) co_return co_await remove_older(client, write, deadline);
  const std::string name = name_of(write.key);
  const std::string ttl_text = std::to_string(ttl);
  std::string entry = redis::encode_entry(record, stored_ms);
  const redis::Scripts& scripts = redis::scripts();
  Request request;
  request.name = name;
  request.script = write.mode == CacheWrite::Mode::put ? &scripts.put : &scripts.replace_only;
  request.arguments = {entry, ttl_text};
  request.argument_count = 2;
  request.stamped = {&entry};
  request.stamped_count = 1;
  Result<Reply> reply = co_await client.call(request, deadline);
  if (!reply) co_return fail(std::move(reply.error()));
  // No room for the new one is no reason to keep serving the old one.
  if (out_of_memory(reply)) co_return co_await remove_older(client, write, deadline);
  if (reply->kind != Reply::Kind::integer) co_return unexpected_reply(*reply);
  co_return reply->integer;
}

Task<Result<long long>> RedisCache::remove_older(ClusterClient& client, const CacheWrite& write, Deadline deadline) {
  const std::string name = name_of(write.key);
  std::string header = redis::encode_header(write.record.version);
  Request request;
  request.name = name;
  request.script = &redis::scripts().remove_older;
  request.arguments = {header};
  request.argument_count = 1;
  request.stamped = {&header};
  request.stamped_count = 1;
  Result<Reply> reply = co_await client.call(request, deadline);
  if (!reply) co_return fail(std::move(reply.error()));
  if (reply->kind != Reply::Kind::integer) co_return unexpected_reply(*reply);
  co_return reply->integer;
}

// ---- small things

std::string RedisCache::name_of(const Key& key) const {
  std::string name;
  name.reserve(options_.prefix.size() + key.text().size());
  name.append(options_.prefix).append(key.text());
  return name;
}

// 90 % of the ttl, give or take a tenth of it: entries that were stored together should not end together, and the ttl is a
// promise that jitter must not stretch.
std::int64_t RedisCache::ttl_ms(ClusterClient& client, const std::optional<Record>& record,
                                std::uint64_t stored_ms) const {
  const auto now_ms = static_cast<std::int64_t>(time_.wall_ms());
  const std::int64_t full = options_.ttl.count();
  const auto jitter = static_cast<std::int64_t>(client.random()() % static_cast<std::uint64_t>(full / 5 + 1));
  std::int64_t ttl = full - jitter - (now_ms - static_cast<std::int64_t>(stored_ms));
  if (record && record->expires_at_ms && !record->tombstone) {
    const std::uint64_t until = std::min<std::uint64_t>(*record->expires_at_ms, INT64_MAX);
    ttl = std::min(ttl, static_cast<std::int64_t>(until) - now_ms);
  }
  return ttl;
}

bool RedisCache::too_large(const std::optional<Record>& record) const noexcept {
  return record && record->value.bytes.size() > options_.entry_bytes_max;
}

}  // namespace armazem
