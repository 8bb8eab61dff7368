#include "checker/check.h"

#include <algorithm>
#include <array>
#include <optional>

#include "checker/explain.h"
#include "checker/key_history.h"
#include "checker/search.h"
#include "checker/version_check.h"

namespace armazem::checker {
namespace {

constexpr std::array<std::string_view, 15> names{
    "none",          "malformed",        "invented-value", "failed-write-seen", "read-from-future", "version-mismatch",
    "version-order", "not-linearizable", "session-stale",  "cache-stale",       "lost-write",       "applied-twice",
    "unresolved",    "diverged",         "timed-out"};
static_assert(names.size() == static_cast<std::size_t>(Violation::timed_out) + 1);

// The working memory of one thread.
class Checker {
 public:
  // Calls found(verdict) for each key with a violation, until it returns false.
  template <typename Found>
  void check(const History& history, const CheckOptions& options, Found found) {
    sort_by_key(history);
    for (std::size_t begin = 0; begin < order_.size();) {
      const std::uint32_t key = history.events[order_[begin]].key;
      std::size_t end = begin;
      while (end < order_.size() && history.events[order_[end]].key == key) ++end;
      auto verdict = check_key(history, {&order_[begin], end - begin}, final_of(key), options);
      if (verdict && !found(*std::move(verdict))) return;
      begin = end;
    }
  }

 private:
  void sort_by_key(const History& history) {
    order_.resize(history.events.size());
    for (std::uint32_t at = 0; at < order_.size(); ++at) order_[at] = at;
    std::ranges::sort(order_, [&](std::uint32_t a, std::uint32_t b) {
      const std::uint32_t key_a = history.events[a].key;
      const std::uint32_t key_b = history.events[b].key;
      return key_a != key_b ? key_a < key_b : a < b;
    });
    finals_.clear();
    for (const FinalState& each : history.finals) finals_.push_back(&each);
    std::ranges::sort(finals_, {}, &FinalState::key);
  }

  const FinalState* final_of(std::uint32_t key) const {
    const auto place = std::ranges::lower_bound(finals_, key, {}, [](const FinalState* each) { return each->key; });
    return place != finals_.end() && (*place)->key == key ? *place : nullptr;
  }

  std::optional<Verdict> check_key(const History& history, std::span<const std::uint32_t> events,
                                   const FinalState* final_state, const CheckOptions& options) {
    if (auto found = key_.load(history, events, final_state, options)) return found;
    if (auto found = versions_(key_, options)) return found;
    switch (search_(key_, {options.search_steps_max, options.versions_order})) {
      case LinearizabilitySearch::Answer::linearizable: break;
      case LinearizabilitySearch::Answer::not_linearizable: return explain(key_, search_, options);
      case LinearizabilitySearch::Answer::given_up:
        return key_.violation(Violation::timed_out,
                              "not decided within " + std::to_string(options.search_steps_max) + " steps", {});
    }
    return check_cache(final_state);
  }

  std::optional<Verdict> check_cache(const FinalState* end) const {
    if (end == nullptr || !end->in_cache) return std::nullopt;
    const bool versions_differ =
        !end->cache_version.is_nil() && !end->store_version.is_nil() && end->cache_version != end->store_version;
    if (end->cache_value == end->store_value && !versions_differ) return std::nullopt;
    return key_.violation(
        Violation::diverged,
        "in the end the cache holds " + end->cache_version.text() + " and the store " + end->store_version.text(), {});
  }

  std::vector<std::uint32_t> order_;
  std::vector<const FinalState*> finals_;
  KeyHistory key_;
  VersionCheck versions_;
  LinearizabilitySearch search_;
};

}  // namespace

std::string_view name_of(Violation violation) noexcept { return names[static_cast<std::size_t>(violation)]; }

namespace {

Checker& checker_of_this_thread() {
  static thread_local Checker checker;
  return checker;
}

}  // namespace

Verdict check(const History& history, const CheckOptions& options) {
  Verdict first;
  checker_of_this_thread().check(history, options, [&](Verdict&& verdict) {
    first = std::move(verdict);
    return false;
  });
  return first;
}

std::vector<Verdict> check_all(const History& history, const CheckOptions& options) {
  std::vector<Verdict> all;
  checker_of_this_thread().check(history, options, [&](Verdict&& verdict) {
    all.push_back(std::move(verdict));
    return true;
  });
  return all;
}

}  // namespace armazem::checker
