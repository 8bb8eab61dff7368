#include "checker/edn.h"

#include <algorithm>
#include <map>
#include <ostream>
#include <string>
#include <vector>

namespace armazem::checker {
namespace {

struct Moment {
  std::uint64_t at;
  bool is_completion;
  const Event* event;
};

bool takes_part(const Event& event) {
  if (event.kind == Kind::get) return event.level == Level::strong && event.outcome == Outcome::ok;
  return event.outcome != Outcome::failed && event.resolution != Resolution::superseded;
}

std::string nil_or(std::uint64_t value) { return value == 0 ? "nil" : std::to_string(value); }

class Writer {
 public:
  Writer(std::ostream& out, const History& history) : out_(out) {
    for (const Event& event : history.events) {
      if (event.kind == Kind::put && !event.version.is_nil()) values_[event.version] = event.value;
    }
  }

  void write(const Moment& moment) {
    const Event& event = *moment.event;
    const bool known = event.outcome == Outcome::ok;
    out_ << "{:process " << event.client << ", :type "
         << (!moment.is_completion ? ":invoke"
             : known               ? ":ok"
                                   : ":info")
         << ", :f " << function(event) << ", :key " << event.key << ", :value " << value(moment) << ", :time "
         << moment.at * 1000 << "}\n";
  }

 private:
  std::uint64_t const* expected(const Event& event) const {
    if (!event.if_match) return nullptr;
    const auto place = values_.find(*event.if_match);
    return place == values_.end() ? nullptr : &place->second;
  }
  const char* function(const Event& event) const {
    if (event.kind == Kind::get) return ":read";
    return expected(event) != nullptr ? ":cas" : ":write";
  }
  std::string value(const Moment& moment) const {
    const Event& event = *moment.event;
    if (event.kind == Kind::get) return moment.is_completion ? nil_or(event.value) : "nil";
    const std::string written = event.kind == Kind::remove ? "nil" : nil_or(event.value);
    const auto* before = expected(event);
    return before == nullptr ? written : "[" + nil_or(*before) + " " + written + "]";
  }

  std::ostream& out_;
  std::map<Version, std::uint64_t> values_;
};

}  // namespace

void write_edn(std::ostream& out, const History& history) {
  std::vector<Moment> moments;
  for (const Event& event : history.events) {
    if (!takes_part(event)) continue;
    moments.push_back({event.invoked_us, false, &event});
    if (event.returned_us != never_returned) moments.push_back({event.returned_us, true, &event});
  }
  std::ranges::stable_sort(moments, [](const Moment& a, const Moment& b) {
    return a.at != b.at ? a.at < b.at : a.is_completion < b.is_completion;
  });
  Writer writer(out, history);
  for (const Moment& moment : moments) writer.write(moment);
}

}  // namespace armazem::checker
