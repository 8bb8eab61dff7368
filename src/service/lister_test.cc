// Pages of a list: full ones although the store's are short, bounded in time, entries and bytes.
#include "service/lister.h"

#include <vector>

#include "service/service_fixture.h"

namespace armazem::test {
namespace {

using Names = std::vector<std::string>;

// Looks at two records per scan, however many are asked for, and takes a moment for it.
class SlowStore final : public Store {
 public:
  SlowStore(Store& inner, TestTime& time) : inner_(inner), time_(time) {}
  Task<Result<std::optional<Record>>> get(const Key& key, Deadline deadline) override { return inner_.get(key, deadline); }
  Task<Result<std::vector<Outcome>>> apply(std::vector<Mutation> mutations, ApplyGuard guard, Deadline deadline) override {
    return inner_.apply(std::move(mutations), guard, deadline);
  }
  Task<Result<ScanPage>> scan(ScanRequest request, Deadline deadline) override {
    ++scans;
    if (takes.count() > 0) time_.pass(takes);
    ScanRequest all = request;
    all.limit = std::min<std::size_t>(request.limit, 2);
    all.now_ms = 0;  // expired ones are left out here
    Result<ScanPage> page = inner_.scan(std::move(all), deadline).take_ready();  // the memory's are always ready
    std::erase_if(page->entries, [&](const ScanEntry& entry) { return !entry.record.live_at(request.now_ms); });
    return Task<Result<ScanPage>>(std::move(page));
  }
  Task<Result<PurgeReport>> purge(PurgeRequest request, Deadline deadline) override { return inner_.purge(request, deadline); }
  Task<StoreHealth> health(Deadline deadline) override { return inner_.health(deadline); }

  int scans = 0;
  std::chrono::milliseconds takes{0};

 private:
  Store& inner_;
  TestTime& time_;
};

class ListerTest : public ServiceTest {
 protected:
  Result<ScanPage> list(ListRequest request) { return executor_.run(lister_.page(std::move(request), soon())); }
  static Names names(const ScanPage& page) {
    Names names;
    for (const ScanEntry& entry : page.entries) names.push_back(entry.key.text());
    return names;
  }

  SlowStore slow_{memory_, time_};
  Lister lister_{slow_, time_};
};

TEST_F(ListerTest, PagesAreFullAlthoughTheStoresAreShort) {
  given({put("a1", "v", 1), put("a2", "v", 1), put("a3", "v", 1), put("a4", "v", 1), put("a5", "v", 1), put("b", "v", 1)});
  ListRequest request;
  request.prefix = "a";
  request.entries_max = 3;
  const ScanPage first = list(request).value();
  EXPECT_EQ(names(first), (Names{"a1", "a2", "a3"}));
  EXPECT_EQ(first.next_after, "a3");
  request.after = first.next_after;
  const ScanPage last = list(request).value();
  EXPECT_EQ(names(last), (Names{"a4", "a5"}));
  EXPECT_EQ(last.next_after, std::nullopt);
}

TEST_F(ListerTest, BytesCountOverTheStoresPages) {
  for (const char* name : {"a", "b", "c", "d", "e", "f"}) given({put(name, std::string(99, 'x'), 1)});
  ListRequest request;
  request.bytes_max = 401;
  EXPECT_EQ(names(list(request).value()), (Names{"a", "b", "c", "d", "e"})) << "ends after the entry that reaches it";
  request.bytes_max = 400;
  EXPECT_EQ(names(list(request).value()), (Names{"a", "b", "c", "d"}));
}

TEST_F(ListerTest, ExpiredKeysAreJudgedByTheWallClock) {
  given({expiring(put("a", "v", 1), 100), expiring(put("b", "v", 1), 101), put("c", "v", 1)});
  time_.set_wall_ms(epoch_ms + 100);
  EXPECT_EQ(names(list({}).value()), (Names{"b", "c"}));
}

TEST_F(ListerTest, AfterItsTimeAPageEndsEvenEmpty) {
  for (int i = 10; i < 30; ++i) given({expiring(put("dead" + std::to_string(i), "v", 1), 2)});
  given({put("live", "v", 1)});
  time_.set_wall_ms(epoch_ms + 1'000);
  time_.hold_still();
  slow_.takes = std::chrono::milliseconds(400);
  ScanPage page = list({}).value();
  EXPECT_EQ(slow_.scans, 3);
  EXPECT_TRUE(page.entries.empty());
  ASSERT_TRUE(page.next_after.has_value());
  slow_.takes = std::chrono::milliseconds(0);
  ListRequest rest;
  rest.after = page.next_after;
  page = list(rest).value();
  EXPECT_EQ(names(page), (Names{"live"}));
  EXPECT_EQ(page.next_after, std::nullopt);
}

TEST_F(ListerTest, ErrorsAreTheStores) {
  store_.fail_next(1, {ErrorCode::unavailable, "away"});
  Lister lister(store_, time_);
  const auto failed = executor_.run(lister.page({}, soon()));
  ASSERT_FALSE(failed.has_value());
  EXPECT_EQ(failed.error().code, ErrorCode::unavailable);
}

Task<void> list_once(Lister& lister, std::vector<Result<ScanPage>>& into) {
  ListRequest everything;
  Result<ScanPage> page = co_await lister.page(std::move(everything), soon());
  into.push_back(std::move(page));
}

TEST_F(ListerTest, OnlySoManyPagesAreMadeAtOnce) {
  Lister lister(store_, time_, {.pages_max = 2});
  std::vector<Result<ScanPage>> pages;
  store_.hold();
  TaskScope scope(executor_);
  for (int i = 0; i < 3; ++i) scope.spawn(list_once(lister, pages));
  ASSERT_EQ(pages.size(), 1U);
  EXPECT_EQ(pages[0].error().code, ErrorCode::overloaded);
  store_.release();
  executor_.run_until([&] { return scope.running() == 0; });
  ASSERT_EQ(pages.size(), 3U);
  EXPECT_TRUE(pages[1].has_value() && pages[2].has_value());
  EXPECT_TRUE(executor_.run(lister.page({}, soon())).has_value()) << "places are given back";
}

}  // namespace
}  // namespace armazem::test
