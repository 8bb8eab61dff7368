#include "simulation/processes.h"

#include <algorithm>

#include "core/task_scope.h"

namespace armazem::sim {
namespace {

constexpr std::chrono::milliseconds chore_interval{25};

// As src/http/problem.cc has it, as far as it tells whether anything was done.
std::uint16_t status_of(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::invalid_argument: return 400;
    case ErrorCode::outcome_unknown: return 504;
    case ErrorCode::data_damaged:
    case ErrorCode::internal: return 500;
    default: return 503;
  }
}

std::uint16_t status_of(const WriteAnswer& answer) noexcept {
  switch (answer.kind) {
    case WriteAnswer::Kind::created: return 201;
    case WriteAnswer::Kind::replaced: return 200;
    case WriteAnswer::Kind::deleted: return 204;
    case WriteAnswer::Kind::nothing_to_delete: return 404;
    case WriteAnswer::Kind::condition_failed: return 412;
    case WriteAnswer::Kind::accepted: return 202;
  }
  return 500;
}

}  // namespace

Api::Api(World& world, Tiers& tiers, const Settings& settings, std::string name, std::int64_t clock_ahead_ms)
    : process(world, std::move(name)),
      store(tiers.store, world, process),
      cache(tiers.cache, world, process),
      publisher(tiers.broker, world, process),
      clients{world},
      clock(process),
      world_(world),
      settings_(settings),
      ops_(world),
      applier_(store, settings.with_cache ? &cache : nullptr, process, settings.applier),
      batcher_(applier_, process, process, settings.batcher),
      reader_(store, settings.with_cache ? &cache : nullptr, process, settings.reader),
      writer_(batcher_, settings.with_queue ? &enqueuer_.emplace(publisher, process, process, settings.enqueuer) : nullptr, clock, ops_,
              process, settings.writer),
      operations_(store, process, settings.operations),
      purger_(store, process, {settings.reader.retention, settings.purge_interval, 500}) {
  process.set_clock(clock_ahead_ms);
  if (enqueuer_) publisher.set_sink(*enqueuer_);
  start_root(process, chores());
}

Task<void> Api::chores() {
  while (true) {
    co_await sleep_until(process.now() + chore_interval);
    batcher_.expire(process.now());
    if (enqueuer_) enqueuer_->expire(process.now());
    const bool purges = !settings_.with_queue && purger_.due(process.now());
    if (purges) co_await purger_.run();
  }
}

void Api::serve(Request request, Rpc<Response>& to) {
  open_.push_back(&to);
  start_root(process, answer(std::move(request), to));
}

Task<void> Api::answer(Request request, Rpc<Response>& to) {
  Response response;
  if (request.kind == checker::Kind::get) {
    response = co_await read(request);
  } else {
    response = co_await write(request);
  }
  std::erase(open_, &to);
  if (Link::spend(clients.lose_answers)) {
    world_.count(Seen::client_answer_lost);
    co_return;
  }
  world_.after(clients.delay(), nullptr, [&to, response] { to.finish(response); });
}

Task<Response> Api::read(const Request& request) {
  Response response;
  if (request.level == checker::Level::session && !clock.observe(request.token)) {
    world_.count(Seen::too_far_ahead);
    response.status = 400;
    co_return response;
  }
  ReadRequest wanted;
  wanted.strong = request.level == checker::Level::strong;
  if (request.level == checker::Level::session) wanted.at_least = request.token;
  const Deadline deadline = Deadline::after(process.now(), settings_.writer.store_timeout);
  const Result<ReadAnswer> found = co_await reader_.read(request.key, wanted, deadline);
  if (!found) {
    if (found.error().code == ErrorCode::not_yet_visible) world_.count(Seen::not_yet_visible);
    response.status = status_of(found.error().code);
    co_return response;
  }
  response.status = found->record ? 200 : 404;
  response.from_cache = found->from_cache;
  if (found->from_cache) world_.count(Seen::cache_hits);
  if (found->record) {
    response.version = found->record->version;
    response.value = number_of(found->record->value);
  }
  co_return response;
}

Task<Response> Api::write(const Request& request) {
  Response response;
  const Version& named = request.condition.version;
  const bool too_far = (!request.token.is_nil() && !clock.observe(request.token)) || (!named.is_nil() && !clock.observe(named));
  if (too_far) {
    world_.count(Seen::too_far_ahead);
    response.status = 400;
    co_return response;
  }
  WriteRequest wanted{request.kind == checker::Kind::put ? Mutation::Kind::put : Mutation::Kind::remove, request.key};
  if (request.kind == checker::Kind::put) wanted.value = {std::to_string(request.value), "text/plain", ValueForm::text};
  wanted.condition = request.condition;
  wanted.respond_async = request.respond_async;
  if (request.patient) wanted.wait = std::chrono::seconds(1);
  if (!request.idempotency_key.empty()) {
    wanted.op = digest_op_id({request.idempotency_key, wanted.kind, wanted.key.text(), wanted.value.content_type,
                              wanted.value.bytes, wanted.ttl_seconds});
  }
  const WriteResult result = co_await writer_.write(std::move(wanted));
  response.version = result.operation;
  response.status = result.answer ? status_of(*result.answer) : status_of(result.answer.error().code);
  if (result.answer) {
    response.version = result.answer->version;
    response.replayed = result.answer->replayed;
  }
  co_return response;
}

Task<Result<OperationState>> Api::look_up(const Key& key, Version operation) {
  const Deadline deadline = Deadline::after(process.now(), std::chrono::seconds(5));
  co_return co_await operations_.look_up(key, operation, deadline);
}

void Api::cut_clients() {
  for (Rpc<Response>* open : open_) {
    world_.after(clients.delay(), nullptr, [open] { open->finish(Response()); });
  }
}

void Api::add_figures() {
  if (!enqueuer_) return;
  const Enqueuer::Figures figures = enqueuer_->figures();
  world_.count(Seen::overtaken, figures.overtaken);
  world_.count(Seen::turned_away, figures.turned_away);
}

WorkerProcess::WorkerProcess(World& world, Tiers& tiers, const Settings& settings, std::string name, std::int64_t clock_ahead_ms)
    : process(world, std::move(name)),
      store(tiers.store, world, process),
      cache(tiers.cache, world, process),
      consumer(tiers.broker, world, process, settings.prefetch),
      world_(world),
      settings_(settings),
      applier_(store, settings.with_cache ? &cache : nullptr, process, settings.applier),
      worker_(consumer, applier_, store, process, settings.worker),
      purger_(store, process, {settings.worker.retention, settings.purge_interval, 500}) {
  process.set_clock(clock_ahead_ms);
  start_root(process, worker_.run());
  start_root(process, purge());
}

Task<void> WorkerProcess::purge() {
  while (true) {
    co_await sleep_until(process.now() + settings_.purge_interval);
    if (purger_.due(process.now())) co_await purger_.run();
  }
}

void WorkerProcess::add_figures() {}

}  // namespace armazem::sim
