#include "checker/random_history.h"

#include <algorithm>
#include <random>
#include <vector>

namespace armazem::checker {
namespace {

struct Written {
  std::uint64_t value;  // 0: deleted
  Version version;
  std::uint64_t from;   // when it took effect
  std::uint64_t until = never_returned;
};

class Store {
 public:
  Store(std::uint64_t seed, const RandomHistoryOptions& options)
      : random_(seed), options_(options), written_(options.keys) {}

  History run() {
    for (std::size_t at = 0; at < options_.operations; ++at) {
      now_ += 1 + random_() % 20;
      history_.events.push_back(one_operation());
    }
    for (std::uint32_t key = 0; key < options_.keys; ++key) add_final(key);
    std::ranges::shuffle(history_.events, random_);
    return std::move(history_);
  }

 private:
  bool chance(unsigned percent) { return random_() % 100 < percent; }

  Event one_operation() {
    Event event;
    event.client = static_cast<std::uint32_t>(random_() % 5);
    event.key = static_cast<std::uint32_t>(random_() % options_.keys);
    event.invoked_us = now_ - std::min(now_, random_() % 60);
    event.returned_us = now_ + random_() % 60;
    event.outcome = Outcome::ok;
    if (chance(50)) {
      read(event);
    } else {
      write(event);
    }
    if (!options_.versions && event.min_version.is_nil()) event.version = {};
    return event;
  }

  void read(Event& event) {
    event.kind = Kind::get;
    const auto& all = written_[event.key];
    event.level = options_.versions ? static_cast<Level>(random_() % 3) : Level::strong;
    std::size_t seen = all.size();  // one behind the write that is seen; 0: what was there before all
    if (event.level != Level::strong && !all.empty()) {
      const std::size_t asked = random_() % all.size();
      seen = asked + random_() % (all.size() - asked) + 1;
      if (event.level == Level::session) event.min_version = all[asked].version;
      // Not older than the time to live, counted from when it was replaced.
      while (seen < all.size() && all[seen].from + options_.ttl_us < event.invoked_us) ++seen;
    }
    event.status = 404;
    if (seen == 0 || all[seen - 1].value == 0) return;
    event.value = all[seen - 1].value;
    event.version = all[seen - 1].version;
    event.status = 200;
  }

  bool condition_holds(const Event& event, const Written* live) const {
    if (!event.conditional) return true;
    if (event.if_none_match) return live == nullptr;
    return live != nullptr && (!event.if_match || *event.if_match == live->version);
  }

  void add_condition(Event& event, const std::vector<Written>& all) {
    event.conditional = true;
    if (all.empty() || chance(30)) {
      event.if_none_match = true;
    } else if (chance(80)) {
      event.if_match = all[all.size() - 1 - random_() % std::min<std::size_t>(all.size(), 2)].version;
    }
  }

  void write(Event& event) {
    auto& all = written_[event.key];
    event.kind = chance(20) ? Kind::remove : Kind::put;
    if (event.kind == Kind::put) event.value = ++last_value_;
    if (options_.versions && chance(30)) add_condition(event, all);
    const Written* live = !all.empty() && all.back().value != 0 ? &all.back() : nullptr;
    const bool lost = chance(options_.unknown_percent);
    if (lost && chance(50)) return become_unknown(event);  // and it never got there
    if (!condition_holds(event, live)) {
      event.outcome = Outcome::failed;
      event.status = 412;
      if (live != nullptr) event.version = live->version;
      return;
    }
    const bool was_live = live != nullptr;
    const Version version = Version::make(Tick(now_ + 1), OpId(random_()));
    if (!all.empty()) all.back().until = now_;
    all.push_back({event.value, version, now_});
    if (lost) return become_unknown(event);
    event.version = version;
    if (options_.statuses) event.status = event.kind == Kind::put ? (was_live ? 200 : 201) : (was_live ? 204 : 404);
  }

  static void become_unknown(Event& event) {
    event.outcome = Outcome::unknown;
    event.returned_us = never_returned;
    event.status = 0;
  }

  void add_final(std::uint32_t key) {
    FinalState state;
    state.key = key;
    if (!written_[key].empty()) {
      const Written& last = written_[key].back();
      state.store_value = last.value;
      if (options_.versions) state.store_version = last.version;
    }
    if (options_.applied) {
      state.applied_known = true;
      for (const Written& each : written_[key]) state.applied.push_back({each.version, each.value});
    }
    history_.finals.push_back(std::move(state));
  }

  std::mt19937_64 random_;
  const RandomHistoryOptions options_;
  History history_;
  std::vector<std::vector<Written>> written_;
  std::uint64_t now_ = 100;
  std::uint64_t last_value_ = 0;
};

}  // namespace

History random_history(std::uint64_t seed, const RandomHistoryOptions& options) { return Store(seed, options).run(); }

}  // namespace armazem::checker
