// Reads with a cache.
#include <deque>
#include <stdexcept>

#include "service/cluster_fixture.h"
#include "service/reader.h"

namespace armazem::test {
namespace {

const Error no_store{ErrorCode::unavailable, "the store is away"};

class ReaderCacheTest : public ClusterTest {
 protected:
  struct Read {
    std::optional<Result<ReadAnswer>> ended{};
    bool threw = false;
    [[nodiscard]] bool waits() const { return !ended && !threw; }
    [[nodiscard]] const ReadAnswer& answer() const { return ended.value().value(); }
    [[nodiscard]] ErrorCode error() const { return ended.value().error().code; }
    [[nodiscard]] std::string bytes() const { return answer().record ? answer().record->value.bytes : "(none)"; }
    [[nodiscard]] std::string source() const { return answer().from_cache ? "cache" : "store"; }
  };

  ~ReaderCacheTest() override {
    faulty_.release();
    (void)executor_.run_until([this] { return scope_.running() == 0; });
    EXPECT_EQ(scope_.running(), 0U) << "a read was never answered";
  }

  void start(ReaderOptions options, Cache* cache) { reader_ = std::make_unique<Reader>(store_, cache, time_, options); }
  void start(ReaderOptions options = {}) { start(options, &cache_); }

  // Goes as far as it can without time passing.
  Read& read(const std::string& name, ReadRequest request, Deadline deadline) {
    Read& read = reads_.emplace_back();
    scope_.spawn(run(read, name, request, deadline));
    executor_.run_ready();
    return read;
  }
  Read& read(const std::string& name, ReadRequest request = {}) { return read(name, request, in_time()); }
  Task<void> run(Read& read, std::string name, ReadRequest request, Deadline deadline) {
    const Key wanted = key(std::move(name));
    try {
      read.ended.emplace(co_await reader_->read(wanted, request, deadline));
    } catch (const std::runtime_error&) {
      read.threw = true;
    }
  }
  void pass(int ms) { executor_.pass(milliseconds(ms)); }
  [[nodiscard]] Reader::Figures figures() const { return reader_->figures(); }

  std::unique_ptr<Reader> reader_;
  TaskScope scope_{executor_};
  std::deque<Read> reads_;
};

constexpr ReadRequest strong{true, {}};
ReadRequest at_least(std::uint64_t ms) { return {false, version(ms, ms)}; }

// Cached ----------------------------------------------------------------------------------------------------------------

TEST_F(ReaderCacheTest, AHitDoesNotAskTheStore) {
  start();
  given_cached(put("k", "v", 1));
  pass(250);
  const Read& hit = read("k");
  EXPECT_EQ(hit.bytes(), "v");
  EXPECT_EQ(hit.answer().record->version, version(1, 1));
  EXPECT_TRUE(hit.answer().from_cache);
  EXPECT_EQ(hit.answer().age_ms, 250U);
  EXPECT_EQ(store_.gets, 0U);
  EXPECT_EQ(figures().hits, 1U);
}

TEST_F(ReaderCacheTest, ATombstoneInTheCacheIsAnAbsenceThatIsKnown) {
  start();
  given_cached(remove("k", 1));
  const Read& hit = read("k");
  EXPECT_EQ(hit.bytes(), "(none)");
  EXPECT_EQ(hit.source(), "cache");
  EXPECT_EQ(figures().negative_hits, 1U);
  EXPECT_EQ(figures().hits, 0U);
  EXPECT_EQ(store_.gets, 0U);
}

TEST_F(ReaderCacheTest, WhatNeverWasIsKnownToBeAbsentAfterTheFirstRead) {
  start();
  EXPECT_EQ(read("never").source(), "store");
  EXPECT_EQ(read("never").source(), "cache");
  EXPECT_EQ(store_.gets, 1U);
}

TEST_F(ReaderCacheTest, AnExpiredHitIsAbsent) {
  start();
  given_cached(expiring(put("k", "v", 1), 1'000));
  time_.set_wall_ms(epoch_ms + 999);
  EXPECT_EQ(read("k").bytes(), "v");
  time_.set_wall_ms(epoch_ms + 1'000);
  EXPECT_EQ(read("k").bytes(), "(none)");
}

TEST_F(ReaderCacheTest, AMissFillsWithItsLease) {
  start();
  given({put("k", "v", 1)});
  EXPECT_EQ(read("k").source(), "store");
  EXPECT_EQ(read("k").source(), "cache");
  EXPECT_EQ(read("k").bytes(), "v");
  EXPECT_EQ(store_.gets, 1U);
  EXPECT_EQ(figures().misses, 1U);
  EXPECT_EQ(figures().fills, 1U);
}

TEST_F(ReaderCacheTest, AMissWithoutALeaseDoesNotFill) {
  start();
  given({put("k", "v", 1)});
  const Key wanted = key("k");
  ASSERT_TRUE(cache_memory_.get(wanted, in_time()).take_ready().value().lease) << "another server's reader has it";
  EXPECT_EQ(read("k").bytes(), "v");
  EXPECT_EQ(cache_.fills, 0U);
}

TEST_F(ReaderCacheTest, ASlowReaderDoesNotBringAnOldRecordBack) {
  start();
  given({put("k", "old", 1)});
  store_.get_answers_at = time_.now() + milliseconds(50);
  const Read& slow = read("k");
  given({put("k", "new", 2)});
  given_cached(put("k", "new", 2));
  cache_memory_.evict(key("k"));  // nothing is left to compare with, but the lease is gone
  pass(50);
  EXPECT_EQ(slow.bytes(), "old") << "it began before the write";
  EXPECT_EQ(figures().fills_refused, 1U);
  EXPECT_EQ(figures().fills, 0U);
  EXPECT_FALSE(cached("k").has_value());
}

TEST_F(ReaderCacheTest, ManyReadersOfAKeyShareOneReadOfTheStore) {
  start();
  given({put("k", "v", 1), put("other", "w", 2)});
  faulty_.hold();
  std::vector<const Read*> readers;
  for (int i = 0; i < 10; ++i) readers.push_back(&read("k"));
  const Read& other = read("other");
  EXPECT_EQ(store_.gets, 2U);
  faulty_.release();
  executor_.run_ready();
  for (const Read* one : readers) EXPECT_EQ(one->bytes(), "v");
  EXPECT_EQ(other.bytes(), "w");
  EXPECT_EQ(figures().store_reads, 2U);
  EXPECT_EQ(figures().fills, 2U);
  cache_memory_.evict(key("k"));
  EXPECT_EQ(read("k").bytes(), "v") << "the next one reads for itself";
  EXPECT_EQ(store_.gets, 3U);
}

TEST_F(ReaderCacheTest, FollowersShareAnErrorToo) {
  start();
  faulty_.hold();
  const Read& first = read("k");
  const Read& second = read("k");
  faulty_.fail_next(1, no_store);
  faulty_.release();
  executor_.run_ready();
  EXPECT_EQ(first.error(), ErrorCode::unavailable);
  EXPECT_EQ(second.error(), ErrorCode::unavailable);
}

// Strong ----------------------------------------------------------------------------------------------------------------

TEST_F(ReaderCacheTest, AStrongReadJoinsNoOtherRead) {
  start();
  given({put("k", "old", 1)});
  store_.get_answers_at = time_.now() + milliseconds(50);
  const Read& earlier = read("k");
  given({put("k", "new", 2)});
  store_.get_answers_at.reset();
  EXPECT_EQ(read("k", strong).bytes(), "new");
  EXPECT_TRUE(earlier.waits());
}

TEST_F(ReaderCacheTest, AStrongReadReplacesAnOlderEntryBeforeItAnswers) {
  start();
  given({put("k", "new", 2)});
  given_cached(put("k", "old", 1));
  const Read& read = this->read("k", strong);
  EXPECT_EQ(read.bytes(), "new");
  EXPECT_EQ(read.source(), "store");
  EXPECT_EQ(cached("k")->value.bytes, "new");
  ASSERT_EQ(cache_.told.size(), 1U);
  EXPECT_EQ(cache_.told[0].mode, CacheWrite::Mode::replace_only);
  EXPECT_LE(cache_.told[0].since, time_.now()) << "since the store was asked";
}

TEST_F(ReaderCacheTest, AStrongReadIsNotAnsweredWhileTheOldEntryStands) {
  start();
  given({put("k", "new", 2)});
  given_cached(put("k", "old", 1));
  cache_.slow = true;
  const Read& read = this->read("k", strong);
  EXPECT_TRUE(read.waits());
  pass(static_cast<int>(ReaderOptions{}.cache_timeout.count()));
  EXPECT_EQ(read.bytes(), "new") << "but the cache does not fail a read";
  EXPECT_EQ(figures().cache_errors, 1U);
}

TEST_F(ReaderCacheTest, AStrongReadCreatesNoEntry) {
  start();
  given({put("k", "v", 1)});
  EXPECT_EQ(read("k", strong).bytes(), "v");
  EXPECT_EQ(read("never", strong).bytes(), "(none)");
  EXPECT_FALSE(cached("k").has_value());
  EXPECT_EQ(cache_.gets, 0U);
}

TEST_F(ReaderCacheTest, AStrongReadOfATombstoneRepairsToo) {
  start();
  given({remove("k", 2)});
  given_cached(put("k", "old", 1));
  EXPECT_EQ(read("k", strong).bytes(), "(none)");
  EXPECT_TRUE(cached("k")->tombstone);
}

// Session ---------------------------------------------------------------------------------------------------------------

TEST_F(ReaderCacheTest, AHitThatIsNewEnoughServesASession) {
  start();
  given_cached(put("k", "v", 5));
  EXPECT_EQ(read("k", at_least(5)).source(), "cache");
  EXPECT_EQ(read("k", at_least(4)).source(), "cache");
  EXPECT_EQ(store_.gets, 0U);
}

TEST_F(ReaderCacheTest, AHitThatIsTooOldSendsASessionToTheStore) {
  start();
  given({put("k", "new", 5)});
  given_cached(put("k", "old", 1));
  const Read& read = this->read("k", at_least(5));
  EXPECT_EQ(read.bytes(), "new");
  EXPECT_EQ(read.source(), "store");
  EXPECT_EQ(store_.gets, 1U);
  EXPECT_EQ(figures().too_old, 1U);
}

TEST_F(ReaderCacheTest, AKnownAbsenceIsOlderThanAnyWrite) {
  start();
  EXPECT_EQ(read("k").bytes(), "(none)");
  given({put("k", "v", 5)});
  EXPECT_EQ(read("k", at_least(5)).bytes(), "v");
}

TEST_F(ReaderCacheTest, AJoinedReadThatIsTooOldIsMadeAgain) {
  start();
  given({put("k", "old", 1)});
  store_.get_answers_at = time_.now() + milliseconds(50);
  read("k");
  given({put("k", "new", 5)});
  store_.get_answers_at.reset();
  const Read& session = read("k", at_least(5));
  EXPECT_TRUE(session.waits()) << "it has joined";
  EXPECT_EQ(store_.gets, 1U);
  pass(50);
  EXPECT_EQ(session.bytes(), "new");
  EXPECT_EQ(store_.gets, 2U);
}

TEST_F(ReaderCacheTest, ASessionWaitsForAWriteThatIsOnItsWay) {
  for (Cache* cache : {static_cast<Cache*>(&cache_), static_cast<Cache*>(nullptr)}) {
    const std::string name = cache != nullptr ? "cached" : "bare";
    start({.writes_may_be_pending = true}, cache);
    const Read& session = read(name, at_least(5));
    pass(200);
    EXPECT_TRUE(session.waits());
    given({put(name, "v", 5)});
    pass(static_cast<int>(ReaderOptions{}.session_poll.count()));
    EXPECT_EQ(session.bytes(), "v");
  }
}

TEST_F(ReaderCacheTest, ASessionDoesNotWaitForEver) {
  start({.session_wait = milliseconds(2'000), .writes_may_be_pending = true});
  given({put("k", "old", 1)});
  const MonotonicTime begun = time_.now();
  const Read& session = read("k", at_least(5));
  ASSERT_TRUE(executor_.run_until([&] { return !session.waits(); }));
  EXPECT_EQ(session.error(), ErrorCode::not_yet_visible);
  EXPECT_LE(time_.now() - begun, milliseconds(2'000));
  EXPECT_GE(time_.now() - begun, milliseconds(1'900));
  EXPECT_EQ(figures().not_yet_visible, 1U);
}

TEST_F(ReaderCacheTest, ASessionKeepsItsOwnDeadline) {
  start({.session_wait = milliseconds(2'000), .writes_may_be_pending = true});
  const MonotonicTime begun = time_.now();
  const Read& session = read("k", at_least(5), Deadline::after(begun, milliseconds(300)));
  ASSERT_TRUE(executor_.run_until([&] { return !session.waits(); }));
  EXPECT_EQ(session.error(), ErrorCode::not_yet_visible);
  EXPECT_LE(time_.now() - begun, milliseconds(300));
}

TEST_F(ReaderCacheTest, WithoutAQueueNothingIsWaitedFor) {
  start();
  given({put("k", "v", 1)});
  EXPECT_EQ(read("k", at_least(5)).bytes(), "v");
}

// Tiers that are away ---------------------------------------------------------------------------------------------------

TEST_F(ReaderCacheTest, WithoutTheCacheTheStoreAnswers) {
  start();
  given({put("k", "v", 1)});
  cache_memory_.break_down({ErrorCode::unavailable, "down"});
  for (const ReadRequest& request : {ReadRequest{}, strong, at_least(1)}) {
    EXPECT_EQ(read("k", request).bytes(), "v");
  }
  EXPECT_EQ(figures().cache_errors, 3U);
  EXPECT_EQ(figures().misses, 0U);
}

TEST_F(ReaderCacheTest, ASlowCacheCostsItsTimeout) {
  start({.cache_timeout = milliseconds(100)});
  given({put("k", "v", 1)});
  cache_.slow = true;
  const Read& read = this->read("k");
  pass(99);
  EXPECT_TRUE(read.waits());
  pass(1);
  EXPECT_EQ(read.bytes(), "v");
}

TEST_F(ReaderCacheTest, WithoutTheStoreCachedKeysAreServed) {
  start();
  given_cached(put("k", "v", 1));
  faulty_.fail_next(100, no_store);
  EXPECT_EQ(read("k").bytes(), "v");
  EXPECT_EQ(read("other").error(), ErrorCode::unavailable);
  EXPECT_EQ(read("k", strong).error(), ErrorCode::unavailable);
  EXPECT_EQ(read("k", at_least(5)).error(), ErrorCode::unavailable);
  EXPECT_EQ(cache_.fills, 0U);
}

// The bound of reads at the store ---------------------------------------------------------------------------------------

TEST_F(ReaderCacheTest, MoreReadsThanTheStoreMayGetAreRefused) {
  start({.store_reads_max = 2});
  faulty_.hold();
  read("a");
  read("b", strong);
  EXPECT_EQ(read("c").error(), ErrorCode::overloaded);
  EXPECT_EQ(read("d", strong).error(), ErrorCode::overloaded);
  EXPECT_TRUE(read("a").waits()) << "joins, and costs the store nothing";
  EXPECT_EQ(figures().refused, 2U);
  EXPECT_EQ(store_.gets, 2U);
  faulty_.release();
  executor_.run_ready();
  EXPECT_EQ(read("c").bytes(), "(none)");
}

TEST_F(ReaderCacheTest, AStoreThatThrowsGivesItsPlaceBack) {
  start({.store_reads_max = 1});
  given({put("k", "v", 1)});
  store_.before_get = [] { throw std::runtime_error("a defect"); };
  EXPECT_TRUE(read("k").threw);
  EXPECT_TRUE(read("k", strong).threw);
  store_.before_get = {};
  EXPECT_EQ(read("k", strong).bytes(), "v");
}

TEST_F(ReaderCacheTest, WhoHasJoinedAReadThatThrowsIsAnsweredAndTheKeyCanBeReadAgain) {
  start();
  given({put("k", "v", 1)});
  store_.get_answers_at = time_.now() + milliseconds(50);
  int gets = 0;
  store_.after_get = [&] {
    if (++gets == 1) throw std::runtime_error("a defect");
  };
  const Read& first = read("k");
  const Read& joined = read("k");
  pass(50);
  EXPECT_TRUE(first.threw);
  ASSERT_FALSE(joined.waits());
  EXPECT_EQ(joined.error(), ErrorCode::internal);
  store_.get_answers_at.reset();
  const Read& again = read("k");
  ASSERT_FALSE(again.waits());
  EXPECT_EQ(again.bytes(), "v");
}

}  // namespace
}  // namespace armazem::test
