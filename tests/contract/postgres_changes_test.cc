// The ChangeLog contract on a real server, and what only happens there: transactions that end in another order than they took
// their positions.
#include "contract/change_log_contract.h"
#include "contract/postgres_fixture.h"

namespace armazem::test {
namespace {

class PostgresChangesUnderTest final : public ChangeLogUnderTest {
 public:
  PostgresChangesUnderTest(const TimeSource& time, Bound bound) : time_(time) {
    options_.url = schema_.url();
    if (bound == Bound::small) options_.changes_kept = 50;
    reopen();
  }
  Store& store() override { return *store_; }
  ChangeLog& log() override { return *store_; }
  bool reopen() override {
    store_ = nullptr;
    store_ = PostgresStore::open(options_, loops_, time_).value();
    return true;
  }

 private:
  const TimeSource& time_;
  PostgresSchema schema_;
  PostgresOptions options_;
  net::LoopGroup loops_{"pg-test", 2};
  std::unique_ptr<PostgresStore> store_;
};

std::unique_ptr<ChangeLogUnderTest> make(const TimeSource& time, Bound bound) {
  if (!postgres_url()) return nullptr;
  return std::make_unique<PostgresChangesUnderTest>(time, bound);
}

INSTANTIATE_TEST_SUITE_P(Stores, ChangeLogContract, testing::Values(ChangeLogKind{"postgres", make}),
                         [](const auto& kind) { return kind.param.name; });

class PostgresChangesTest : public PostgresTest {
 protected:
  ChangePage read(PostgresStore& store, std::uint64_t after = 0) {
    ChangesRequest request;
    request.after = after;
    return executor_.run(store.read_changes(request, soon())).value();
  }
  // Others write to the same server, and a position counts as given up only when what they had begun is over.
  bool tells(PostgresStore& store, const std::vector<std::string>& wanted, std::uint64_t after = 0) {
    return eventually([&] { return names(read(store, after)) == wanted; });
  }
  ChangeLogState state(PostgresStore& store) { return executor_.run(store.change_log_state(soon())).value(); }
  static std::vector<std::string> names(const ChangePage& page) {
    std::vector<std::string> all;
    for (const Change& change : page.changes) all.push_back(change.key.text());
    return all;
  }
};

std::string half_write(const std::string& name) {
  return "INSERT INTO armazem_changes (position, key, version, removed, form, content_type, size) VALUES "
         "(nextval('armazem_positions'), convert_to('" + name + "', 'UTF8'), "
         "decode('01a20aab418f7000bc8d7ce8d0490901', 'hex'), true, 0, '', 0)";
}

// Another program's half of a write: it has taken a position and not ended yet.
class HalfWrite {
 public:
  explicit HalfWrite(const std::string& url, const std::string& name) : session_(url) {
    session_.run("BEGIN");
    session_.run(half_write(name));
  }
  void commit() { session_.run("COMMIT"); }
  void roll_back() { session_.run("ROLLBACK"); }

 private:
  SqlSession session_;
};

TEST_F(PostgresChangesTest, WaitsForAPositionThatMayStillCome) {
  const auto store = open();
  ASSERT_TRUE(apply(*store, {put("a", "1", 1)}).has_value());
  HalfWrite late(schema_->url(), "late");
  ASSERT_TRUE(apply(*store, {put("b", "1", 2)}).has_value());
  const ChangePage before = read(*store);
  EXPECT_EQ(names(before), std::vector<std::string>({"a"}));
  EXPECT_EQ(names(read(*store, before.next)), std::vector<std::string>());
  late.commit();
  EXPECT_TRUE(tells(*store, {"late", "b"}, before.next));
}

TEST_F(PostgresChangesTest, GoesPastAPositionThatWasGivenUp) {
  const auto store = open();
  ASSERT_TRUE(apply(*store, {put("a", "1", 1)}).has_value());
  HalfWrite late(schema_->url(), "late");
  HalfWrite later(schema_->url(), "later");
  ASSERT_TRUE(apply(*store, {put("b", "1", 2)}).has_value());
  EXPECT_EQ(names(read(*store)), std::vector<std::string>({"a"}));
  late.roll_back();
  EXPECT_EQ(names(read(*store)), std::vector<std::string>({"a"})) << "the second one may still come";
  later.commit();
  EXPECT_TRUE(tells(*store, {"a", "later", "b"}));
  const auto another = open();
  EXPECT_TRUE(tells(*another, {"a", "later", "b"})) << "the same to everybody";
}

// The one that took the earlier position may have the greater transaction number.
TEST_F(PostgresChangesTest, NumbersOfTransactionsSayNothingOfPositions) {
  const auto store = open();
  ASSERT_TRUE(apply(*store, {put("a", "1", 1)}).has_value());
  SqlSession first = schema_->session();
  first.run("BEGIN");
  first.run("SELECT pg_current_xact_id()");  // a lesser number than that of 'late' …
  HalfWrite late(schema_->url(), "late");
  first.run(half_write("b"));                // … and a greater position
  first.run("COMMIT");
  for (int looks = 0; looks < 5; ++looks) EXPECT_EQ(names(read(*store)), std::vector<std::string>({"a"}));
  late.commit();
  EXPECT_TRUE(tells(*store, {"a", "late", "b"}));
}

// A watch that begins at the newest position must be told what is under way at that moment, or else have it before.
TEST_F(PostgresChangesTest, TheNewestPositionHasNothingUnderWayBeforeIt) {
  const auto store = open();
  ASSERT_TRUE(apply(*store, {put("a", "1", 1)}).has_value());
  HalfWrite late(schema_->url(), "late");
  ASSERT_TRUE(apply(*store, {put("b", "1", 2)}).has_value());
  const auto early = executor_.run(store->change_log_state(in_ms(200)));
  EXPECT_FALSE(early.has_value()) << "'late' may still come to lie before 'b'";
  late.commit();
  EXPECT_EQ(state(*store).newest, 3U);
}

TEST_F(PostgresChangesTest, RaisesASchemaWithoutAChangeLog) {
  {
    const auto store = open();
    ASSERT_TRUE(apply(*store, {put("a", "1", 1)}).has_value());
  }
  SqlSession session(schema_->url());
  session.run("DROP TABLE armazem_changes");
  session.run("DROP SEQUENCE armazem_positions");
  session.run("DELETE FROM armazem_meta WHERE name = 'changes'");
  session.run("UPDATE armazem_meta SET number = 1 WHERE name = 'schema'");
  const auto store = open();
  EXPECT_EQ(bytes(*store, "a"), "1");
  ASSERT_TRUE(apply(*store, {put("b", "1", 2)}).has_value());
  EXPECT_EQ(names(read(*store)), std::vector<std::string>({"b"}));
  const auto another = open();
  EXPECT_EQ(state(*another).id, state(*store).id);
}

}  // namespace
}  // namespace armazem::test
