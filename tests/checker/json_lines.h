// Histories as files: JSON lines, described in docs/histories.md.
#pragma once

#include <iosfwd>
#include <string>
#include <string_view>
#include <unordered_map>

#include "checker/history.h"
#include "core/result.h"

namespace armazem::checker {

// Appends one line, newline included. `operation`: by what name to ask for a write's fate, if it has one.
void append_event(std::string& out, const Event& event, const Version& operation = {});
void append_final(std::string& out, const FinalState& state);
// The fate of the write of that key that was asked for by `operation`; `applied_as`: its version, when it was applied.
void append_resolution(std::string& out, std::uint32_t key, const Version& operation, Resolution resolution,
                       const Version& applied_as);

// Reads lines, in any order but that a resolution stands behind its operation.
class HistoryReader {
 public:
  // The error names what is wrong with the line.
  Result<void> add_line(std::string_view line);
  Result<void> read(std::istream& in);
  [[nodiscard]] const History& history() const noexcept { return history_; }

 private:
  History history_;
  std::unordered_map<std::string, std::size_t> by_operation_;  // "key/operation" -> index of the event
};

}  // namespace armazem::checker
