#include "adapters/redis/cluster_client.h"

#include <algorithm>

#include "adapters/redis/entry_codec.h"

namespace armazem::redis {
namespace {

constexpr std::chrono::milliseconds keep_unused{10'000};

std::string_view first_word(std::string_view text) { return text.substr(0, text.find(' ')); }

// Says that the node cannot serve, and will not by trying again at once.
bool refuses(std::string_view word) {
  constexpr std::array<std::string_view, 7> words = {"CLUSTERDOWN", "LOADING", "READONLY", "MASTERDOWN",
                                                     "BUSY",        "NOAUTH",  "NOREPLICAS"};
  return std::ranges::find(words, word) != words.end();
}

bool denies(std::string_view error) {
  return error.starts_with("NOPERM") || error.find("can't run this command") != error.npos;
}

// GET name, EVALSHA sha 1 name …, or EVAL text 1 name ….
class Arguments {
 public:
  Arguments(const Request& request, bool whole_text) {
    if (request.script == nullptr) {
      add("GET");
    } else {
      add(whole_text ? "EVAL" : "EVALSHA");
      add(whole_text ? request.script->text() : request.script->sha());
      add("1");
    }
    add(request.name);
    for (std::size_t i = 0; i < request.argument_count; ++i) add(request.arguments[i]);
  }
  [[nodiscard]] std::span<const std::string_view> all() const noexcept { return {all_.data(), size_}; }

 private:
  void add(std::string_view argument) { all_[size_++] = argument; }
  std::array<std::string_view, command_arguments_max> all_;
  std::size_t size_ = 0;
};

}  // namespace

Task<Result<Reply>> ClusterClient::call(Request& request, Deadline deadline) {
  const MonotonicTime begin = MonotonicClock::now();
  if (deadline.expired(begin)) co_return fail(ErrorCode::deadline_exceeded, "redis: no time was left to ask");
  Result<Reply> reply = co_await call_routed(request, deadline);
  counters_.calls.add();
  const auto took = std::chrono::duration_cast<std::chrono::microseconds>(MonotonicClock::now() - begin);
  counters_.call_us.add(static_cast<std::uint64_t>(took.count()));
  co_return reply;
}

Task<Result<Reply>> ClusterClient::call_routed(Request& request, Deadline deadline) {
  Result<Route> route = co_await this->route(request.name, deadline);
  bool whole_text = false;
  for (int attempt = 0; route; ++attempt) {
    request.epoch = route->epoch;
    request.generation = generation_;
    for (std::size_t i = 0; i < request.stamped_count; ++i) set_epoch(*request.stamped[i], route->epoch);
    const Arguments arguments(request, whole_text);
    Exchange exchange(*route->link, arguments.all(), deadline, {.asking = route->asking, .probing = false});
    Result<Reply> reply = co_await exchange;
    if (!reply) {
      board_.want_refresh();
      co_return reply;
    }
    if (reply->kind != Reply::Kind::error) {
      route->link->breaker().request_succeeded();
      if (request.script != nullptr) board_.allow();
      co_return reply;
    }
    if (denies(reply->text)) board_.deny(reply->text);
    const std::string_view word = first_word(reply->text);
    const bool redirected = word == "MOVED" || word == "ASK" || word == "TRYAGAIN" || word == "NOSCRIPT";
    if (!redirected && !refuses(word)) co_return reply;

    if (refuses(word)) {
      route->link->refused(reply->text);
      board_.want_refresh();
      co_return fail(ErrorCode::unavailable, "redis " + route->link->node().text() + ": " + reply->text);
    }
    if (attempt == options_.redirects_max) break;
    if (word == "NOSCRIPT") {
      counters_.no_script.add();
      whole_text = true;
    } else if (word == "MOVED") {
      counters_.moved.add();
      route = co_await follow_moved(reply->text, *route, deadline);
    } else if (word == "ASK") {
      counters_.ask.add();
      const auto target = target_of(reply->text, *route);
      if (!target) break;
      // The slot is still its owner's, and so is the epoch.
      route->link = &link_to(*target);
      route->asking = true;
    } else {
      counters_.try_again.add();
      co_await back_off(attempt, deadline);
      route = co_await this->route(request.name, deadline);
    }
  }
  if (!route) co_return fail(std::move(route.error()));
  board_.want_refresh();
  co_return fail(ErrorCode::unavailable, "redis: the nodes do not agree on who serves the key");
}

// ---- where to

bool ClusterClient::is_current(const Request& request, std::uint64_t epoch) {
  adopt_view();
  if (epoch != request.epoch) return false;
  if (generation_ == request.generation) return true;
  const std::size_t shard = view_->shard_of(slot_of(request.name));
  return shard != Topology::none && view_->shards()[shard].epoch == epoch;
}

Task<Result<ClusterClient::Route>> ClusterClient::route(std::string_view name, Deadline deadline) {
  adopt_view();
  // Only at the very start is the first round waited for: a cluster that is down costs no caller time.
  if (!view_ && board_.rounds() == 0) {
    co_await wait_for_round(0, deadline);
    adopt_view();
  }
  const std::size_t shard = view_ ? view_->shard_of(slot_of(name)) : Topology::none;
  if (shard == Topology::none) {
    board_.want_refresh();
    counters_.failed_at_once.add();
    co_return fail(ErrorCode::unavailable, view_ ? "redis: no node serves the key's slot" : "redis: no node answers");
  }
  Route route;
  route.link = primaries_[shard];
  route.epoch = view_->shards()[shard].epoch;
  co_return route;
}

// To a primary that is known: at once, with its epoch. To an unknown one (a replica took over): its epoch has to be
// learned first, or entries from before could not be told from those after.
Task<Result<ClusterClient::Route>> ClusterClient::follow_moved(std::string_view reply, const Route& from,
                                                               Deadline deadline) {
  board_.want_refresh();
  const auto target = target_of(reply, from);
  if (!target) co_return fail(ErrorCode::unavailable, "redis: a malformed redirection");
  for (int round = 0; round < 2; ++round) {
    adopt_view();
    const std::size_t shard = view_ ? view_->find(*target) : Topology::none;
    if (shard != Topology::none) {
      Route route;
      route.link = primaries_[shard];
      route.epoch = view_->shards()[shard].epoch;
      co_return route;
    }
    // The round under way may have asked before the change.
    if (round == 0) co_await wait_for_round(board_.rounds_begun(), deadline);
  }
  co_return fail(ErrorCode::unavailable, "redis: the key moved to " + target->text() + ", which is not yet known");
}

// "MOVED 3999 host:port" or "ASK 3999 host:port"; without a host, the node that answered.
std::optional<net::HostPort> ClusterClient::target_of(std::string_view reply, const Route& from) const {
  const auto space = reply.rfind(' ');
  if (space == reply.npos) return std::nullopt;
  const std::string_view endpoint = reply.substr(space + 1);
  const auto colon = endpoint.rfind(':');
  if (colon == endpoint.npos) return std::nullopt;
  const std::string_view host = endpoint.substr(0, colon);
  auto target = net::parse_host_port("h" + std::string(endpoint.substr(colon)), 0);
  if (!target) return std::nullopt;
  target->host = host.empty() || host == "?" ? from.link->node().host : std::string(host);
  return std::move(*target);
}

Task<void> ClusterClient::back_off(int attempt, Deadline deadline) {
  const auto longest = static_cast<std::uint64_t>(10 << std::min(attempt, 3));
  const MonotonicTime wake = MonotonicClock::now() + std::chrono::milliseconds(1 + random_() % longest);
  co_await sleep_until(std::min(wake, deadline.time()));
}

// Until more than `after` rounds have ended, but not much longer than a command may take.
Task<void> ClusterClient::wait_for_round(std::uint64_t after, Deadline deadline) {
  struct Wait {
    ClusterClient& client;
    RoundWaiter waiter;
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> self) {
      waiter.waiting = self;
      client.round_waiters_.push_back(waiter);
    }
    void await_resume() const noexcept {}
  };
  const MonotonicTime patience = MonotonicClock::now() + 2 * options_.command_timeout;
  Wait wait{*this, {{}, after, std::min(patience, deadline.time())}};
  co_await wait;
}

void ClusterClient::resume_round_waiters(MonotonicTime now) {
  const std::uint64_t rounds = board_.rounds();
  std::erase_if(round_waiters_, [&](const RoundWaiter& waiter) {
    if (rounds <= waiter.after && now < waiter.give_up) return false;
    loop_.post(waiter.waiting);
    return true;
  });
}

// ---- links

Link& ClusterClient::link_to(const net::HostPort& node) {
  auto& link = links_[node];
  if (!link) link = std::make_unique<Link>(environment_, node);
  return *link;
}

void ClusterClient::adopt_view() {
  const std::uint64_t generation = board_.generation();
  if (generation == generation_) return;
  generation_ = generation;
  view_ = board_.view();
  primaries_.clear();
  for (const Shard& shard : view_->shards()) primaries_.push_back(&link_to(shard.primary));
  if (all_nodes_) {
    for (const net::HostPort& node : view_->nodes()) link_to(node);
  }
}

void ClusterClient::retire_unused(MonotonicTime now) {
  std::erase_if(links_, [](const auto& entry) { return entry.second->ended(); });
  for (const auto& [node, link] : links_) {
    const bool primary = std::ranges::find(primaries_, link.get()) != primaries_.end();
    const bool known = all_nodes_ && (!view_ || std::ranges::binary_search(view_->nodes(), node) ||
                                      std::ranges::find(options_.seeds, node) != options_.seeds.end());
    if (!primary && !known && now - link->last_used() > keep_unused) link->retire();
  }
}

// ---- life

ClusterClient::ClusterClient(net::IoLoop& loop, const RedisOptions& options, net::Resolver& resolver,
                             const TlsContext* tls, ViewBoard& board, bool all_nodes)
    : loop_(loop),
      options_(options),
      board_(board),
      all_nodes_(all_nodes),
      scope_(loop),
      environment_{loop, options, resolver, tls, counters_, random_, scope_} {}

ClusterClient::~ClusterClient() = default;

Task<void> ClusterClient::start() {
  scope_.spawn(tick_until_closed());
  co_return;
}

Task<void> ClusterClient::close() {
  closing_ = true;
  for (const auto& [node, link] : links_) link->retire();
  co_await scope_.join();
  links_.clear();
}

// One clock for everything that waits in the background: many time-outs and pauses cost one timer.
Task<void> ClusterClient::tick_until_closed() {
  const auto period = std::clamp(options_.command_timeout / 8, std::chrono::milliseconds(2), std::chrono::milliseconds(25));
  while (!closing_) {
    tick(MonotonicClock::now());
    co_await sleep_until(MonotonicClock::now() + period);
  }
}

void ClusterClient::tick(MonotonicTime now) {
  adopt_view();
  std::uint64_t open = 0;
  for (const auto& [node, link] : links_) {
    link->tick(now);
    open += link->breaker().allows() ? 0 : 1;
  }
  counters_.breakers_open.set(open);
  retire_unused(now);
  resume_round_waiters(now);
  if (!all_nodes_) return;
  report_health();
  constexpr std::chrono::milliseconds between_rounds{50};
  const bool wanted = board_.refresh_wanted() && now - refreshed_at_ >= between_rounds;
  if (!refreshing_ && (wanted || now >= refresh_due_)) {
    refreshing_ = true;
    scope_.spawn(refresh());
  }
}

}  // namespace armazem::redis
