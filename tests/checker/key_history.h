// The history of one key, made ready for the checks: each read knows the write it saw, each write its version if
// anybody knows it, and what became of the unknown ones is used as far as it can be known.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "checker/check.h"

namespace armazem::checker {

enum class Role : std::uint8_t {
  ignored,  // without effect and without an answer worth judging
  write,  // applied, or perhaps applied
  refused,  // a condition that did not hold: tells what the key held
  read,  // strong
  weak_read,  // cached, session
};

inline constexpr std::size_t no_event = static_cast<std::size_t>(-1);
inline constexpr std::int32_t absent = -1;

struct Op {
  const Event* event = nullptr;
  std::size_t index = no_event;  // in History::events; none for the read of the final state
  Role role = Role::ignored;
  bool required = false;  // a write that was applied for certain
  std::int32_t source = absent;  // of a read: the put that it saw
  std::uint64_t invoked = 0;
  std::uint64_t returned = never_returned;  // of a write: it was applied by then
  Version version;  // of the write, or of what was read; nil when not known
  bool version_is_final = false;  // of a write: it was applied under exactly this version, if at all
};

class KeyHistory {
 public:
  // The violations that need no search: of validity, and of the final state.
  std::optional<Verdict> load(const History& history, std::span<const std::uint32_t> events,
                              const FinalState* final_state, const CheckOptions& options);

  // Sorted by the time of their begin.
  [[nodiscard]] std::span<const Op> ops() const noexcept { return ops_; }
  [[nodiscard]] const FinalState* final_state() const noexcept { return final_; }
  // Whether a read that returned by `returned` may have found nothing although `floor` was applied: because of a delete
  // not older than it.
  [[nodiscard]] bool may_be_absent(const Version& floor, std::uint64_t returned) const noexcept;
  // The write that is known to have this version.
  [[nodiscard]] const Op* find_version(const Version& version) const noexcept;

  [[nodiscard]] Verdict violation(Violation kind, std::string why, std::initializer_list<const Op*> ops) const;

 private:
  using Found = std::optional<Verdict>;

  void add_events(const History& history, std::span<const std::uint32_t> events);
  void add_final_read();
  Found index_puts();
  Found match_reads();
  Found match_read(Op& read);
  Found learn_version(Op& write, const Op& read);
  Found match_applied();
  Found match_applied_write(const AppliedWrite& applied);
  Found index_versions();
  void settle();
  Found check_resolved() const;
  [[nodiscard]] Op* writer_of(const AppliedWrite& applied) noexcept;

  std::vector<Op> ops_;
  std::vector<std::pair<std::uint64_t, std::int32_t>> puts_;  // value, position in ops_; sorted
  std::vector<std::pair<Version, std::int32_t>> versions_;  // of writes; sorted
  std::vector<std::int32_t> removes_;
  const FinalState* final_ = nullptr;
  Event final_read_;
  std::uint32_t key_ = 0;
};

}  // namespace armazem::checker
