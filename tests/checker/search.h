// Is there an order of the operations on one key, within their times, in which every answer is right?
//
// The algorithm of Wing and Gong (Testing and verifying concurrent objects, 1993) as Lowe improved it (Testing for
// linearizability, 2017) and Porcupine uses it: depth first over which operation takes effect next, never twice from
// the same set of operations done and the same state. Three rules keep it short, and all of them lose no order:
//   - an operation that only reads, may come next and is right now, comes now;
//   - versions increase in the order of application, so of the writes with a known version only the oldest may come;
//   - a write that perhaps never happened is tried when nothing else fits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "checker/key_history.h"

namespace armazem::checker {

class LinearizabilitySearch {
 public:
  enum class Answer : std::uint8_t { linearizable, not_linearizable, given_up };

  struct Limits {
    std::uint64_t steps_max = 0;
    bool versions_order = true;
  };

  // Weak reads and ignored operations are left out. Working memory is kept for the next call.
  Answer operator()(const KeyHistory& key, const Limits& limits);
  // The same for other operations than those of the key, so that a caller can ask whether fewer explain the failure.
  // Their sources must still be positions in `key`.
  Answer operator()(const KeyHistory& key, std::span<const Op> ops, const Limits& limits);

 private:
  static constexpr std::int32_t none = -1;

  // In this order: what only reads; writes that happened; writes that perhaps did.
  enum class Turn : std::uint8_t { reads, required, optional };

  // What takes part: a call and, when it must have happened by some time, a return.
  struct Item {
    const Op* op;
    std::int32_t position;  // in the key's operations: the identity of a write
    Turn turn;
  };
  struct Entry {
    std::uint64_t at;
    std::int32_t item;
    bool is_return;
    std::int32_t previous, next;
  };
  struct Frame {
    std::int32_t entry;
    std::int32_t state;
    std::int32_t newest;
    Turn turn;
  };

  void prepare(std::span<const Op> ops);
  void add_item(const Op& op, std::int32_t position);
  void link_entries();
  Answer run(std::uint64_t steps_max);
  [[nodiscard]] bool fits(const Item& item) const;
  [[nodiscard]] bool write_fits(const Item& item) const;
  [[nodiscard]] bool may_be_next_version(const Item& item) const;
  // Of the condition of a write in the present state: whether it may hold, whether it may fail.
  [[nodiscard]] bool condition_may_hold(const Event& event) const;
  [[nodiscard]] bool condition_may_fail(const Event& event) const;
  [[nodiscard]] bool is_live() const;
  [[nodiscard]] const Version& state_version() const;
  [[nodiscard]] static bool is_ordered(const Item& item) noexcept {
    return item.turn == Turn::required && !item.op->version.is_nil();
  }
  void take(std::int32_t entry);
  bool undo();
  void unlink(std::int32_t entry);
  void relink(std::int32_t entry);
  // Whether this set and state is new.
  bool remember();
  void grow_table();
  [[nodiscard]] std::size_t slot_of(const std::uint64_t* words) const;

  const KeyHistory* key_ = nullptr;
  bool versions_order_ = true;
  std::vector<Item> items_;
  std::vector<Entry> entries_;  // [0] is the head of the list
  std::vector<std::int32_t> call_, return_;  // of each item; none when it has no return
  std::vector<std::int32_t> ordered_;  // required writes with a known version, oldest first
  std::size_t next_ordered_ = 0;
  std::size_t required_left_ = 0;
  std::int32_t state_ = absent;  // the write that the key holds, as a position in the key's operations
  std::int32_t newest_ = none;  // the newest write of known version that was applied, likewise
  Turn turn_ = Turn::reads;
  std::int32_t cursor_ = 0;
  std::vector<Frame> stack_;
  std::vector<std::uint64_t> done_;  // a bit per item
  std::vector<std::uint64_t> seen_;  // sets and states that were tried, one behind the other
  std::vector<std::uint32_t> table_;  // hash table of places in seen_, plus 1; 0: empty
  std::size_t seen_count_ = 0;
};

}  // namespace armazem::checker
