// A data directory that another process may be writing to, as it was at one moment. See backup.h.
#pragma once

#include <rocksdb/db.h>

#include <memory>
#include <string>
#include <vector>

#include "adapters/rocksdb/engine_options.h"
#include "core/result.h"

namespace armazem::rocks {

class Follower {
 public:
  // `scratch` must exist: RocksDB writes its own log file there. The moment is not before the call.
  static Result<std::unique_ptr<Follower>> open(const RocksdbOptions& options, const std::string& scratch);
  ~Follower();
  Follower(const Follower&) = delete;
  Follower& operator=(const Follower&) = delete;

  // Families in the order of `families`, `changes` left out. Each call sees the same moment.
  [[nodiscard]] std::unique_ptr<rocksdb::Iterator> read(std::size_t family) const;
  [[nodiscard]] Result<void> check_format() const;

 private:
  explicit Follower(const RocksdbOptions& options);
  Result<void> try_open(const std::string& scratch);
  Result<void> settle();

  const RocksdbOptions options_;
  Memory memory_;
  std::unique_ptr<rocksdb::DB> db_;
  std::vector<rocksdb::ColumnFamilyHandle*> handles_;
};

}  // namespace armazem::rocks
