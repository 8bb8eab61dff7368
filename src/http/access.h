// Who may do what: the rules that stand before every request.
//
// The router asks `admit` before it looks at anything but the path: how often an address may ask, and whose key it is.
// What the key may do is asked by `check_access` once the store's key, or the prefix of a list, is known and before
// cache, queue or store are touched. Without keys everybody may do everything, and only the rates count.
//
// A key that is right is never refused for wrong ones from the same address: 256 bits cannot be guessed, and behind a
// proxy everybody has one address. So the limit on wrong keys bounds what they cost, above all in the log.
//
// Denials and administrative operations go to the log with the id of the API key; keys, values and secrets never do.
//
// Thread rule: any thread.
#pragma once

#include <array>
#include <atomic>
#include <optional>
#include <string_view>

#include "access/key_ring.h"
#include "access/rate_limiter.h"
#include "core/time_source.h"
#include "http/message.h"
#include "http/problem.h"

namespace armazem::http {

struct AccessOptions {
  Rate per_address;       // requests of any kind but health checks
  Rate per_key;           // requests with that API key
  Rate bad_keys;          // per address: requests with an API key that is none
};

class Access {
 public:
  enum class Denial : std::uint8_t { no_key, bad_key, bad_keys_rate, forbidden, address_rate, key_rate };
  static constexpr std::size_t denial_count = 6;
  [[nodiscard]] static std::string_view to_string(Denial denial) noexcept;

  // `keys` is nullptr when there are none. Both must outlive this.
  Access(const KeyRing* keys, const AccessOptions& options, const TimeSource& time);

  // By path, method and headers alone; fills request.identity. The route must be set.
  std::optional<Problem> admit(Request& request);
  // Whether the identity of the request has that right on that key, or on all keys with that prefix.
  std::optional<Problem> check(const Request& request, Right right, std::string_view key_or_prefix);
  // The same, of an answer that goes on for long, by what the keys file says now. Not counted, not logged.
  [[nodiscard]] bool still_allows(const Identity& identity, Right right, std::string_view key_or_prefix) const;
  // An administrative operation that was allowed goes to the log, as `what`; its lines are counted apart from those of denials.
  void record(const Request& request, std::string_view what);

  [[nodiscard]] std::uint64_t denied(Denial denial) const noexcept {
    return denied_[static_cast<std::size_t>(denial)].load(std::memory_order_relaxed);
  }
  // Log lines that were left out because there were too many of one client.
  [[nodiscard]] std::uint64_t unlogged() const noexcept { return unlogged_.load(std::memory_order_relaxed); }

 private:
  std::optional<Problem> authenticate(Request& request);
  Problem refuse_key(const Request& request, std::string_view id, std::string detail);
  // Counts and logs; `id` may be empty.
  void deny(const Request& request, Denial denial, std::string_view id, std::string_view right = {});
  [[nodiscard]] bool may_log(RateLimiter& lines, const RateLimiter::Subject& subject, MonotonicTime now);

  const KeyRing* const keys_;
  const TimeSource& time_;
  RateLimiter per_address_;
  RateLimiter per_key_;
  RateLimiter bad_keys_;
  RateLimiter log_lines_;
  RateLimiter recorded_lines_;
  std::array<std::atomic<std::uint64_t>, denial_count> denied_{};
  std::atomic<std::uint64_t> unlogged_{0};
};

// For handlers: nullopt when it may. A request whose route asks for no key, or any while keys are off, may.
[[nodiscard]] std::optional<Problem> check_access(const Request& request, Right right, std::string_view key_or_prefix);
// For handlers: an administrative operation that is about to be done.
void record_access(const Request& request, std::string_view what);
// For answers without an end, now and then: false when the key has been revoked or has expired, or may do less now.
[[nodiscard]] bool still_allowed(const Identity& identity, Right right, std::string_view key_or_prefix);

}  // namespace armazem::http
