// Rules that can be switched off one by one, so that the simulation (tests/simulation/) can show that it would notice.
//
// Only where the option ARMAZEM_PLANTED_BUGS is on, which builds nothing but the simulation. Everywhere else `planted` is
// false for the compiler too, and no trace of it is left.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace armazem {

enum class Bug : std::uint8_t {
  none,
  answer_before_commit,
  no_version_guard,
  versions_as_doubles,
  no_op_id,
  restamp_without_proof,
  publish_not_mandatory,
  ignore_nacks,
  lease_never_destroyed,
  fill_from_stale_read,
  ack_before_commit,
  cache_before_store,
  no_ttl,
};
inline constexpr std::array<std::string_view, 13> bug_names{
    "none", "answer-before-commit", "no-version-guard", "versions-as-doubles", "no-op-id", "restamp-without-proof",
    "publish-not-mandatory", "ignore-nacks", "lease-never-destroyed", "fill-from-stale-read", "ack-before-commit",
    "cache-before-store", "no-ttl"};

#ifdef ARMAZEM_PLANTED_BUGS
inline Bug planted_bug = Bug::none;  // chosen once, before anything runs
// A program that has this in it must never be given to anybody; a test looks for it.
[[gnu::used]] inline constexpr char planted_marker[] = "armazem was built with planted bugs";
[[nodiscard]] inline bool planted(Bug bug) noexcept { return planted_bug == bug; }
#else
[[nodiscard]] constexpr bool planted(Bug) noexcept { return false; }
#endif

}  // namespace armazem
