#include "simulation/run.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "adapters/message_codec.h"
#include "adapters/restamp.h"
#include "checker/check.h"
#include "core/task_scope.h"
#include "simulation/arena.h"
#include "simulation/processes.h"

namespace armazem::sim {
namespace {

using checker::Event;
using checker::Outcome;

constexpr Microseconds busy_max = 120'000'000;    // clients are done by then, or hang
constexpr Microseconds drained_max = 60'000'000;  // and the queue is empty
constexpr Microseconds settle = 1'000'000;        // what is on its way arrives: longer than any fault's delay

// What outlives a run, so that its memory need not be taken anew each time.
struct Record {
  checker::History history;
};

class Run {
 public:
  Run(const Plan& plan, Coverage& coverage, bool trace, checker::History& history)
      : plan_(plan),
        settings_(plan.settings),
        coverage_(coverage),
        history_(history),
        world_(plan.seed, coverage, trace),
        tiers_{StoreServer(world_), CacheServer(world_, settings_.cache), Broker(world_, settings_.partitions)} {
    world_.on_crash = [](void* self, Process& process) { static_cast<Run*>(self)->crash(process); };
    world_.on_crash_context = this;
    for (std::uint32_t key = 0; key < settings_.keys; ++key) keys_.push_back(Key::parse("k" + std::to_string(key)).value());
  }

  RunResult operator()() {
    begin();
    bool done = world_.run_until(busy_max, [this] { return clients_left_ == 0; });
    if (!done) return broken("liveness", "a client got no answer at all");
    heal();
    if (!drain()) return broken("liveness", "the queue is not empty a minute after everything was healed");
    replay_letters();
    if (!drain()) return broken("liveness", "the queue is not empty a minute after the dead letters were replayed");
    if (!recover()) return broken("liveness", "a write or a read failed although everything was healed");
    look_up_unresolved();
    if (!all_accepted_decided()) return broken("lost-202", "a write was accepted, and nobody ever decided it");
    if (tiers_.cache.primary.went_back()) return broken("cache", "a fill brought back what an earlier write had replaced");
    return judge();
  }

  [[nodiscard]] World& world() noexcept { return world_; }

 private:
  // ---- processes

  void start_api(std::size_t i) {
    const std::string name = "api " + std::to_string(i);
    const std::int64_t ahead = apis_[i] != nullptr ? apis_[i]->process.clock_ahead_ms() : settings_.api_clock_ms[i];
    apis_[i] = new Api(world_, tiers_, settings_, name, ahead);
    trace("starts", apis_[i]->process);
  }
  void start_worker(std::size_t i) {
    const std::string name = "worker " + std::to_string(i);
    const std::int64_t ahead = workers_[i] != nullptr ? workers_[i]->process.clock_ahead_ms() : settings_.worker_clock_ms[i];
    workers_[i] = new WorkerProcess(world_, tiers_, settings_, name, ahead);
    trace("starts", workers_[i]->process);
  }
  void trace(std::string_view what, const Process& process) {
    if (world_.tracing()) world_.trace(process.name() + " " + std::string(what));
  }

  void crash(Process& process) {
    if (!process.alive()) return;
    trace("crashes", process);
    process.kill();
    const Microseconds away = std::max<Microseconds>(crash_span_, 1'000);
    for (std::size_t i = 0; i < apis_.size(); ++i) {
      if (&apis_[i]->process != &process) continue;
      world_.count(Seen::crash_api);
      Api* const dead = apis_[i];
      dead->cut_clients();
      dead->add_figures();
      world_.after(world_.random.spread(100, 200'000), nullptr, [dead] { dead->publisher.disconnect(); });
      world_.after(away, nullptr, [this, i] { if (!apis_[i]->process.alive()) start_api(i); });
    }
    for (std::size_t i = 0; i < workers_.size(); ++i) {
      if (&workers_[i]->process != &process) continue;
      world_.count(Seen::crash_worker);
      WorkerProcess* const dead = workers_[i];
      world_.after(world_.random.spread(100, 200'000), nullptr, [dead] { dead->consumer.disconnect(); });
      world_.after(away, nullptr, [this, i] { if (!workers_[i]->process.alive()) start_worker(i); });
    }
  }

  // ---- a run, from its begin to its end

  void begin() {
    apis_.resize(settings_.apis);
    for (std::size_t i = 0; i < apis_.size(); ++i) start_api(i);
    workers_.resize(settings_.with_queue ? settings_.workers : 0);
    for (std::size_t i = 0; i < workers_.size(); ++i) start_worker(i);
    for (const Fault& fault : plan_.faults) arm(fault);
    seen_.resize(settings_.clients);
    for (auto& seen : seen_) seen.resize(settings_.keys);
    clients_left_ = settings_.clients;
    for (std::uint32_t client = 0; client < settings_.clients; ++client) {
      clients_.push_back(new Process(world_, "client " + std::to_string(client)));
      start_root(*clients_.back(), work(client));
    }
  }

  void heal() {
    if (world_.tracing()) world_.trace("everything is healed");
    const Microseconds now = world_.now();
    StoreServer& store = tiers_.store;
    store.down_until = store.hangs_until = store.conflicts_until = now;
    tiers_.cache.down_until = tiers_.cache.old_until = now;
    Broker& broker = tiers_.broker;
    broker.nacks = broker.lost_publishes = broker.lost_confirms = broker.lost_replies = broker.duplicates = broker.reorders = 0;
    broker.blocked_until = now;
    for (Broker::Queue& queue : broker.queues) queue.missing_until = queue.leaderless_until = now;
    healed_ = true;
    for (std::size_t i = 0; i < apis_.size(); ++i) {
      if (!apis_[i]->process.alive()) start_api(i);
      Api& api = *apis_[i];
      api.process.pause_until(0);
      api.process.crash_at_step(UINT64_MAX);
      for (Link* link : {&api.store.link, &api.cache.link, &api.publisher.link, &api.clients}) link->heal();
    }
    for (std::size_t i = 0; i < workers_.size(); ++i) {
      if (!workers_[i]->process.alive()) start_worker(i);
      WorkerProcess& worker = *workers_[i];
      worker.process.pause_until(0);
      worker.process.crash_at_step(UINT64_MAX);
      for (Link* link : {&worker.store.link, &worker.cache.link, &worker.consumer.link}) link->heal();
    }
    tiers_.broker.hand_out();
  }

  bool drain() {
    (void)world_.run_until(world_.now() + settle, [] { return false; });
    const bool empty = world_.run_until(world_.now() + drained_max, [this] { return tiers_.broker.depth() == 0; });
    if (empty) (void)world_.run_until(world_.now() + settle / 4, [] { return false; });
    return empty;
  }

  // As a careful operator does with `armazem dead-letters replay`: not what had been applied after all. Its record may be
  // purged by now, and under a new stamp it would be applied once more.
  void replay_letters() {
    std::vector<Broker::Letter> letters = std::move(tiers_.broker.letters);
    tiers_.broker.letters.clear();
    for (const Broker::Letter& letter : letters) {
      const StoreServer::Row& row = tiers_.store.row(letter.mutation.key);
      const OpId op = letter.mutation.version.op();
      if (std::ranges::any_of(row.applied, [op](const checker::AppliedWrite& each) { return each.version.op() == op; })) continue;
      std::vector<Mutation> mutations{letter.mutation};
      const std::uint64_t now_ms = wall_begin_ms + world_.now() / 1000;
      if (letter.reason == DeadReason::too_old) restamp(mutations, Version::make(Tick::from_ms(now_ms), OpId(0)));
      tiers_.broker.take_in(0, {tiers_.broker.next_id(), encode_message(mutations), 0, 1});
    }
  }

  // Every key can be written and read again.
  bool recover() {
    clients_left_ = 1;
    start_root(*clients_[0], prove_recovery());
    const bool done = world_.run_until(world_.now() + 20'000'000, [this] { return clients_left_ == 0; });
    (void)world_.run_until(world_.now() + settle / 4, [] { return false; });
    return done && !recovery_failed_;
  }

  Task<void> prove_recovery() {
    for (std::uint32_t key = 0; key < settings_.keys; ++key) co_await prove_recovery(key);
    --clients_left_;
  }

  Task<void> prove_recovery(std::uint32_t key) {
    Operation put;
    put.key = key;
    put.kind = checker::Kind::put;
    put.value = plan_.operations.size() + 1'000 + key;
    put.tries = 4;
    const Outcome written = co_await perform(put);
    Operation get;
    get.key = key;
    const Outcome read = co_await perform(get);
    recovery_failed_ = recovery_failed_ || written == Outcome::failed || written == Outcome::unknown || read != Outcome::ok;
    get.level = checker::Level::cached;
    (void)co_await perform(get);
  }

  void look_up_unresolved() {
    std::size_t left = 0;
    for (Event& event : history_.events) {
      const bool open = event.outcome == Outcome::accepted || event.outcome == Outcome::unknown;
      if (!open || event.version.is_nil() || event.kind == checker::Kind::get) continue;
      ++left;
      Api& api = *apis_[0];
      world_.run_as(api.process, [&] { start_root(api.process, look_up(api, event, left)); });
    }
    (void)world_.run_until(world_.now() + 10'000'000, [&] { return left == 0; });
  }

  Task<void> look_up(Api& api, Event& event, std::size_t& left) {
    const Result<OperationState> state = co_await api.look_up(keys_[event.key], event.version);
    if (state) {
      switch (state->status) {
        case OperationState::Status::applied:
          event.resolution = checker::Resolution::applied;
          event.version = state->version;
          break;
        case OperationState::Status::superseded: event.resolution = checker::Resolution::superseded; break;
        case OperationState::Status::pending: event.resolution = checker::Resolution::pending; break;
        case OperationState::Status::unknown: break;
      }
    }
    --left;
  }

  // A 202 may be superseded in the end, but never forgotten on the way.
  bool all_accepted_decided() {
    return std::ranges::all_of(accepted_, [this](const auto& one) {
      const StoreServer::Row& row = tiers_.store.row(keys_[one.first]);
      return std::ranges::find(row.decided, one.second) != row.decided.end();
    });
  }

  RunResult judge() {
    for (Api* api : apis_) api->add_figures();
    {
      const Arena::Scope kept(false);
      for (std::uint32_t key = 0; key < settings_.keys; ++key) history_.finals.push_back(final_state(key));
    }
    for (const Event& event : history_.events) {
      world_.mix(event.invoked_us);
      world_.mix(event.returned_us);
      world_.mix(event.value);
      world_.mix(event.version.tick().bits());
    }
    RunResult result;
    result.digest = world_.digest();
    result.events = world_.events();
    return result;
  }

  checker::FinalState final_state(std::uint32_t key) {
    const StoreServer::Row& row = tiers_.store.row(keys_[key]);
    checker::FinalState state;
    state.key = key;
    if (row.record) {
      state.store_version = row.record->version;
      if (!row.record->tombstone) state.store_value = number_of(row.record->value);
    }
    state.applied_known = true;
    state.applied.assign(row.applied.begin(), row.applied.end());
    const CacheEntry* const entry = settings_.with_cache ? tiers_.cache.primary.look(keys_[key]) : nullptr;
    if (entry == nullptr || entry->epoch != tiers_.cache.epoch) return state;
    // Where nobody could tell the cache, or it has lost what it was told, its time to live is all that bounds its age.
    const bool excused = entry->record.version < state.store_version && tiers_.cache.primary.told(keys_[key]) < state.store_version;
    if (excused || !row.record) return state;
    state.in_cache = true;
    state.cache_version = entry->record.version;
    state.cache_value = entry->record.tombstone ? 0 : number_of(entry->record.value);
    return state;
  }

  RunResult broken(std::string violation, std::string why) {
    RunResult result;
    result.ok = false;
    const Arena::Scope kept(false);
    result.violation = std::string(violation.data(), violation.size());
    result.why = std::string(why.data(), why.size());
    result.digest = world_.digest();
    result.events = world_.events();
    return result;
  }

  // ---- clients

  Task<void> work(std::uint32_t client) {
    Process& home = *clients_[client];
    for (const Operation& operation : plan_.operations) {
      if (operation.client != client) continue;
      co_await sleep_until(home.now() + std::chrono::microseconds(operation.pause));
      (void)co_await perform(operation);
    }
    --clients_left_;
  }

  Task<Response> send(std::size_t to, Request request) {
    Process& home = *clients_[0];
    auto& answer = *new Rpc<Response>(world_, home);
    world_.after(settings_.client_patience, nullptr, [&answer] { answer.finish(Response()); });
    world_.after(world_.random.between(20, 200), nullptr, [this, to, &answer, request = std::move(request)]() mutable {
      Api& api = *apis_[to];
      if (!api.process.alive()) {
        Response refused;
        refused.refused = true;
        return answer.finish(refused);
      }
      world_.after(api.clients.delay(), &api.process, [&api, &answer, request = std::move(request)]() mutable {
        api.serve(std::move(request), answer);
      });
    });
    co_return co_await answer;
  }

  Task<Outcome> perform(const Operation& operation) {
    Version& seen = seen_[operation.client][operation.key];
    Request request{operation.kind, operation.level, keys_[operation.key], operation.value, {}, {}, {}, operation.respond_async,
                    operation.patient};
    Event event;
    event.client = operation.client;
    event.key = operation.key;
    event.kind = operation.kind;
    event.level = operation.level;
    event.value = operation.kind == checker::Kind::put ? operation.value : 0;
    event.invoked_us = world_.now();
    add_condition(operation, seen, request, event);
    if (operation.level == checker::Level::session && operation.kind == checker::Kind::get) request.token = event.min_version = seen;
    if (operation.with_token) request.token = seen;
    if (operation.tries > 1) request.idempotency_key = "op-" + std::to_string(operation.value);
    count(operation);
    bool any_unknown = false;
    Response response;
    for (unsigned attempt = 0; attempt < operation.tries; ++attempt) {
      response = co_await send((operation.api + attempt) % apis_.size(), request);
      event.outcome = outcome_of(operation, response);
      if (event.outcome == Outcome::ok || event.outcome == Outcome::accepted || response.status == 412 || response.status == 400) break;
      any_unknown = any_unknown || event.outcome == Outcome::unknown;
      if (attempt + 1 == operation.tries) break;
      world_.count(Seen::retries);
      co_await sleep_until(clients_[0]->now() + std::chrono::microseconds(world_.random.spread(500, 200'000)));
    }
    const bool failed_now = event.outcome == Outcome::failed;
    if (failed_now && any_unknown) event.outcome = Outcome::unknown;
    event.status = failed_now && any_unknown ? 0 : response.status;
    learn(operation, response, event, any_unknown, seen);
    event.returned_us = world_.now();
    const Arena::Scope kept(false);
    history_.events.push_back(event);
    co_return event.outcome;
  }

  void learn(const Operation& operation, const Response& response, Event& event, bool any_unknown, Version& seen) {
    if (operation.kind == checker::Kind::get) {
      event.value = event.outcome == Outcome::ok ? response.value : 0;
      event.version = response.version;
    } else if (event.outcome == Outcome::ok || (event.outcome == Outcome::failed && event.status == 412)) {
      event.version = response.version;
    } else if (!any_unknown || operation.tries == 1) {
      event.version = response.version;
    }
    if (event.outcome == Outcome::ok || event.outcome == Outcome::accepted) seen = std::max(seen, response.version);
    if (event.outcome == Outcome::accepted) accepted_.emplace_back(event.key, response.version.op());
    count(event, response);
    if (world_.tracing()) {
      world_.trace("client " + std::to_string(event.client) + ": " + describe(operation) + " -> " + std::to_string(response.status) +
                   (response.refused ? " (refused)" : "") + (event.kind == checker::Kind::get ? " = " + std::to_string(event.value) : "") +
                   " " + response.version.text());
    }
  }

  static void add_condition(const Operation& operation, const Version& seen, Request& request, Event& event) {
    event.conditional = operation.condition != Operation::Wish::none;
    switch (operation.condition) {
      case Operation::Wish::none: return;
      case Operation::Wish::if_present: request.condition.kind = Condition::Kind::if_present; return;
      case Operation::Wish::if_seen:
        if (seen.is_nil()) {
          request.condition.kind = Condition::Kind::if_present;
          return;
        }
        request.condition = {Condition::Kind::if_version, seen};
        event.if_match = seen;
        return;
      case Operation::Wish::if_absent:
        request.condition.kind = Condition::Kind::if_absent;
        event.if_none_match = true;
        return;
    }
  }

  static Outcome outcome_of(const Operation& operation, const Response& response) noexcept {
    if (operation.kind == checker::Kind::get) {
      return response.status == 200 || response.status == 404 ? Outcome::ok : Outcome::failed;
    }
    switch (response.status) {
      case 200:
      case 201:
      case 204:
      case 404: return Outcome::ok;
      case 202: return Outcome::accepted;
      case 400:
      case 412:
      case 503: return Outcome::failed;
      case 0: return response.refused ? Outcome::failed : Outcome::unknown;
      default: return Outcome::unknown;
    }
  }

  void count(const Operation& operation) {
    world_.count(Seen::operations);
    if (operation.kind != checker::Kind::get) return;
    switch (operation.level) {
      case checker::Level::cached: return world_.count(Seen::reads_cached);
      case checker::Level::session: return world_.count(Seen::reads_session);
      case checker::Level::strong: return world_.count(Seen::reads_strong);
    }
  }
  void count(const Event& event, const Response& response) {
    if (event.kind == checker::Kind::get) return;
    if (response.status == 412) world_.count(Seen::conditions_failed);
    if (response.replayed) world_.count(Seen::replays_answered);
    switch (event.outcome) {
      case Outcome::ok: return world_.count(Seen::writes_acknowledged);
      case Outcome::accepted: return world_.count(Seen::writes_accepted);
      case Outcome::failed: return world_.count(Seen::writes_failed);
      case Outcome::unknown: return world_.count(Seen::writes_unknown);
    }
  }

  // ---- faults

  void arm(const Fault& fault) {
    const bool crash = fault.kind == Fault::Kind::crash_api || fault.kind == Fault::Kind::crash_worker;
    if (fault.kind == Fault::Kind::crash_worker && workers_.empty()) return;
    if (crash && fault.step != 0) {
      crash_span_ = fault.span;
      Process& process = fault.kind == Fault::Kind::crash_api ? apis_[fault.process % apis_.size()]->process
                                                              : workers_[fault.process % workers_.size()]->process;
      return process.crash_at_step(fault.step);
    }
    world_.schedule(fault.at, nullptr, [this, &fault] { if (!healed_) strike(fault); });
  }

  // The links of the process that a fault is about.
  struct Links {
    Process* process;
    Link* store;
    Link* cache;
    Link* queue;
  };
  Links links_of(const Fault& fault) {
    if (fault.of_worker && !workers_.empty()) {
      WorkerProcess& worker = *workers_[fault.process % workers_.size()];
      return {&worker.process, &worker.store.link, &worker.cache.link, &worker.consumer.link};
    }
    Api& api = *apis_[fault.process % apis_.size()];
    return {&api.process, &api.store.link, &api.cache.link, &api.publisher.link};
  }

  void strike(const Fault& fault) {
    if (world_.tracing()) world_.trace("fault: " + describe(fault));
    world_.mix(static_cast<std::uint64_t>(fault.kind));
    using Kind = Fault::Kind;
    if (fault.kind < Kind::store_outage) return strike_process(fault);
    if (fault.kind < Kind::cache_outage) return strike_store(fault);
    if (fault.kind < Kind::queue_blocked) return strike_cache(fault);
    strike_queue(fault);
  }

  void strike_process(const Fault& fault) {
    const Microseconds until = world_.now() + fault.span;
    Links links = links_of(fault);
    const bool short_retention = settings_.worker.retention < std::chrono::hours(1);
    switch (fault.kind) {
      case Fault::Kind::crash_api:
        crash_span_ = fault.span;
        return crash(apis_[fault.process % apis_.size()]->process);
      case Fault::Kind::crash_worker:
        crash_span_ = fault.span;
        if (!workers_.empty()) crash(workers_[fault.process % workers_.size()]->process);
        return;
      case Fault::Kind::pause_api:
        world_.count(Seen::pause_api);
        return apis_[fault.process % apis_.size()]->process.pause_until(until);
      case Fault::Kind::pause_worker: {
        if (workers_.empty()) return;
        world_.count(Seen::pause_worker);
        WorkerProcess* const worker = workers_[fault.process % workers_.size()];
        worker->process.pause_until(until);
        // Its heartbeats are missed, and when it wakes up it still has what others have been given meanwhile.
        if (fault.amount % 2 == 0) {
          world_.after(fault.span / 2, nullptr, [worker, half = fault.span / 2] { worker->consumer.lose_connection(half); });
        }
        return;
      }
      case Fault::Kind::clock_step:
        world_.count(Seen::clock_step);
        return links.process->step_clock(short_retention ? fault.by_ms % 50 : fault.by_ms);
      case Fault::Kind::clock_far: {
        // Of those whose clocks say what may be purged (workers; without a queue, servers) nothing is promised beyond a minute.
        if (short_retention || !settings_.with_queue) return;
        world_.count(Seen::clock_far);
        Process* const process = &apis_[fault.process % apis_.size()]->process;
        const std::int64_t by_ms = std::max<std::int64_t>(fault.by_ms, -3'600'000);
        process->step_clock(by_ms);
        return world_.after(fault.span, nullptr, [process, by_ms] { process->step_clock(-by_ms); });
      }
      default: return;
    }
  }

  void strike_store(const Fault& fault) {
    const Microseconds until = world_.now() + fault.span;
    Link& link = *links_of(fault).store;
    StoreServer& store = tiers_.store;
    switch (fault.kind) {
      case Fault::Kind::store_power:
        store.lose_power();
        [[fallthrough]];
      case Fault::Kind::store_outage:
        world_.count(Seen::store_outage);
        store.down_until = until;
        return;
      case Fault::Kind::store_hang:
        world_.count(Seen::store_hang);
        store.hangs_until = until;
        return;
      case Fault::Kind::store_conflicts:
        world_.count(Seen::store_conflicts);
        store.conflicts_until = until;
        return;
      case Fault::Kind::store_slow:
        world_.count(Seen::store_slow);
        link.slow_until = until;
        link.slow_by = fault.amount * 60'000;
        return;
      case Fault::Kind::store_answer_lost:
        world_.count(Seen::store_answer_lost);
        link.lose_answers = static_cast<unsigned>(fault.amount);
        return;
      case Fault::Kind::store_request_lost:
        world_.count(Seen::store_request_lost);
        link.lose_requests = static_cast<unsigned>(fault.amount);
        return;
      default: link.cut_until = until;
    }
  }

  void strike_cache(const Fault& fault) {
    if (!settings_.with_cache) return;
    const Microseconds until = world_.now() + fault.span;
    Link& link = *links_of(fault).cache;
    CacheServer& cache = tiers_.cache;
    switch (fault.kind) {
      case Fault::Kind::cache_outage:
        world_.count(Seen::cache_outage);
        cache.down_until = until;
        return;
      case Fault::Kind::cache_failover:
        world_.count(Seen::cache_failover);
        // The old primary gives up when it has not seen the others for a while.
        return cache.fail_over(fault.amount, std::min<Microseconds>(fault.span, 50'000));
      case Fault::Kind::cache_restart:
        world_.count(Seen::cache_restart);
        return cache.restart();
      case Fault::Kind::cache_eviction:
        for (const Key& key : keys_) {
          world_.count(Seen::cache_eviction);
          cache.primary.evict(key);
        }
        return;
      case Fault::Kind::cache_slow:
        world_.count(Seen::cache_slow);
        link.slow_until = until;
        link.slow_by = fault.amount * 15'000;
        return;
      case Fault::Kind::cache_answer_lost:
        world_.count(Seen::cache_answer_lost);
        link.lose_answers = static_cast<unsigned>(fault.amount);
        return;
      default: link.cut_until = until;
    }
  }

  void strike_queue(const Fault& fault) {
    if (!settings_.with_queue) return;
    const Microseconds until = world_.now() + fault.span;
    const auto amount = static_cast<unsigned>(fault.amount);
    Broker& broker = tiers_.broker;
    Broker::Queue& queue = broker.queues[fault.amount % broker.queues.size()];
    switch (fault.kind) {
      case Fault::Kind::queue_blocked:
        world_.count(Seen::queue_blocked);
        broker.blocked_until = until;
        return;
      case Fault::Kind::queue_publisher_lost:
        world_.count(Seen::queue_connection_lost);
        return apis_[fault.process % apis_.size()]->publisher.lose_connection(fault.span);
      case Fault::Kind::queue_consumer_lost:
        world_.count(Seen::queue_connection_lost);
        return workers_[fault.process % workers_.size()]->consumer.lose_connection(fault.span);
      case Fault::Kind::queue_failover:
        world_.count(Seen::queue_failover);
        return broker.fail_over(fault.amount % broker.queues.size(), fault.span);
      case Fault::Kind::queue_unroutable:
        queue.missing_until = until;
        return;
      case Fault::Kind::queue_nack: broker.nacks = amount; return;
      case Fault::Kind::queue_confirm_lost: broker.lost_confirms = amount; return;
      case Fault::Kind::queue_publish_lost: broker.lost_publishes = amount; return;
      case Fault::Kind::queue_reply_lost: broker.lost_replies = amount; return;
      case Fault::Kind::queue_duplicate: broker.duplicates = amount; return;
      case Fault::Kind::queue_reorder: broker.reorders = amount; return;
      case Fault::Kind::queue_slow: {
        world_.count(Seen::queue_slow);
        Link& link = *links_of(fault).queue;
        link.slow_until = until;
        link.slow_by = fault.amount * 60'000;
        return;
      }
      case Fault::Kind::queue_cut: return cut_from_queue(fault);
      default: apis_[fault.process % apis_.size()]->clients.lose_answers = amount;
    }
  }

  // A connection over which nothing comes any more ends in the end.
  void cut_from_queue(const Fault& fault) {
    world_.count(Seen::queue_connection_lost);
    links_of(fault).queue->cut_until = world_.now() + fault.span;
    const auto lost = [this, &fault] {
      if (fault.of_worker && !workers_.empty()) return workers_[fault.process % workers_.size()]->consumer.lose_connection(500);
      apis_[fault.process % apis_.size()]->publisher.lose_connection(500);
    };
    world_.after(fault.span, nullptr, lost);
  }

  const Plan& plan_;
  const Settings& settings_;
  Coverage& coverage_;
  checker::History& history_;
  World world_;
  Tiers tiers_;
  std::vector<Key> keys_;
  std::vector<Api*> apis_;
  std::vector<WorkerProcess*> workers_;
  std::vector<Process*> clients_;
  std::vector<std::vector<Version>> seen_;  // by client and key: the newest version it was told
  std::vector<std::pair<std::uint32_t, OpId>> accepted_;  // by key
  std::size_t clients_left_ = 0;
  Microseconds crash_span_ = 0;
  bool healed_ = false;
  bool recovery_failed_ = false;
};

checker::CheckOptions check_options(const Settings& settings) {
  checker::CheckOptions options;
  options.ttl_us = settings.cache.ttl_ms * 1000;
  // A lease's life, the writer's two tries, and messages of a slow link.
  options.margin_us = settings.cache.lease_ttl_ms * 1000 + static_cast<std::uint64_t>(settings.applier.cache_timeout.count()) * 1000 + 150'000;
  return options;
}

}  // namespace

RunResult run(const Plan& plan, Coverage& coverage, bool trace) {
  static checker::History history;
  history.events.clear();
  history.finals.clear();
  Arena::reset();
  RunResult result;
  {
    const Arena::Scope inside;
    // Never destroyed: whatever still waits in it is forgotten with its memory.
    Run& one = *new Run(plan, coverage, trace, history);
    result = one();
  }
  result.memory = Arena::used();
  if (!result.ok) return result;
  const checker::Verdict verdict = checker::check(history, check_options(plan.settings));
  if (verdict.ok) return result;
  result.ok = false;
  result.violation = checker::name_of(verdict.violation);
  result.why = verdict.why + " (key k" + std::to_string(verdict.key) + ")";
  for (const std::size_t at : verdict.events) {
    const checker::Event& event = history.events[at];
    static constexpr std::string_view kinds[] = {"put", "delete", "get"};
    result.why += "\n    client " + std::to_string(event.client) + ": " + std::string(kinds[static_cast<std::size_t>(event.kind)]) + " " +
                  std::to_string(event.value) + " from " + std::to_string(event.invoked_us) + " to " +
                  (event.returned_us == checker::never_returned ? "the end" : std::to_string(event.returned_us)) + " us, status " +
                  std::to_string(event.status) + ", version " + event.version.text();
  }
  return result;
}

}  // namespace armazem::sim
