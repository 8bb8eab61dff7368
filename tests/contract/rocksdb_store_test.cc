// What the embedded store promises beyond the port: bounds on memory and on waiting reads, figures, the write executor.
#include <array>

#include "contract/rocksdb_fixture.h"
#include "support/unreliable_file_system.h"

namespace armazem::test {
namespace {

std::string name_of(std::uint64_t i) { return "key-" + std::to_string(i); }

class RocksdbStoreTest : public RocksdbTest {
 protected:
  std::string data() const { return dir_.sub("data"); }

  // Keys in table files, none of them in a cache.
  void make_cold_data(std::uint64_t keys) {
    const auto store = open(data());
    for (std::uint64_t i = 1; i <= keys; ++i) ASSERT_TRUE(apply(*store, {put(name_of(i), "value", i)}).has_value());
  }
};

TEST_F(RocksdbStoreTest, AReadFromMemoryNeedsNoFrameAndAColdOneAReaderThread) {
  make_cold_data(10);
  const auto store = open(data());
  const Key cold = key(name_of(7));
  EXPECT_FALSE(store->get(cold, soon()).ready());
  EXPECT_EQ(bytes(*store, name_of(7)), "value");
  EXPECT_EQ(store->figures().reads_handed_over, 1U);
  EXPECT_TRUE(store->get(cold, soon()).ready());
  EXPECT_EQ(store->figures().reads_handed_over, 1U);

  // Straight from the write buffer, and what the filter knows not to be there.
  ASSERT_TRUE(apply(*store, {put("new", "v", 100)}).has_value());
  EXPECT_TRUE(store->get(key("new"), soon()).ready());
  EXPECT_TRUE(store->get(key("never written"), soon()).ready());
}

Task<void> read_one(Store& store, const Key& name, Deadline deadline, std::optional<ErrorCode>& error, bool& found) {
  const auto record = co_await store.get(name, deadline);
  if (!record) error = record.error().code;
  found = record && *record;
}

TEST_F(RocksdbStoreTest, AReadThatWaitedTooLongForTheDiskIsNotMadeAndTheQueueIsBounded) {
  make_cold_data(10);
  const auto file_system = std::make_shared<UnreliableFileSystem>(data());
  RocksdbOptions options = options_at(data());
  options.reader_threads = 1;
  options.readers_waiting_max = 1;
  options.test_file_system = file_system;
  const auto store = open(options);
  const Key name = key(name_of(7));
  std::array<std::optional<ErrorCode>, 3> errors;
  std::array<bool, 3> found{};
  TaskScope scope(executor_);

  file_system->hold_reads(".sst");
  scope.spawn(read_one(*store, name, soon(), errors[0], found[0]));  // on the reader thread
  ASSERT_TRUE(eventually([&] { return file_system->held_reads() == 1; }));
  const Deadline short_one = Deadline::after(MonotonicClock::now(), std::chrono::milliseconds(30));
  scope.spawn(read_one(*store, name, short_one, errors[1], found[1]));  // waits for its turn
  EXPECT_EQ(store->figures().readers_waiting, 1U);
  scope.spawn(read_one(*store, name, soon(), errors[2], found[2]));  // finds no room to wait
  EXPECT_EQ(errors[2], ErrorCode::overloaded);

  ASSERT_TRUE(eventually([&] { return short_one.expired(MonotonicClock::now()); }));
  file_system->release_reads();
  executor_.run_until([&] { return scope.running() == 0; });
  EXPECT_TRUE(found[0]);
  EXPECT_EQ(errors[1], ErrorCode::deadline_exceeded);
  EXPECT_EQ(store->figures().reads_refused, 1U);
  EXPECT_EQ(store->figures().readers_waiting, 0U);
}

TEST_F(RocksdbStoreTest, TheCacheBoundsBlocksAndWriteBuffersTogether) {
  RocksdbOptions options = options_at(data());
  options.block_cache_bytes = std::size_t{8} << 20;
  options.write_buffer_bytes = std::size_t{2} << 20;
  const auto store = open(options);
  constexpr std::uint64_t batches = 100;
  constexpr std::uint64_t batch = 10;
  const std::size_t bound = options.block_cache_bytes + (std::size_t{1} << 20);
  for (std::uint64_t b = 0; b < batches; ++b) {
    std::vector<Mutation> mutations;
    for (std::uint64_t i = 1; i <= batch; ++i) {
      const std::uint64_t number = b * batch + i;
      mutations.push_back(put(name_of(number), std::string(std::size_t{32} << 10, static_cast<char>(number)), number));
    }
    ASSERT_TRUE(apply(*store, std::move(mutations)).has_value());
    EXPECT_LE(store->figures().memtable_bytes, 3 * options.write_buffer_bytes);
  }
  for (std::uint64_t i = 1; i <= batches * batch; ++i) {
    ASSERT_EQ(bytes(*store, name_of(i)).size(), std::size_t{32} << 10);
    ASSERT_LE(store->figures().block_cache_bytes, bound) << "after " << i << " reads";
  }
  EXPECT_EQ(store->figures().block_cache_bytes_max, options.block_cache_bytes);
}

TEST_F(RocksdbStoreTest, FiguresCountWhatHappened) {
  const auto store = open(data());
  ASSERT_TRUE(apply(*store, {put("a", "v", 1), put("b", "v", 2), remove("c", 3)}).has_value());
  ASSERT_TRUE(apply(*store, {put("a", "v", 1), put("b", "old", 1, 9)}).has_value());  // changes nothing
  EXPECT_EQ(bytes(*store, "a"), "v");
  EXPECT_EQ(get(*store, "missing").value(), std::nullopt);

  const RocksdbFigures figures = store->figures();
  EXPECT_EQ(figures.batches, 1U);
  EXPECT_EQ(figures.mutations, 5U);
  EXPECT_EQ(figures.by_verdict[static_cast<std::size_t>(Verdict::applied)], 4U);
  EXPECT_EQ(figures.by_verdict[static_cast<std::size_t>(Verdict::superseded)], 1U);
  EXPECT_EQ(figures.by_effect[static_cast<std::size_t>(Effect::created)], 2U);
  EXPECT_EQ(figures.by_effect[static_cast<std::size_t>(Effect::nothing_to_delete)], 1U);
  EXPECT_EQ(figures.replayed, 1U);
  EXPECT_EQ(figures.gets, 2U);
  EXPECT_EQ(figures.get_misses, 1U);
  std::uint64_t synced = 0;
  for (const std::uint64_t count : figures.sync.counts) synced += count;
  EXPECT_EQ(synced, figures.batches);
  EXPECT_GT(figures.sync.sum_seconds, 0.0);
  EXPECT_GT(figures.free_bytes, 0U);
  EXPECT_TRUE(figures.healthy);
}

Task<bool> apply_from_the_write_thread(RocksdbStore& store) {
  std::vector<Mutation> batch = {put("k", "v", 1)};
  co_await resume_on(store.write_executor());
  const auto outcomes = co_await store.apply(std::move(batch), {}, soon());
  co_return outcomes.has_value();
}

TEST_F(RocksdbStoreTest, ABatcherMayRunOnTheWriteThread) {
  const auto store = open(data());
  EXPECT_TRUE(executor_.run(apply_from_the_write_thread(*store)));
  EXPECT_EQ(bytes(*store, "k"), "v");
}

TEST_F(RocksdbStoreTest, LogsDoNotGrowWithoutBound) {
  RocksdbOptions options = options_at(data());
  options.write_buffer_bytes = std::size_t{1} << 20;
  const auto store = open(options);
  // An expiry writes to the family `purge`, which alone would never fill a buffer.
  ASSERT_TRUE(apply(*store, {expiring(put("first", "v", 1), 1000)}).has_value());
  const std::string value(std::size_t{64} << 10, 'v');
  for (std::uint64_t i = 2; i < 500; ++i) ASSERT_TRUE(apply(*store, {put("k", value, i)}).has_value());
  const auto logs_are_small = [&] {
    std::uintmax_t bytes = 0;
    for (const auto& entry : std::filesystem::directory_iterator(data())) {
      if (entry.path().extension() == ".log") bytes += entry.file_size();
    }
    return bytes <= 6 * options.write_buffer_bytes;
  };
  EXPECT_TRUE(eventually(logs_are_small));
}

}  // namespace
}  // namespace armazem::test
