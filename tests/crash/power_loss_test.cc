// Cuts the power at random moments while several clients write, and looks at what the next start finds:
//   1. the database opens;
//   2. of every client's batches, in its own order, a whole number is there: none torn, none missing in between;
//   3. none is missing that had been acknowledged when the power went;
//   4. the change log has what they changed, and nothing else.
//
// ARMAZEM_SEEDS=N tries more seeds, ARMAZEM_SEED=N one only. Threads make a seed less than a full replay, but each seed
// keeps its batches, its moment and what is left of the files.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <deque>
#include <random>
#include <thread>

#include "adapters/changes.h"
#include "adapters/rocksdb/rocksdb_store.h"
#include "support/mutations.h"
#include "support/run_task.h"
#include "support/temp_dir.h"
#include "support/test_time.h"
#include "support/unreliable_file_system.h"

namespace armazem::test {
namespace {

constexpr std::size_t clients = 4;
constexpr std::size_t keys_per_client = 12;
constexpr std::size_t power_cuts = 3;  // one after the other, on the same data

using Batch = std::vector<Mutation>;

// Writes batches to keys of its own, one after the other, and remembers them all.
class Client {
 public:
  Client(std::size_t id, std::uint64_t seed) : id_(id), random_(seed * clients + id) {}

  void run(Store& store, const std::atomic<bool>& stop, std::atomic<std::size_t>& acknowledged_in_all) {
    TestExecutor executor;
    while (!stop) {
      batches_.push_back(next_batch());
      Batch copy = batches_.back();
      const auto outcomes = executor.run(store.apply(std::move(copy), {}, Deadline::none()));
      ASSERT_TRUE(outcomes.has_value()) << outcomes.error().message;
      acknowledged_ = batches_.size();
      ++acknowledged_in_all;
    }
  }

  // Batches that are acknowledged now; from any thread.
  [[nodiscard]] std::size_t acknowledged() const { return acknowledged_; }

  // Checks what a start after the power cut found, and goes on from there.
  void check_and_adopt(Store& store, std::size_t acknowledged_at_cut) {
    TestExecutor executor;
    std::map<std::string, std::optional<Record>> found;
    std::size_t survived = 0;
    for (std::size_t i = 0; i < keys_per_client; ++i) {
      const Key wanted = key(name(i));
      auto record = executor.run(store.get(wanted, Deadline::none())).value();
      if (record) survived = std::max(survived, batch_of(record->version));
      found.emplace(wanted.text(), std::move(record));
    }
    EXPECT_GE(survived, acknowledged_at_cut) << "an acknowledged batch is lost";
    ASSERT_LE(survived, batches_.size());
    EXPECT_EQ(found, state_after(survived)) << "a batch is torn, or one in between is missing";
    batches_.resize(survived);
    acknowledged_ = survived;
  }

  // `log`: all of it, after check_and_adopt.
  void check_log(const std::vector<Change>& log) const {
    using Entry = std::pair<std::string, std::string>;  // version and key
    std::vector<Entry> expected;
    std::map<std::string, std::optional<Record>> state;
    for (const Batch& batch : batches_) {
      for (const Mutation& mutation : batch) {
        const Applied applied = armazem::apply(state[mutation.key.text()], mutation, {});
        if (leaves_change(applied.outcome)) expected.emplace_back(mutation.version.text(), mutation.key.text());
      }
    }
    std::vector<Entry> found;
    const std::string own = "client-" + std::to_string(id_) + "/";
    for (const Change& change : log) {
      if (change.key.text().starts_with(own)) found.emplace_back(change.version.text(), change.key.text());
    }
    std::ranges::sort(expected);
    std::ranges::sort(found);
    EXPECT_EQ(found, expected) << "the change log and the records were parted";
  }

 private:
  std::string name(std::size_t i) const { return "client-" + std::to_string(id_) + "/" + std::to_string(i); }
  // Versions count batches, from 1.
  static std::size_t batch_of(const Version& version) { return version.ms() - epoch_ms; }

  Batch next_batch() {
    const std::uint64_t number = batches_.size() + 1;
    Batch batch;
    for (std::size_t i = 0; i < keys_per_client; ++i) {
      if (random_() % 3 != 0) continue;
      const std::string bytes(random_() % 3000, static_cast<char>('a' + random_() % 26));
      batch.push_back(random_() % 4 == 0 ? remove(name(i), number) : put(name(i), bytes, number));
    }
    if (batch.empty()) batch.push_back(put(name(0), "alone", number));
    return batch;
  }

  std::map<std::string, std::optional<Record>> state_after(std::size_t batches) const {
    std::map<std::string, std::optional<Record>> state;
    for (std::size_t i = 0; i < keys_per_client; ++i) state[name(i)] = std::nullopt;
    for (std::size_t b = 0; b < batches; ++b) {
      for (const Mutation& mutation : batches_[b]) (void)armazem::apply(state[mutation.key.text()], mutation, {});
    }
    return state;
  }

  const std::size_t id_;
  std::mt19937_64 random_;
  std::vector<Batch> batches_;
  std::atomic<std::size_t> acknowledged_{0};
};

// One seed: the same data through several power cuts.
class Round {
 public:
  explicit Round(std::uint64_t seed) : random_(seed) {
    for (std::size_t id = 0; id < clients; ++id) clients_.emplace_back(id, seed);
  }

  void run() {
    for (std::size_t cut = 0; cut < power_cuts && !testing::Test::HasFailure(); ++cut) {
      const std::string before = dir_.sub(std::to_string(cut));
      const std::string after = dir_.sub(std::to_string(cut + 1));
      const auto acknowledged = write_until_cut(before, after);
      const auto store = open(after);
      ASSERT_NE(store, nullptr);
      for (std::size_t id = 0; id < clients; ++id) clients_[id].check_and_adopt(*store, acknowledged[id]);
      const std::vector<Change> log = whole_log(*store);
      for (const Client& client : clients_) client.check_log(log);
    }
  }

 private:
  static std::vector<Change> whole_log(RocksdbStore& store) {
    TestExecutor executor;
    std::vector<Change> all;
    ChangesRequest request;
    request.limit = limits::change_page_max;
    while (true) {
      ChangePage page = executor.run(store.read_changes(request, Deadline::none())).value();
      EXPECT_FALSE(page.lost);
      if (page.changes.empty()) return all;
      std::ranges::move(page.changes, std::back_inserter(all));
      request.after = page.next;
    }
  }

  std::unique_ptr<RocksdbStore> open(const std::string& path) {
    return open(path, std::make_shared<UnreliableFileSystem>(path));
  }
  std::unique_ptr<RocksdbStore> open(const std::string& path, std::shared_ptr<UnreliableFileSystem> file_system) {
    RocksdbOptions options;
    options.path = path;
    options.reserve_bytes = 0;
    options.write_buffer_bytes = std::size_t{128} << 10;  // so that flushes and compactions happen too
    options.test_file_system = std::move(file_system);
    auto store = RocksdbStore::open(options, time_);
    if (store) return std::move(*store);
    ADD_FAILURE() << store.error().message;
    return nullptr;
  }

  // Lets the clients write, cuts the power at some moment, and returns what was acknowledged before it.
  std::vector<std::size_t> write_until_cut(const std::string& path, const std::string& after) {
    const auto file_system = std::make_shared<UnreliableFileSystem>(path);
    const auto store = open(path, file_system);
    std::atomic<bool> stop{false};
    std::atomic<std::size_t> acknowledged_in_all{0};
    std::vector<std::thread> running;
    for (Client& client : clients_) running.emplace_back([&] { client.run(*store, stop, acknowledged_in_all); });
    const std::size_t moment = random_() % 100;
    while (acknowledged_in_all < moment) std::this_thread::yield();
    // Read first: whatever is acknowledged here was synced before the cut.
    std::vector<std::size_t> acknowledged;
    for (const Client& client : clients_) acknowledged.push_back(client.acknowledged());
    file_system->copy_as_after_power_loss(after, random_);
    stop = true;
    for (std::thread& thread : running) thread.join();
    return acknowledged;
  }

  TempDir dir_;
  TestTime time_;
  std::mt19937_64 random_;
  std::deque<Client> clients_;
};

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

TEST(PowerLoss, KeepsEveryAcknowledgedBatchWhole) {
  const std::uint64_t one = number_from("ARMAZEM_SEED", 0);
  const std::uint64_t last = one != 0 ? one : number_from("ARMAZEM_SEEDS", 200);
  for (std::uint64_t seed = one != 0 ? one : 1; seed <= last && !HasFailure(); ++seed) {
    SCOPED_TRACE("replay: ARMAZEM_SEED=" + std::to_string(seed) + " bin/power_loss_test");
    Round(seed).run();
  }
}

}  // namespace
}  // namespace armazem::test
