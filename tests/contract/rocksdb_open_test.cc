// What RocksdbStore::open takes and what it refuses. Refusing changes no byte of any file.
#include <fcntl.h>
#include <rocksdb/db.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <fstream>

#include "contract/rocksdb_fixture.h"
#include "support/tmpfs.h"

namespace armazem::test {
namespace {

namespace fs = std::filesystem;

std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void write_file(const fs::path& path, const std::string& bytes) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << bytes;
}

using Files = std::map<std::string, std::string>;

// Every file below it, with its bytes.
Files snapshot(const fs::path& directory) {
  Files files;
  for (const auto& entry : fs::recursive_directory_iterator(directory)) {
    files[entry.path().string()] = entry.is_regular_file() ? read_file(entry.path()) : "(directory)";
  }
  return files;
}

// By name only: their bytes would fill the screen.
std::vector<std::string> changed_files(const Files& before, const Files& after) {
  std::vector<std::string> changed;
  for (const auto& [name, bytes] : before) {
    const auto found = after.find(name);
    if (found == after.end() || found->second != bytes) changed.push_back(name);
  }
  for (const auto& [name, bytes] : after) {
    if (!before.contains(name)) changed.push_back(name + " (new)");
  }
  return changed;
}

class RocksdbOpen : public RocksdbTest {
 protected:
  std::string data() const { return dir_.sub("data"); }

  // A database that was not closed: half of its keys are in a table file, half in the log.
  void make_database() {
    auto store = open(dir_.sub("running"));
    write_keys(*store, 0, 50);
    store = nullptr;
    store = open(dir_.sub("running"));
    write_keys(*store, 50, 100);
    fs::copy(dir_.sub("running"), data());
  }

  void write_keys(Store& store, int from, int to) {
    for (int i = from; i < to; ++i) {
      const std::string name = "key-" + std::to_string(i);
      ASSERT_TRUE(apply(store, {put(name, "value of " + name, static_cast<std::uint64_t>(i) + 1)}).has_value());
    }
  }

  void expect_refused(ErrorCode code, const std::string& words) {
    const auto before = snapshot(dir_.path());
    const auto refused = RocksdbStore::open(options_at(data()), time_);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, code) << refused.error().message;
    EXPECT_NE(refused.error().message.find(words), std::string::npos) << refused.error().message;
    EXPECT_NE(refused.error().message.find(data()), std::string::npos) << refused.error().message;
    EXPECT_EQ(changed_files(before, snapshot(dir_.path())), std::vector<std::string>());
  }

  // The largest file with that suffix.
  fs::path file_like(const std::string& part) {
    fs::path found;
    for (const auto& entry : fs::directory_iterator(data())) {
      const bool like = entry.path().filename().string().find(part) != std::string::npos;
      if (like && (found.empty() || entry.file_size() > fs::file_size(found))) found = entry.path();
    }
    EXPECT_FALSE(found.empty()) << "no file like " << part;
    return found;
  }

  void remove_logs() {
    std::vector<fs::path> logs;
    for (const auto& entry : fs::directory_iterator(data())) {
      if (entry.path().extension() == ".log") logs.push_back(entry.path());
    }
    ASSERT_FALSE(logs.empty());
    for (const fs::path& log : logs) fs::remove(log);
  }

  static void flip_byte(const fs::path& path, double where) {
    std::string bytes = read_file(path);
    const auto at = static_cast<std::size_t>(where * static_cast<double>(bytes.size()));
    bytes[at] = static_cast<char>(bytes[at] ^ 0x40);
    write_file(path, bytes);
  }

  // Puts a value into the family `meta`, as a program of another version would.
  void set_format(const std::string& text) {
    rocksdb::DBOptions options;
    std::vector<rocksdb::ColumnFamilyDescriptor> families;
    for (const char* name : {"default", "records", "purge", "changes", "meta"}) families.push_back({name, {}});
    std::vector<rocksdb::ColumnFamilyHandle*> handles;
    rocksdb::DB* opened = nullptr;
    ASSERT_TRUE(rocksdb::DB::Open(options, data(), families, &handles, &opened).ok());
    const std::unique_ptr<rocksdb::DB> db(opened);
    ASSERT_TRUE(db->Put({}, handles[4], "format", text).ok());
    for (auto* handle : handles) ASSERT_TRUE(db->DestroyColumnFamilyHandle(handle).ok());
  }

  // As the program before the change log left it.
  void make_format_1() {
    set_format("1");
    rocksdb::DBOptions options;
    std::vector<rocksdb::ColumnFamilyDescriptor> families;
    for (const char* name : {"default", "records", "purge", "changes", "meta"}) families.push_back({name, {}});
    std::vector<rocksdb::ColumnFamilyHandle*> handles;
    rocksdb::DB* opened = nullptr;
    ASSERT_TRUE(rocksdb::DB::Open(options, data(), families, &handles, &opened).ok());
    const std::unique_ptr<rocksdb::DB> db(opened);
    ASSERT_TRUE(db->Delete({}, handles[4], "change_log").ok());
    ASSERT_TRUE(db->DropColumnFamily(handles[3]).ok());
    for (auto* handle : handles) ASSERT_TRUE(db->DestroyColumnFamilyHandle(handle).ok());
  }

  // A RocksDB database of another program; with nothing in it when `key` is empty.
  void make_foreign_database(const std::string& key) {
    rocksdb::Options options;
    options.create_if_missing = true;
    rocksdb::DB* opened = nullptr;
    ASSERT_TRUE(rocksdb::DB::Open(options, data(), &opened).ok());
    const std::unique_ptr<rocksdb::DB> db(opened);
    if (key.empty()) return;
    ASSERT_TRUE(db->Put({}, key, "theirs").ok());
  }
};

TEST_F(RocksdbOpen, CreatesTheDirectoryAndFindsEverythingAgain) {
  const std::string deep = dir_.sub("a/b/c");
  auto store = open(deep);
  ASSERT_TRUE(apply(*store, {put("kept", "v", 1), remove("gone", 2), expiring(put("e", "x", 3), 9)}).has_value());
  const auto kept = get(*store, "kept").value();
  const auto gone = get(*store, "gone").value();
  for (int again = 0; again < 3; ++again) {
    store = nullptr;
    store = open(deep);
    EXPECT_EQ(get(*store, "kept").value(), kept);
    EXPECT_EQ(get(*store, "gone").value(), gone);
    EXPECT_EQ(get(*store, "e").value()->expires_at_ms, epoch_ms + 9);
    EXPECT_TRUE(apply(*store, {put("kept", "v", 1)}).value()[0].replayed);
  }
  // The purge index too.
  EXPECT_EQ(executor_.run(store->purge({epoch_ms + 100, 100}, soon())).value().removed, 2U);
}

TEST_F(RocksdbOpen, AFreshVolumeIsEmpty) {
  fs::create_directories(data() + "/lost+found");
  const auto store = open(data());
  EXPECT_TRUE(health(*store).ok);
}

TEST_F(RocksdbOpen, FinishesACreationThatWasCutShort) {
  write_file(data() + "/LOCK", "");
  write_file(data() + "/IDENTITY", "0f6c1f1e-0000-0000-0000-000000000000");
  write_file(data() + "/MANIFEST-000001", "torn");
  write_file(data() + "/000001.dbtmp", "");
  auto store = open(data());
  EXPECT_TRUE(health(*store).ok);
  store = nullptr;
  fs::remove_all(data());

  make_foreign_database("");  // ours looks like that before its families are made
  store = open(data());
  EXPECT_TRUE(apply(*store, {put("k", "v", 1)}).has_value());
  store = nullptr;
  EXPECT_EQ(bytes(*open(data()), "k"), "v");
}

TEST_F(RocksdbOpen, RefusesANewerFormat) {
  make_database();
  set_format("3");
  expect_refused(ErrorCode::precondition, "has format 3");
}

TEST_F(RocksdbOpen, ADatabaseOfFormat1GetsAChangeLog) {
  make_database();
  make_format_1();
  auto store = open(data());
  EXPECT_EQ(bytes(*store, "key-7"), "value of key-7");
  const auto begun = executor_.run(store->change_log_state(soon())).value();
  EXPECT_EQ(begun.newest, 0U);
  ASSERT_TRUE(apply(*store, {put("new", "v", 1000)}).has_value());
  store = nullptr;
  store = open(data());
  const auto later = executor_.run(store->change_log_state(soon())).value();
  EXPECT_EQ(later.id, begun.id);
  EXPECT_EQ(later.newest, 1U);
}

TEST_F(RocksdbOpen, RefusesAFormatItCannotRead) {
  make_database();
  set_format("one");
  expect_refused(ErrorCode::data_damaged, "format number");
}

TEST_F(RocksdbOpen, RefusesADirectoryWithOtherFiles) {
  write_file(data() + "/notes.txt", "mine");
  expect_refused(ErrorCode::precondition, "notes.txt");
}

TEST_F(RocksdbOpen, RefusesADatabaseOfAnotherProgram) {
  make_foreign_database("theirs");
  expect_refused(ErrorCode::precondition, "another program");
}

TEST_F(RocksdbOpen, RefusesWhatIsNoDirectory) {
  write_file(data(), "a file");
  expect_refused(ErrorCode::precondition, "is not a directory");
}

TEST_F(RocksdbOpen, RefusesADirectoryThatCannotBeCreated) {
  write_file(dir_.sub("file"), "a file");
  const auto refused = RocksdbStore::open(options_at(dir_.sub("file/data")), time_);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::precondition);
  EXPECT_NE(refused.error().message.find(dir_.sub("file/data")), std::string::npos) << refused.error().message;
}

TEST_F(RocksdbOpen, RefusesADirectoryThatCannotBeWritten) {
  Tmpfs disk(std::size_t{64} << 20);
  if (!disk.mounted()) GTEST_SKIP() << disk.why_not();
  {
    const auto store = open(disk.sub("data"));
  }
  ASSERT_TRUE(disk.make_read_only());
  for (const char* name : {"data", "new"}) {
    const auto refused = RocksdbStore::open(options_at(disk.sub(name)), time_);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, ErrorCode::precondition);
    EXPECT_NE(refused.error().message.find("Read-only"), std::string::npos) << refused.error().message;
  }
}

TEST_F(RocksdbOpen, RefusesWhatThisProcessHasOpen) {
  const auto store = open(data());
  expect_refused(ErrorCode::precondition, "in use");
  EXPECT_TRUE(apply(*store, {put("k", "still works", 1)}).has_value());
}

// A process that holds the lock of a database, as RocksDB takes it, until it is destroyed.
class LockHolder {
 public:
  explicit LockHolder(const std::string& lock_path) {
    int ready[2];
    if (::pipe(ready) != 0) return;
    pid_ = ::fork();
    if (pid_ == 0) hold(lock_path.c_str(), ready[1]);
    char answer = 'n';
    holds_ = ::read(ready[0], &answer, 1) == 1 && answer == 'y';
    ::close(ready[0]);
    ::close(ready[1]);
  }
  ~LockHolder() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  [[nodiscard]] bool holds() const { return holds_; }

 private:
  // Only calls that are safe after fork.
  [[noreturn]] static void hold(const char* lock_path, int ready) {
    const int fd = ::open(lock_path, O_RDWR);
    struct flock lock{};
    lock.l_type = F_WRLCK;
    const char answer = ::fcntl(fd, F_SETLK, &lock) == 0 ? 'y' : 'n';
    if (::write(ready, &answer, 1) == 1) ::pause();
    ::_exit(0);
  }

  pid_t pid_ = -1;
  bool holds_ = false;
};

TEST_F(RocksdbOpen, RefusesWhatAnotherProcessHasOpen) {
  make_database();
  {
    const LockHolder other(data() + "/LOCK");
    ASSERT_TRUE(other.holds());
    expect_refused(ErrorCode::precondition, "in use");
  }
  EXPECT_EQ(bytes(*open(data()), "key-7"), "value of key-7");
}

TEST_F(RocksdbOpen, RefusesAMissingCurrent) {
  make_database();
  fs::remove(data() + "/CURRENT");
  expect_refused(ErrorCode::data_damaged, "CURRENT");
}

TEST_F(RocksdbOpen, RefusesADamagedCurrent) {
  make_database();
  for (const char* bytes : {"", "MANIFEST", "MANIFEST-999999\n", "../elsewhere\n"}) {
    write_file(data() + "/CURRENT", bytes);
    expect_refused(ErrorCode::data_damaged, "damaged");
  }
}

TEST_F(RocksdbOpen, RefusesADamagedManifest) {
  make_database();
  const fs::path manifest = file_like("MANIFEST-");
  const std::string whole = read_file(manifest);
  for (const double where : {0.01, 0.3, 0.6, 0.9}) {
    flip_byte(manifest, where);
    expect_refused(ErrorCode::data_damaged, "damaged");
    write_file(manifest, whole);
  }
  EXPECT_EQ(bytes(*open(data()), "key-7"), "value of key-7");
}

TEST_F(RocksdbOpen, RefusesALogThatIsDamagedInItsMiddle) {
  make_database();
  const fs::path log = file_like(".log");
  const std::string whole = read_file(log);
  for (const double where : {0.1, 0.5, 0.8}) {
    flip_byte(log, where);
    expect_refused(ErrorCode::data_damaged, "damaged");
    write_file(log, whole);
  }
  EXPECT_EQ(bytes(*open(data()), "key-77"), "value of key-77");
}

TEST_F(RocksdbOpen, RefusesADatabaseWithoutItsLogs) {
  make_database();
  remove_logs();
  expect_refused(ErrorCode::data_damaged, "log file is missing");
  fs::remove_all(data());

  // Also one that was never anywhere but in its first log.
  const auto store = open(dir_.sub("fresh"));
  write_keys(*store, 0, 5);
  fs::copy(dir_.sub("fresh"), data());
  remove_logs();
  expect_refused(ErrorCode::data_damaged, "damaged");
}

TEST_F(RocksdbOpen, TakesALogWhoseEndWasTornOff) {
  make_database();
  const fs::path log = file_like(".log");
  fs::resize_file(log, fs::file_size(log) - 5);
  const auto store = open(data());
  EXPECT_EQ(bytes(*store, "key-98"), "value of key-98");
  EXPECT_EQ(get(*store, "key-99").value(), std::nullopt);
}

TEST_F(RocksdbOpen, RefusesATableThatIsCutOrMissing) {
  make_database();
  const fs::path table = file_like(".sst");
  const std::string whole = read_file(table);
  fs::resize_file(table, whole.size() / 2);
  expect_refused(ErrorCode::data_damaged, "damaged");
  fs::remove(table);
  expect_refused(ErrorCode::data_damaged, "damaged");
  write_file(table, whole);
  EXPECT_EQ(bytes(*open(data()), "key-7"), "value of key-7");
}

TEST_F(RocksdbOpen, ADamagedTableIsNeverReadAsIfItWereWhole) {
  make_database();
  const fs::path table = file_like(".sst");
  const std::string whole = read_file(table);
  int damaged = 0;
  for (double where = 0.0; where < 1.0; where += 0.07) {
    flip_byte(table, where);
    const auto store = RocksdbStore::open(options_at(data()), time_);
    if (!store) {
      EXPECT_EQ(store.error().code, ErrorCode::data_damaged) << store.error().message;
      ++damaged;
    } else {
      for (int i = 0; i < 50; ++i) {
        const std::string name = "key-" + std::to_string(i);
        const auto record = get(**store, name);
        if (record) {
          EXPECT_EQ((*record)->value.bytes, "value of " + name);
        } else {
          EXPECT_EQ(record.error().code, ErrorCode::data_damaged) << record.error().message;
          ++damaged;
        }
      }
    }
    write_file(table, whole);
  }
  EXPECT_GT(damaged, 0);
}

}  // namespace
}  // namespace armazem::test
