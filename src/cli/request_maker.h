// Makes the requests of one connection, one after the other. What it makes depends on the seed and on its number alone;
// only the sequential and latest patterns ask a counter that all connections share.
//
// Thread rule: one thread; makers on several threads may share one SharedWork.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>

#include "cli/bench_options.h"
#include "cli/http_client.h"
#include "cli/random.h"
#include "cli/zipf.h"
#include "core/version.h"

namespace armazem::cli {

// How many keys were handed out by the sequential pattern, or written by the latest one.
using KeyCounter = std::atomic<std::uint64_t>;

class KeyChooser {
 public:
  KeyChooser(const KeyOptions& options, KeyCounter& counter);
  // A number below options.count; `written`: it is for a PUT.
  [[nodiscard]] std::uint64_t next(Random& random, bool written);

 private:
  const KeyOptions& options_;
  KeyCounter& counter_;
  std::optional<Zipf> zipf_;
};

// What all connections of a run have in common.
struct SharedWork {
  explicit SharedWork(const BenchOptions& options);
  KeyCounter keys{0};
  const std::string filler;  // values are pieces of it
};

class SizeChooser {
 public:
  explicit SizeChooser(const ValueOptions& options);
  [[nodiscard]] std::size_t next(Random& random) const;

 private:
  const ValueOptions& options_;
  std::optional<Zipf> zipf_;
};

class RequestMaker {
 public:
  // The options and the shared work must outlive it.
  RequestMaker(const BenchOptions& options, std::uint64_t connection, SharedWork& shared);

  struct Made {
    Operation operation = Operation::put;
    HttpRequest request;  // valid until the next call
  };
  [[nodiscard]] Made next();
  // Tells what became of the last request; reads of a session ask for what was written.
  void answered(const HttpAnswer& answer);

 private:
  [[nodiscard]] Operation next_operation();
  void make_target();
  void make_body();
  void make_read_headers();

  const BenchOptions& options_;
  Random random_;
  KeyChooser keys_;
  SizeChooser sizes_;
  const std::string& filler_;
  Operation operation_ = Operation::get;
  std::uint64_t key_ = 0;
  std::string key_text_;
  std::string target_;
  std::string headers_;
  std::string body_;
  std::unordered_map<std::uint64_t, Version> written_;  // by key; only for sessions
};

}  // namespace armazem::cli
