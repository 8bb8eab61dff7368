// Which deliveries of a channel are still to be acknowledged, and with how few basic.ack a set of them can be.
//
// Thread rule: one thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <set>
#include <vector>

namespace armazem::rabbit {

struct Ack {
  std::uint64_t tag = 0;
  bool multiple = false;  // this and all before it
  friend bool operator==(const Ack&, const Ack&) = default;
};

class AckWindow {
 public:
  void delivered(std::uint64_t tag) { open_.insert(open_.end(), tag); }
  [[nodiscard]] bool empty() const noexcept { return open_.empty(); }
  void clear() noexcept { open_.clear(); }

  // One ack for as many as come first without a gap, one each for the rest. Unknown tags are left out: the broker
  // closes the channel for an ack of what is not open.
  [[nodiscard]] std::vector<Ack> settle(std::vector<std::uint64_t> tags) {
    std::ranges::sort(tags);
    std::vector<Ack> acks;
    bool in_front = true;
    for (const std::uint64_t tag : tags) {
      const auto found = open_.find(tag);
      if (found == open_.end()) continue;
      in_front = in_front && found == open_.begin();
      if (in_front && !acks.empty()) {
        acks.back() = {tag, true};
      } else {
        acks.push_back({tag, false});
      }
      open_.erase(found);
    }
    return acks;
  }

 private:
  std::set<std::uint64_t> open_;
};

}  // namespace armazem::rabbit
