// Where what clients saw is written: one file for each thousand keys, so that none gets too large to be judged, and the
// operations whose fate has to be asked for in the end.
//
// Thread rule: any thread.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "checker/history.h"

namespace armazem::faults {

// Answers so far, by what they say.
struct Counts {
  std::atomic<std::uint64_t> reads{0}, applied{0}, accepted{0}, refused{0}, unknown{0}, failed{0};
  [[nodiscard]] std::string json() const;
};

class HistoryFiles {
 public:
  explicit HistoryFiles(std::filesystem::path directory) : directory_(std::move(directory)) {}

  // `operation`: by which to ask for the fate of a write that was not answered as applied.
  void add(const checker::Event& event, const Version& operation);
  void add_line(std::uint32_t key, const std::string& line);
  void flush();

  struct OpenOperation {
    std::uint32_t key;
    Version operation;
  };
  [[nodiscard]] std::vector<OpenOperation> open_operations() const;
  [[nodiscard]] const Counts& counts() const noexcept { return counts_; }

 private:
  std::ofstream& file_of(std::uint32_t key);
  void count(const checker::Event& event);

  const std::filesystem::path directory_;
  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<std::ofstream>> files_;
  std::vector<OpenOperation> open_;
  Counts counts_;
};

}  // namespace armazem::faults
