// What the store on PostgreSQL promises beyond the port: many stores at once, the schema, bounds, refused rows.
#include <thread>

#include "contract/postgres_fixture.h"

namespace armazem::test {
namespace {

class PostgresStoreTest : public PostgresTest {};

// Adds one to a number, again and again, each time only if nobody else did so since it was read.
Task<int> count_up(Store& store, std::uint64_t client, int times) {
  const Key shared = key("counter");
  int failures = 0;
  for (int done = 0; done < times;) {
    const auto read = co_await store.get(shared, soon());
    if (!read || !*read) {
      ++failures;
      break;
    }
    const int number = std::stoi((*read)->value.bytes);
    Mutation next = put("counter", std::to_string(number + 1), 1);
    next.version =
        Version::make((*read)->version.tick().next(), OpId(client * 1'000'000 + static_cast<std::uint64_t>(number)));
    next.condition = {Condition::Kind::if_version, (*read)->version};
    std::vector<Mutation> batch = {next};
    const auto outcomes = co_await store.apply(std::move(batch), {}, soon());
    if (!outcomes) ++failures;
    if (outcomes && outcomes->front().verdict == Verdict::applied) ++done;
  }
  co_return failures;
}

TEST_F(PostgresStoreTest, NoUpdateIsLostBetweenManyStores) {
  constexpr std::uint64_t clients = 6;
  constexpr int times = 30;
  std::vector<std::unique_ptr<PostgresStore>> stores;
  for (int i = 0; i < 3; ++i) stores.push_back(open());
  ASSERT_TRUE(apply(*stores[0], {put("counter", "0", 1)}).has_value());
  std::vector<int> failures(clients, -1);
  std::vector<std::thread> running;
  for (std::uint64_t c = 0; c < clients; ++c) {
    running.emplace_back([&, c] { failures[c] = run_task(count_up(*stores[c % stores.size()], c + 1, times)); });
  }
  for (std::thread& thread : running) thread.join();
  EXPECT_EQ(failures, std::vector<int>(clients, 0));
  EXPECT_EQ(bytes(*stores[1], "counter"), std::to_string(clients * times));
}

// Batches of all keys, blind, from many stores: every write is in the history or was pushed out of it by later ones.
Task<int> overwrite(Store& store, std::uint64_t client, std::uint64_t rounds) {
  int failures = 0;
  for (std::uint64_t round = 1; round <= rounds; ++round) {
    std::vector<Mutation> batch;
    for (int k = 0; k < 20; ++k) batch.push_back(put("k" + std::to_string((k * 7) % 20), "v", round * 100 + client));
    const auto outcomes = co_await store.apply(std::move(batch), {}, soon());
    if (!outcomes) ++failures;
  }
  co_return failures;
}

TEST_F(PostgresStoreTest, ManyWritersOfTheSameKeysEndWithTheNewestAndNoDeadlock) {
  constexpr std::uint64_t clients = 6;
  constexpr std::uint64_t rounds = 20;
  std::vector<std::unique_ptr<PostgresStore>> stores;
  for (int i = 0; i < 3; ++i) stores.push_back(open());
  std::vector<int> failures(clients, -1);
  std::vector<std::thread> running;
  for (std::uint64_t c = 0; c < clients; ++c) {
    running.emplace_back([&, c] { failures[c] = run_task(overwrite(*stores[c % stores.size()], c + 1, rounds)); });
  }
  for (std::thread& thread : running) thread.join();
  EXPECT_EQ(failures, std::vector<int>(clients, 0));
  for (int k = 0; k < 20; ++k) {
    const auto record = get(*stores[0], "k" + std::to_string(k)).value();
    ASSERT_TRUE(record.has_value());
    EXPECT_EQ(record->version, version(rounds * 100 + clients, rounds * 100 + clients));
    EXPECT_TRUE(record->check());
  }
}

TEST_F(PostgresStoreTest, OfManyFirstInsertsOneWins) {
  constexpr std::size_t clients = 6;
  std::vector<std::unique_ptr<PostgresStore>> stores;
  for (int i = 0; i < 3; ++i) stores.push_back(open());
  for (std::uint64_t round = 1; round <= 10; ++round) {
    std::array<Result<std::vector<Outcome>>, clients> results;
    std::vector<std::thread> running;
    for (std::size_t c = 0; c < clients; ++c) {
      running.emplace_back([&, c] {
        std::vector<Mutation> batch;
        for (int k = 0; k < 8; ++k) {
          const std::string name = std::to_string(round) + "-" + std::to_string(k);
          batch.push_back(with(put(name, std::to_string(c), 10 + c), Condition::Kind::if_absent));
        }
        results[c] = run_task(stores[c % stores.size()]->apply(std::move(batch), {}, soon()));
      });
    }
    for (std::thread& thread : running) thread.join();
    for (std::size_t k = 0; k < 8; ++k) {
      int winners = 0;
      for (const auto& result : results) {
        ASSERT_TRUE(result.has_value()) << result.error().message;
        winners += (*result)[k].verdict == Verdict::applied ? 1 : 0;
      }
      EXPECT_EQ(winners, 1);
    }
  }
}

TEST_F(PostgresStoreTest, ManyMayCreateTheSchemaAtOnce) {
  for (int round = 0; round < 5; ++round) {
    schema_.emplace();
    std::vector<std::unique_ptr<PostgresStore>> stores;
    for (int i = 0; i < 5; ++i) stores.push_back(open());
    for (const auto& store : stores) {
      const StoreHealth state = health(*store);
      EXPECT_TRUE(state.ok) << state.detail;
    }
    EXPECT_EQ(schema_->session().run("SELECT number FROM armazem_meta WHERE name = 'schema'"), "2");
  }
}

TEST_F(PostgresStoreTest, ANewerSchemaIsRefused) {
  ASSERT_TRUE(apply(*open(), {put("k", "v", 1)}).has_value());
  schema_->session().run("UPDATE armazem_meta SET number = 3 WHERE name = 'schema'");
  const auto store = open();
  ASSERT_TRUE(eventually([&] { return !health(*store).ok; }));
  const auto refused = apply(*store, {put("k", "w", 2)});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::precondition);
  EXPECT_NE(refused.error().message.find("run a newer armazem"), std::string::npos) << refused.error().message;
  EXPECT_EQ(health(*store).detail, refused.error().message);
  schema_->session().run("UPDATE armazem_meta SET number = 2 WHERE name = 'schema'");
  EXPECT_TRUE(eventually([&] { return health(*store).ok; }));
}

TEST_F(PostgresStoreTest, ARowThatTheDatabaseRefusesDoesNotFailItsBatch) {
  const auto store = open();
  ASSERT_TRUE(apply(*store, {put("before", "v", 1)}).has_value());
  schema_->session().run("ALTER TABLE armazem_records ADD CHECK (value <> 'bad')");
  std::vector<Mutation> batch;
  for (std::uint64_t i = 0; i < 50; ++i)
    batch.push_back(put("k" + std::to_string(i), i == 17 || i == 30 ? "bad" : "good", 10 + i));
  const auto outcomes = apply(*store, batch);
  ASSERT_TRUE(outcomes.has_value()) << outcomes.error().message;
  for (std::uint64_t i = 0; i < 50; ++i) {
    const bool bad = i == 17 || i == 30;
    EXPECT_EQ((*outcomes)[i].verdict, bad ? Verdict::refused : Verdict::applied) << i;
    EXPECT_EQ(bytes(*store, "k" + std::to_string(i)), bad ? "(none)" : "good");
  }
  EXPECT_GT(store->figures().batches_halved, 0U);
  EXPECT_EQ(store->figures().by_verdict[static_cast<std::size_t>(Verdict::refused)], 2U);
}

// Real rollbacks, at every place of the transaction, the COMMIT included.
TEST_F(PostgresStoreTest, RollbacksByTheServerAreRetriedWhereverTheyCome) {
  const auto store = open();
  ASSERT_TRUE(apply(*store, {put("old", "v", 1)}).has_value());
  auto sql = schema_->session();
  sql.run("CREATE SEQUENCE tries");
  sql.run(
      "CREATE FUNCTION unlucky() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF nextval('tries') % 4 IN (1, 2) THEN "
      "RAISE EXCEPTION 'try again' USING ERRCODE = '40001'; END IF; RETURN NEW; END $$");
  sql.run("CREATE TRIGGER t1 BEFORE INSERT OR UPDATE ON armazem_records FOR EACH STATEMENT EXECUTE FUNCTION unlucky()");
  for (std::uint64_t i = 1; i <= 5; ++i) {
    EXPECT_TRUE(apply(*store, {put("a" + std::to_string(i), "v", i), put("old", "w", 10 + i)}).has_value());
  }
  sql.run("DROP TRIGGER t1 ON armazem_records");
  sql.run(
      "CREATE CONSTRAINT TRIGGER t2 AFTER INSERT ON armazem_records DEFERRABLE INITIALLY DEFERRED "
      "FOR EACH ROW EXECUTE FUNCTION unlucky()");
  for (std::uint64_t i = 1; i <= 5; ++i) {
    const auto outcomes = apply(*store, {put("b" + std::to_string(i), "v", i)});
    ASSERT_TRUE(outcomes.has_value());
    EXPECT_FALSE(outcomes->front().replayed);
  }
  EXPECT_GE(store->figures().retries, 14U);
  EXPECT_EQ(store->figures().commits_ambiguous, 0U);
}

TEST_F(PostgresStoreTest, ConflictsWithoutEndStopAtTheDeadlineWithNothingDone) {
  const auto store = open();
  ASSERT_TRUE(apply(*store, {put("k", "v", 1)}).has_value());
  auto sql = schema_->session();
  sql.run(
      "CREATE FUNCTION never() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
      "RAISE EXCEPTION 'no' USING ERRCODE = '40001'; END $$");
  sql.run("CREATE TRIGGER t BEFORE UPDATE ON armazem_records FOR EACH STATEMENT EXECUTE FUNCTION never()");
  const auto result = apply(*store, {put("k", "w", 2)}, in_ms(300));
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, ErrorCode::deadline_exceeded);
  EXPECT_EQ(bytes(*store, "k"), "v");
}

TEST_F(PostgresStoreTest, AFullDiskIsSaidAndMakesTheStoreUnhealthy) {
  const auto store = open();
  ASSERT_TRUE(apply(*store, {put("k", "v", 1)}).has_value());
  auto sql = schema_->session();
  sql.run(
      "CREATE FUNCTION full_() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
      "RAISE EXCEPTION 'no space' USING ERRCODE = '53100'; END $$");
  sql.run("CREATE TRIGGER t BEFORE UPDATE ON armazem_records FOR EACH STATEMENT EXECUTE FUNCTION full_()");
  const auto result = apply(*store, {put("k", "w", 2)});
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, ErrorCode::storage_full);
  EXPECT_FALSE(health(*store).ok);
  EXPECT_EQ(bytes(*store, "k"), "v");
}

Task<void> write_one(Store& store, std::string name, std::optional<ErrorCode>& error, bool& ended) {
  std::vector<Mutation> batch = {put(std::move(name), "v", 100)};
  const auto outcomes = co_await store.apply(std::move(batch), {}, soon());
  if (!outcomes) error = outcomes.error().code;
  ended = true;
}

TEST_F(PostgresStoreTest, CallsThatFindNoRoomToWaitAreRefused) {
  PostgresOptions small = options();
  small.write_connections = 1;
  small.waiters_max = 1;
  const auto store = open(small);
  ASSERT_TRUE(apply(*store, {put("k", "v", 1)}).has_value());
  auto sql = schema_->session();
  sql.run("BEGIN");
  sql.run("SELECT key FROM armazem_records FOR UPDATE");  // holds the one connection
  std::array<std::optional<ErrorCode>, 3> errors;
  std::array<bool, 3> ended{};
  TaskScope scope(executor_);
  scope.spawn(write_one(*store, "k", errors[0], ended[0]));
  for (std::size_t i = 1; i < 3; ++i) scope.spawn(write_one(*store, "other", errors[i], ended[i]));
  executor_.run_until([&] { return ended[1] || ended[2]; });
  EXPECT_EQ(ended[1] ? errors[1] : errors[2], ErrorCode::overloaded);
  EXPECT_EQ(store->figures().refused_overloaded, 1U);
  sql.run("COMMIT");
  executor_.run_until([&] { return scope.running() == 0; });
  EXPECT_EQ(errors[0], std::nullopt);
}

TEST_F(PostgresStoreTest, TwoPurgersRemoveEverythingOnce) {
  const auto first = open();
  const auto second = open();
  std::vector<Mutation> batch;
  for (std::uint64_t i = 1; i <= 400; ++i) batch.push_back(remove("k" + std::to_string(i), i));
  ASSERT_TRUE(apply(*first, batch).has_value());
  std::array<std::size_t, 2> removed{};
  std::vector<std::thread> running;
  for (std::size_t i = 0; i < 2; ++i) {
    running.emplace_back([&, i] {
      for (bool more = true; more;) {
        const auto report = run_task((i == 0 ? first : second)->purge({epoch_ms + 1000, 10}, soon()));
        ASSERT_TRUE(report.has_value()) << report.error().message;
        removed[i] += report->removed;
        more = report->more;
      }
    });
  }
  for (std::thread& thread : running) thread.join();
  EXPECT_EQ(removed[0] + removed[1], 400U);
  EXPECT_EQ(schema_->session().run("SELECT count(*) FROM armazem_records"), "0");
}

TEST_F(PostgresStoreTest, DamagedRowsAreSaidToBe) {
  const auto store = open();
  ASSERT_TRUE(apply(*store, {put("k", "v", 1), put("sound", "v", 1)}).has_value());
  schema_->session().run("UPDATE armazem_records SET history = substr(history, 2) WHERE key = 'k'");
  const auto read = get(*store, "k");
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(read.error().code, ErrorCode::data_damaged);
  const auto written = apply(*store, {put("k", "w", 2)});
  ASSERT_FALSE(written.has_value());
  EXPECT_EQ(written.error().code, ErrorCode::data_damaged);
  EXPECT_EQ(bytes(*store, "sound"), "v");
}

TEST_F(PostgresStoreTest, LengthsOfAHistoryAreStrict) {
  const auto store = open();
  std::vector<Mutation> batch;
  for (std::uint64_t ms = 1; ms <= 9; ++ms) batch.push_back(put("k", "v", ms));
  for (std::uint64_t ms = 1; ms <= 7; ++ms) batch.push_back(put("short", "v", ms));
  ASSERT_TRUE(apply(*store, batch).has_value());
  EXPECT_FALSE(get(*store, "k").value()->history.has_dropped());
  // As stored before histories could be longer: eight entries and more without a mark need not be all.
  schema_->session().run("UPDATE armazem_records SET history = substr(history, 1, 153) WHERE key = 'k'");
  EXPECT_TRUE(get(*store, "k").value()->history.has_dropped());
  for (const std::string mark : {"\\x00", "\\x02", "\\x0101"}) {
    schema_->session().run("UPDATE armazem_records SET history = substr(history, 1, 153) || '" + mark +
                           "' WHERE key = 'k'");
    EXPECT_FALSE(get(*store, "k").has_value()) << mark;
  }
  schema_->session().run("UPDATE armazem_records SET history = history || '\\x01' WHERE key = 'short'");
  EXPECT_FALSE(get(*store, "short").has_value());
}

Task<void> read_many(Store& store, const std::vector<Key>& names, std::size_t from, int& wrong) {
  for (std::size_t i = from; i < names.size(); i += 50) {
    const auto record = co_await store.get(names[i], soon());
    const bool right = record && *record && (*record)->value.bytes == "value of " + names[i].text();
    wrong += right ? 0 : 1;
  }
}

TEST_F(PostgresStoreTest, GetsOfManyCallersShareRoundTrips) {
  const auto store = open();
  std::vector<Mutation> batch;
  std::vector<Key> names;
  for (std::uint64_t i = 1; i <= 500; ++i) {
    const std::string name = "k" + std::to_string(i);
    batch.push_back(put(name, "value of " + name, i));
    names.push_back(key(name));
  }
  ASSERT_TRUE(apply(*store, batch).has_value());
  int wrong = 0;
  TaskScope scope(executor_);
  for (std::size_t c = 0; c < 50; ++c) scope.spawn(read_many(*store, names, c, wrong));
  executor_.run_until([&] { return scope.running() == 0; });
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(store->figures().gets, 500U);
  EXPECT_LT(store->figures().get_rounds, 250U);
}

}  // namespace
}  // namespace armazem::test
