// A RocksDB file system over the real one that knows what a loss of power would leave behind (after LevelDB's
// fault_injection_test), and that fails on command.
//
// Model: a file keeps what was written before its last sync, and perhaps a part of what came later. A directory keeps
// the entries of its last sync, or all. Syncs are only noted, never made: the files die with the test.
#pragma once

#include <rocksdb/file_system.h>

#include <condition_variable>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>

namespace armazem::test {

class UnreliableFileSystem final : public rocksdb::FileSystemWrapper {
 public:
  // What lies below `root` already counts as synced.
  explicit UnreliableFileSystem(const std::filesystem::path& root);

  // Writes what a loss of power at this moment would leave of the files to a new directory `into`.
  void copy_as_after_power_loss(const std::filesystem::path& into, std::mt19937_64& random) const;

  // The next `times` appends to files whose name ends with `suffix` write half and say that the disk is full.
  void fail_appends(const std::string& suffix, int times);
  // The next `times` syncs of such files fail as a disk does that is broken.
  void fail_syncs(const std::string& suffix, int times);

  // Reads of files whose name ends with `suffix` wait from now on, until they are released.
  void hold_reads(const std::string& suffix);
  void release_reads();
  [[nodiscard]] int held_reads() const;

  const char* Name() const override { return "UnreliableFileSystem"; }
  rocksdb::IOStatus NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* file,
                                    rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus NewRandomAccessFile(const std::string& name, const rocksdb::FileOptions& options,
                                        std::unique_ptr<rocksdb::FSRandomAccessFile>* file,
                                        rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus NewDirectory(const std::string& name, const rocksdb::IOOptions& options,
                                 std::unique_ptr<rocksdb::FSDirectory>* directory,
                                 rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus DeleteFile(const std::string& name, const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus RenameFile(const std::string& from, const std::string& to, const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* debug) override;

 private:
  class File;
  class ReadableFile;
  class Directory;

  // A file apart from its name, which may change or go while the content must still be known.
  struct Inode {
    explicit Inode(const std::string& path);
    ~Inode();
    Inode(const Inode&) = delete;
    Inode& operator=(const Inode&) = delete;
    const int fd;
    std::uint64_t written = 0;
    std::uint64_t synced = 0;
  };
  struct Fault {
    std::string suffix;
    int times = 0;
  };

  void sync_directory(const std::string& path);
  static bool strikes(Fault& fault, const std::string& name);
  void wait_if_held(const std::string& name);

  mutable std::mutex mutex_;  // guards all below, and all inodes
  std::map<std::string, std::shared_ptr<Inode>> now_;      // by path: as the running process sees it
  std::map<std::string, std::shared_ptr<Inode>> durable_;  // by path: as of the last sync of each directory
  Fault append_fault_;
  Fault sync_fault_;
  std::string held_suffix_;  // empty: no read waits
  int held_reads_ = 0;
  std::condition_variable released_;
};

}  // namespace armazem::test
