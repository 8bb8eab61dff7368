#include "simulation/cache_server.h"

#include <algorithm>

#include "core/planted.h"
#include "core/task_scope.h"

namespace armazem::sim {
namespace {

constexpr std::size_t undo_max = 32;
constexpr Microseconds refresh_period = 1'000'000;  // how often a process looks who is primary without being told
constexpr int token_random_bits = 22;

CacheReply number(long long value) { return {CacheReply::Kind::number, value, std::nullopt}; }

// Lua has no integers; who compares versions as its numbers compares this.
double as_lua_number(const Version& version) {
  std::uint64_t half = 0;
  for (int i = 0; i < 8; ++i) half = half << 8 | version.bytes()[static_cast<std::size_t>(i)];
  return static_cast<double>(half);
}

bool newer(const Version& a, const Version& b) {
  if (planted(Bug::versions_as_doubles)) return as_lua_number(a) > as_lua_number(b);
  return a > b;
}

Record without_history(const Record& record) {
  Record copy = record;
  copy.history = {};
  return copy;
}

}  // namespace

// ---- the scripts

CacheNode::Slot& CacheNode::slot(const Key& key) {
  const auto found = std::ranges::find(slots_, key, &Slot::key);
  Slot& slot = found != slots_.end() ? *found : slots_.emplace_back(Slot{key, std::nullopt, 0, 0, {}, {}});
  if (slot.entry && slot.ends <= world_->now() && !(planted(Bug::no_ttl) && !slot.entry->is_lease)) {
    slot.entry.reset();
    slot.told = {};
  }
  return slot;
}

void CacheNode::set(Slot& slot, std::optional<CacheEntry> entry, std::uint64_t ttl_ms) {
  undo_.push_back(slot);
  if (undo_.size() > undo_max) undo_.erase(undo_.begin());
  slot.entry = std::move(entry);
  slot.ends = world_->now() + ttl_ms * 1000;
  if (world_->tracing()) {
    world_->trace("cache: " + slot.key.text() + " is now " +
                 (!slot.entry            ? "nothing"
                  : slot.entry->is_lease ? "leased"
                                         : slot.entry->record.version.text()));
  }
}

void CacheNode::tell(Slot& slot, const Version& version) noexcept {
  slot.told = std::max(slot.told, version);
  slot.told_ever = std::max(slot.told_ever, version);
}

Version CacheNode::told(const Key& key) const {
  const auto found = std::ranges::find(slots_, key, &Slot::key);
  return found == slots_.end() ? Version() : found->told;
}

CacheReply CacheNode::get(const Key& key) {
  const Slot& found = slot(key);
  if (!found.entry) return {};
  return {CacheReply::Kind::entry, 0, found.entry};
}

CacheReply CacheNode::lease(const Key& key, const CacheEntry& lease) {
  Slot& now = slot(key);
  if (now.entry && now.entry->epoch == lease.epoch) {
    if (!now.entry->is_lease) return {CacheReply::Kind::entry, 0, now.entry};
    return number(0);
  }
  set(now, lease, options_.lease_ttl_ms);
  now.token = lease.token;
  return number(1);
}

CacheReply CacheNode::fill(const Key& key, const CacheEntry& lease, const CacheEntry& entry, std::uint64_t ttl_ms) {
  Slot& now = slot(key);
  bool held = now.entry && now.entry->is_lease && now.entry->token == lease.token && now.entry->epoch == lease.epoch;
  if (planted(Bug::lease_never_destroyed)) held = now.token == lease.token;
  if (!held) return number(0);
  // A record that has been purged meanwhile is rightly absent.
  went_back_ = went_back_ || (!entry.record.version.is_nil() && entry.record.version < now.told_ever);
  set(now, entry, ttl_ms);
  return number(1);
}

CacheReply CacheNode::put(const Key& key, const CacheEntry& entry, std::uint64_t ttl_ms) {
  Slot& now = slot(key);
  const bool is_entry = now.entry && !now.entry->is_lease;
  if (is_entry && entry.epoch <= now.entry->epoch && !newer(entry.record.version, now.entry->record.version)) {
    tell(now, entry.record.version);
    return number(0);
  }
  set(now, entry, ttl_ms);
  tell(now, entry.record.version);
  return number(1);
}

CacheReply CacheNode::replace_only(const Key& key, const CacheEntry& entry, std::uint64_t ttl_ms) {
  Slot& now = slot(key);
  if (!now.entry) return number(0);
  if (!now.entry->is_lease && now.entry->epoch == entry.epoch) {
    if (!newer(entry.record.version, now.entry->record.version)) return number(0);
    set(now, entry, ttl_ms);
    return number(1);
  }
  set(now, std::nullopt, 0);
  return number(2);
}

CacheReply CacheNode::remove_older(const Key& key, const CacheEntry& header) {
  Slot& now = slot(key);
  if (!now.entry) return number(0);
  const bool is_entry = !now.entry->is_lease;
  if (is_entry && now.entry->epoch == header.epoch && !newer(header.record.version, now.entry->record.version)) return number(0);
  set(now, std::nullopt, 0);
  now.told = {};
  now.told_ever = std::max(now.told_ever, header.record.version);
  return number(2);
}

void CacheNode::evict(const Key& key) {
  Slot& now = slot(key);
  set(now, std::nullopt, 0);
  now.told = {};
}

CacheNode CacheNode::replica_without(std::size_t lost) const {
  CacheNode replica = *this;
  for (; lost > 0 && !replica.undo_.empty(); --lost) {
    Slot& slot = replica.slot(replica.undo_.back().key);
    const Version told_ever = slot.told_ever;
    slot = replica.undo_.back();
    slot.told_ever = told_ever;
    replica.undo_.pop_back();
  }
  replica.undo_.clear();
  for (Slot& slot : replica.slots_) slot.told = {};
  return replica;
}

void CacheNode::clear() {
  for (Slot& slot : slots_) {
    slot.entry.reset();
    slot.token = 0;
    slot.told = {};
  }
  undo_.clear();
}

const CacheEntry* CacheNode::look(const Key& key) const {
  const auto found = std::ranges::find(slots_, key, &Slot::key);
  if (found == slots_.end() || !found->entry || found->entry->is_lease) return nullptr;
  if (found->ends <= world_->now() && !planted(Bug::no_ttl)) return nullptr;
  return &*found->entry;
}

// ---- the shard

void CacheServer::fail_over(std::size_t lost, Microseconds old_served_for) {
  CacheNode replica = primary.replica_without(lost);
  old = std::move(primary);
  old_until = world_.now() + old_served_for;
  primary = std::move(replica);
  ++epoch;
}

void CacheServer::restart() { primary.clear(); }

// ---- the adapter

void SimCache::look_for_primary() {
  if (looking_) return;
  looking_ = true;
  world_.after(link.delay() + world_.random.spread(200, 30'000), &process_, [this] {
    looking_ = false;
    looked_at_ = world_.now();
    if (!link.is_cut() && world_.now() >= server_.down_until) epoch_ = server_.epoch;
  });
}

template <class Execute>
Task<SimCache::Asked> SimCache::call(Execute execute, Deadline deadline) {
  for (int attempt = 0; attempt < 2; ++attempt) {
    if (world_.now() > looked_at_ + refresh_period) look_for_primary();
    auto& rpc = *new Rpc<Answer>(world_, process_);
    const std::uint64_t epoch = epoch_;
    const Microseconds end = World::since_begin(deadline.time());
    world_.schedule(end, nullptr, [&rpc] { rpc.finish(fail(ErrorCode::deadline_exceeded, "the cache did not answer in time")); });
    const bool lose_answer = Link::spend(link.lose_answers);
    const auto arrive = [this, &rpc, epoch, execute, lose_answer]() mutable {
      if (world_.now() < server_.down_until) {
        world_.after(link.delay(), nullptr, [&rpc] { rpc.finish(fail(ErrorCode::unavailable, "the cache is down")); });
        return;
      }
      CacheReply reply;
      if (epoch == server_.epoch) {
        reply = execute(server_.primary, epoch);
      } else if (epoch + 1 == server_.epoch && world_.now() < server_.old_until) {
        world_.count(Seen::cache_old_primary);
        reply = execute(server_.old, epoch);
      } else {
        reply.kind = CacheReply::Kind::moved;
      }
      if (lose_answer) return;
      world_.after(link.delay(), nullptr, [&rpc, reply] { rpc.finish(reply); });
    };
    if (!link.is_cut()) world_.after(link.delay(), nullptr, arrive);
    Answer answer = co_await rpc;
    if (!answer) look_for_primary();
    if (!answer || answer->kind != CacheReply::Kind::moved) co_return Asked{std::move(answer), epoch};
    // The epoch of the new primary is learned before anything is asked of it.
    look_for_primary();
    const MonotonicTime patience = std::min(deadline.time(), process_.now() + std::chrono::milliseconds(40));
    while (epoch_ == epoch && process_.now() < patience) co_await sleep_until(process_.now() + std::chrono::milliseconds(2));
    if (epoch_ == epoch) break;
  }
  Answer lost = fail(ErrorCode::unavailable, "nobody knows who serves the key");
  co_return Asked{std::move(lost), epoch_};
}

std::optional<CacheLookup> SimCache::hit(const CacheEntry& entry, std::uint64_t asked_epoch) const {
  if (entry.is_lease) return std::nullopt;
  // What was asked for, and still the newest that this process knows.
  if (entry.epoch != asked_epoch || epoch_ != asked_epoch) {
    world_.count(Seen::other_epoch);
    return std::nullopt;
  }
  const std::uint64_t now_ms = process_.wall_ms();
  CacheLookup lookup;
  lookup.record = entry.record;
  lookup.age_ms = now_ms - std::min(now_ms, entry.stored_ms);
  return lookup;
}

Task<Result<CacheLookup>> SimCache::get(const Key& key, Deadline deadline) {
  const auto execute = [key](CacheNode& node, std::uint64_t) { return node.get(key); };
  Asked asked = co_await call(execute, deadline);
  if (!asked.answer) co_return fail(std::move(asked.answer.error()));
  if (asked.answer->kind == CacheReply::Kind::entry) {
    const CacheEntry& entry = *asked.answer->entry;
    if (entry.is_lease && entry.epoch == asked.epoch) {
      world_.count(Seen::lease_refused);
      co_return CacheLookup();
    }
    if (auto lookup = hit(entry, asked.epoch)) co_return std::move(*lookup);
  }
  co_return co_await take_lease(key, deadline);
}

Task<Result<CacheLookup>> SimCache::take_lease(const Key& key, Deadline deadline) {
  CacheEntry lease;
  lease.is_lease = true;
  lease.token = process_.wall_ms() << token_random_bits | random_.below(std::uint64_t{1} << token_random_bits);
  const auto execute = [key, lease](CacheNode& node, std::uint64_t epoch) mutable {
    lease.epoch = epoch;
    return node.lease(key, lease);
  };
  Asked asked = co_await call(execute, deadline);
  if (!asked.answer) co_return fail(std::move(asked.answer.error()));
  CacheLookup lookup;
  if (asked.answer->kind == CacheReply::Kind::number) {
    const bool granted = asked.answer->number == 1;
    world_.count(granted ? Seen::lease_granted : Seen::lease_refused);
    if (granted) lookup.lease = Lease{lease.token};
    co_return lookup;
  }
  if (auto found = hit(*asked.answer->entry, asked.epoch)) co_return std::move(*found);
  co_return fail(ErrorCode::unavailable, "what is cached for the key cannot be used");
}

Task<Result<bool>> SimCache::fill(const Key& key, const std::optional<Record>& record, Lease lease, Deadline deadline) {
  const std::uint64_t now_ms = process_.wall_ms();
  const std::uint64_t oldest = now_ms - std::min(now_ms, server_.options.lease_ttl_ms);
  CacheEntry entry;
  entry.stored_ms = std::clamp(lease.token >> token_random_bits, oldest, now_ms);
  entry.record.tombstone = true;
  if (record) entry.record = without_history(*record);
  const std::int64_t ttl = ttl_ms(record, entry.stored_ms);
  if (ttl <= 0) co_return false;
  CacheEntry held;
  held.is_lease = true;
  held.token = lease.token;
  const auto execute = [key, held, entry, ttl](CacheNode& node, std::uint64_t epoch) mutable {
    held.epoch = entry.epoch = epoch;
    return node.fill(key, held, entry, static_cast<std::uint64_t>(ttl));
  };
  Asked asked = co_await call(execute, deadline);
  if (!asked.answer) co_return fail(std::move(asked.answer.error()));
  const bool filled = asked.answer->kind == CacheReply::Kind::number && asked.answer->number == 1;
  world_.count(filled ? Seen::filled : Seen::lease_lost);
  co_return filled;
}

Task<SimCache::Answer> SimCache::write_one(const CacheWrite& write, Deadline deadline) {
  CacheEntry entry;
  const auto age_ms = static_cast<std::uint64_t>(write.age(process_.now()).count());
  entry.stored_ms = process_.wall_ms() - std::min(process_.wall_ms(), age_ms);
  entry.record = without_history(write.record);
  const std::int64_t ttl = ttl_ms(write.record, entry.stored_ms);
  const CacheWrite::Mode mode = ttl <= 0 ? CacheWrite::Mode::remove_older : write.mode;
  const auto execute = [key = write.key, entry, ttl, mode](CacheNode& node, std::uint64_t epoch) mutable {
    entry.epoch = epoch;
    switch (mode) {
      case CacheWrite::Mode::put: return node.put(key, entry, static_cast<std::uint64_t>(ttl));
      case CacheWrite::Mode::replace_only: return node.replace_only(key, entry, static_cast<std::uint64_t>(ttl));
      case CacheWrite::Mode::remove_older: break;
    }
    return node.remove_older(key, entry);
  };
  Asked asked = co_await call(execute, deadline);
  if (asked.answer && mode == CacheWrite::Mode::replace_only && asked.answer->number > 0) world_.count(Seen::repaired);
  co_return std::move(asked.answer);
}

// One pipeline: a command follows the other without waiting for its answer, and the answers are waited for together.
Task<Result<void>> SimCache::write(std::span<const CacheWrite> writes, Deadline deadline) {
  struct All {
    Task<void> run(SimCache& cache, const CacheWrite& write, Deadline until) {
      const Answer answer = co_await cache.write_one(write, until);
      if (!answer) failed = answer.error();
    }
    std::optional<Error> failed;
  };
  All all;
  TaskScope scope(process_);
  for (const CacheWrite& write : writes) scope.spawn(all.run(*this, write, deadline));
  co_await scope.join();
  if (all.failed) co_return fail(std::move(*all.failed));
  co_return Result<void>();
}

// As RedisCache: 90 % of the time to live, give or take a tenth of it.
std::int64_t SimCache::ttl_ms(const std::optional<Record>& record, std::uint64_t stored_ms) {
  const auto now_ms = static_cast<std::int64_t>(process_.wall_ms());
  const auto full = static_cast<std::int64_t>(server_.options.ttl_ms);
  const auto jitter = static_cast<std::int64_t>(random_.below(server_.options.ttl_ms / 5 + 1));
  std::int64_t ttl = full - jitter - (now_ms - static_cast<std::int64_t>(stored_ms));
  if (record && record->expires_at_ms && !record->tombstone) {
    ttl = std::min(ttl, static_cast<std::int64_t>(*record->expires_at_ms) - now_ms);
  }
  return ttl;
}

}  // namespace armazem::sim
