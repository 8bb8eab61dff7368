#include "support/unreliable_file_system.h"

#include <fcntl.h>
#include <unistd.h>

#include <fstream>
#include <stdexcept>

namespace armazem::test {
namespace {

namespace fs = std::filesystem;

// RocksDB asks for the same directory with and without a slash at its end.
std::string clean(const std::string& path) {
  fs::path normal = fs::path(path).lexically_normal();
  return normal.has_filename() ? normal.string() : normal.parent_path().string();
}

std::string read_front(int fd, std::uint64_t size) {
  std::string bytes(size, '\0');
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t got = ::pread(fd, bytes.data() + done, bytes.size() - done, static_cast<off_t>(done));
    if (got <= 0) throw std::runtime_error("a file is shorter than what was written to it");
    done += static_cast<std::size_t>(got);
  }
  return bytes;
}

// How much of the part that was not synced is left: often nothing or all, else something in between.
std::uint64_t surviving(std::uint64_t unsynced, std::mt19937_64& random) {
  switch (random() % 3) {
    case 0: return 0;
    case 1: return unsynced;
    default: return random() % (unsynced + 1);
  }
}

}  // namespace

UnreliableFileSystem::Inode::Inode(const std::string& path) : fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
  if (fd < 0) throw std::runtime_error("cannot follow " + path);
}
UnreliableFileSystem::Inode::~Inode() { ::close(fd); }

class UnreliableFileSystem::File final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  File(std::unique_ptr<rocksdb::FSWritableFile> target, std::string name, std::shared_ptr<Inode> inode,
       UnreliableFileSystem& system)
      : FSWritableFileOwnerWrapper(std::move(target)),
        name_(std::move(name)),
        inode_(std::move(inode)),
        system_(system) {}

  rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                           rocksdb::IODebugContext* debug) override {
    const std::lock_guard lock(system_.mutex_);
    const bool fails = strikes(system_.append_fault_, name_);
    const rocksdb::Slice part(data.data(), fails ? data.size() / 2 : data.size());
    auto status = FSWritableFileOwnerWrapper::Append(part, options, debug);
    if (status.ok()) inode_->written += part.size();
    if (!fails) return status;
    status = rocksdb::IOStatus::NoSpace("the test filled the disk", name_);
    status.SetRetryable(true);  // as RocksDB's own file system says it
    return status;
  }
  rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                           const rocksdb::DataVerificationInfo&, rocksdb::IODebugContext* debug) override {
    return Append(data, options, debug);
  }
  rocksdb::IOStatus Truncate(std::uint64_t size, const rocksdb::IOOptions& options,
                             rocksdb::IODebugContext* debug) override {
    const std::lock_guard lock(system_.mutex_);
    inode_->written = size;
    inode_->synced = std::min(inode_->synced, size);
    return FSWritableFileOwnerWrapper::Truncate(size, options, debug);
  }
  rocksdb::IOStatus Sync(const rocksdb::IOOptions&, rocksdb::IODebugContext*) override {
    const std::lock_guard lock(system_.mutex_);
    if (strikes(system_.sync_fault_, name_)) return rocksdb::IOStatus::IOError("the test broke the disk", name_);
    inode_->synced = inode_->written;
    return rocksdb::IOStatus::OK();
  }
  rocksdb::IOStatus Fsync(const rocksdb::IOOptions& options, rocksdb::IODebugContext* debug) override {
    return Sync(options, debug);
  }
  // Room set aside would only cost time here.
  void PrepareWrite(std::size_t, std::size_t, const rocksdb::IOOptions&, rocksdb::IODebugContext*) override {}

 private:
  const std::string name_;
  const std::shared_ptr<Inode> inode_;
  UnreliableFileSystem& system_;
};

class UnreliableFileSystem::ReadableFile final : public rocksdb::FSRandomAccessFileOwnerWrapper {
 public:
  ReadableFile(std::unique_ptr<rocksdb::FSRandomAccessFile> target, std::string name, UnreliableFileSystem& system)
      : FSRandomAccessFileOwnerWrapper(std::move(target)), name_(std::move(name)), system_(system) {}

  rocksdb::IOStatus Read(std::uint64_t offset, std::size_t size, const rocksdb::IOOptions& options,
                         rocksdb::Slice* result, char* scratch, rocksdb::IODebugContext* debug) const override {
    system_.wait_if_held(name_);
    return FSRandomAccessFileOwnerWrapper::Read(offset, size, options, result, scratch, debug);
  }

 private:
  const std::string name_;
  UnreliableFileSystem& system_;
};

class UnreliableFileSystem::Directory final : public rocksdb::FSDirectoryWrapper {
 public:
  Directory(std::unique_ptr<rocksdb::FSDirectory> target, std::string path, UnreliableFileSystem& system)
      : FSDirectoryWrapper(std::move(target)), path_(std::move(path)), system_(system) {}

  rocksdb::IOStatus Fsync(const rocksdb::IOOptions&, rocksdb::IODebugContext*) override {
    system_.sync_directory(path_);
    return rocksdb::IOStatus::OK();
  }
  rocksdb::IOStatus FsyncWithDirOptions(const rocksdb::IOOptions& options, rocksdb::IODebugContext* debug,
                                        const rocksdb::DirFsyncOptions&) override {
    return Fsync(options, debug);
  }

 private:
  const std::string path_;
  UnreliableFileSystem& system_;
};

UnreliableFileSystem::UnreliableFileSystem(const fs::path& root) : FileSystemWrapper(rocksdb::FileSystem::Default()) {
  if (!fs::exists(root)) return;
  for (const auto& entry : fs::directory_iterator(root)) {
    const auto inode = std::make_shared<Inode>(entry.path().string());
    inode->written = inode->synced = entry.file_size();
    now_[clean(entry.path().string())] = inode;
  }
  durable_ = now_;
}

void UnreliableFileSystem::copy_as_after_power_loss(const fs::path& into, std::mt19937_64& random) const {
  const std::lock_guard lock(mutex_);
  fs::create_directories(into);
  for (const auto& [path, inode] : random() % 2 == 0 ? durable_ : now_) {
    const std::uint64_t size = inode->synced + surviving(inode->written - inode->synced, random);
    std::ofstream(into / fs::path(path).filename(), std::ios::binary) << read_front(inode->fd, size);
  }
}

void UnreliableFileSystem::fail_appends(const std::string& suffix, int times) {
  const std::lock_guard lock(mutex_);
  append_fault_ = {suffix, times};
}

void UnreliableFileSystem::fail_syncs(const std::string& suffix, int times) {
  const std::lock_guard lock(mutex_);
  sync_fault_ = {suffix, times};
}

void UnreliableFileSystem::hold_reads(const std::string& suffix) {
  const std::lock_guard lock(mutex_);
  held_suffix_ = suffix;
}

void UnreliableFileSystem::release_reads() {
  {
    const std::lock_guard lock(mutex_);
    held_suffix_.clear();
  }
  released_.notify_all();
}

int UnreliableFileSystem::held_reads() const {
  const std::lock_guard lock(mutex_);
  return held_reads_;
}

void UnreliableFileSystem::wait_if_held(const std::string& name) {
  std::unique_lock lock(mutex_);
  ++held_reads_;
  released_.wait(lock, [&] { return held_suffix_.empty() || !name.ends_with(held_suffix_); });
  --held_reads_;
}

bool UnreliableFileSystem::strikes(Fault& fault, const std::string& name) {
  if (fault.times == 0 || !name.ends_with(fault.suffix)) return false;
  --fault.times;
  return true;
}

void UnreliableFileSystem::sync_directory(const std::string& path) {
  const std::lock_guard lock(mutex_);
  const auto is_inside = [&](const auto& entry) { return fs::path(entry.first).parent_path() == path; };
  std::erase_if(durable_, is_inside);
  for (const auto& entry : now_) {
    if (is_inside(entry)) durable_.insert(entry);
  }
}

rocksdb::IOStatus UnreliableFileSystem::NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                                                        std::unique_ptr<rocksdb::FSWritableFile>* file,
                                                        rocksdb::IODebugContext* debug) {
  const std::lock_guard lock(mutex_);
  auto status = target()->NewWritableFile(name, options, file, debug);
  if (!status.ok()) return status;
  const auto inode = std::make_shared<Inode>(name);
  now_[clean(name)] = inode;
  *file = std::make_unique<File>(std::move(*file), clean(name), inode, *this);
  return status;
}

rocksdb::IOStatus UnreliableFileSystem::NewRandomAccessFile(const std::string& name,
                                                            const rocksdb::FileOptions& options,
                                                            std::unique_ptr<rocksdb::FSRandomAccessFile>* file,
                                                            rocksdb::IODebugContext* debug) {
  auto status = target()->NewRandomAccessFile(name, options, file, debug);
  if (status.ok()) *file = std::make_unique<ReadableFile>(std::move(*file), clean(name), *this);
  return status;
}

rocksdb::IOStatus UnreliableFileSystem::NewDirectory(const std::string& name, const rocksdb::IOOptions& options,
                                                     std::unique_ptr<rocksdb::FSDirectory>* directory,
                                                     rocksdb::IODebugContext* debug) {
  auto status = target()->NewDirectory(name, options, directory, debug);
  if (status.ok()) *directory = std::make_unique<Directory>(std::move(*directory), clean(name), *this);
  return status;
}

rocksdb::IOStatus UnreliableFileSystem::DeleteFile(const std::string& name, const rocksdb::IOOptions& options,
                                                   rocksdb::IODebugContext* debug) {
  const std::lock_guard lock(mutex_);
  auto status = target()->DeleteFile(name, options, debug);
  if (status.ok()) now_.erase(clean(name));
  return status;
}

rocksdb::IOStatus UnreliableFileSystem::RenameFile(const std::string& from, const std::string& to,
                                                   const rocksdb::IOOptions& options, rocksdb::IODebugContext* debug) {
  const std::lock_guard lock(mutex_);
  auto status = target()->RenameFile(from, to, options, debug);
  if (!status.ok()) return status;
  if (auto moved = now_.extract(clean(from))) now_[clean(to)] = std::move(moved.mapped());
  return status;
}

}  // namespace armazem::test
