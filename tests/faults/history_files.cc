#include "faults/history_files.h"

#include <cstdio>

#include "checker/json_lines.h"

namespace armazem::faults {
namespace {

constexpr std::uint32_t keys_per_file = 1000;

}  // namespace

std::string Counts::json() const {
  std::string out = "{";
  const auto add = [&](const char* name, std::uint64_t count) {
    out.append(out.size() > 1 ? "," : "").append("\"").append(name).append("\":").append(std::to_string(count));
  };
  add("reads", reads);
  add("applied", applied);
  add("accepted", accepted);
  add("refused", refused);
  add("unknown", unknown);
  add("failed", failed);
  return out + "}";
}

void HistoryFiles::add(const checker::Event& event, const Version& operation) {
  count(event);
  std::string line;
  checker::append_event(line, event, operation);
  const std::scoped_lock lock(mutex_);
  file_of(event.key) << line;
  if (!operation.is_nil()) open_.push_back({event.key, operation});
}

void HistoryFiles::add_line(std::uint32_t key, const std::string& line) {
  const std::scoped_lock lock(mutex_);
  file_of(key) << line;
}

void HistoryFiles::flush() {
  const std::scoped_lock lock(mutex_);
  for (const auto& file : files_) {
    if (file) file->flush();
  }
}

std::vector<HistoryFiles::OpenOperation> HistoryFiles::open_operations() const {
  const std::scoped_lock lock(mutex_);
  return open_;
}

std::ofstream& HistoryFiles::file_of(std::uint32_t key) {
  const std::size_t number = key / keys_per_file;
  if (files_.size() <= number) files_.resize(number + 1);
  if (!files_[number]) {
    char name[32];
    std::snprintf(name, sizeof name, "history-%05zu.jsonl", number);
    files_[number] = std::make_unique<std::ofstream>(directory_ / name);
  }
  return *files_[number];
}

void HistoryFiles::count(const checker::Event& event) {
  const bool reads = event.kind == checker::Kind::get;
  switch (event.outcome) {
    case checker::Outcome::ok: ++(reads ? counts_.reads : counts_.applied); break;
    case checker::Outcome::accepted: ++counts_.accepted; break;
    case checker::Outcome::unknown: ++counts_.unknown; break;
    case checker::Outcome::failed:
      ++(event.status == 412 ? counts_.applied : event.status == 503 ? counts_.refused : counts_.failed);
      break;
  }
}

}  // namespace armazem::faults
