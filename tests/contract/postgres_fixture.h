// A schema of its own on the server, and stores in it.
#pragma once

#include <gtest/gtest.h>

#include "adapters/postgres/postgres_store.h"
#include "support/mutations.h"
#include "support/postgres_server.h"
#include "support/run_task.h"
#include "support/test_time.h"
#include "support/wire_proxy.h"

namespace armazem::test {

class PostgresTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!postgres_url()) GTEST_SKIP() << "ARMAZEM_TEST_POSTGRES names no server; tests/README.md says how to give one";
    schema_.emplace();
  }

  PostgresOptions options() const { return options_at(schema_->url()); }
  static PostgresOptions options_at(std::string url) {
    PostgresOptions options;
    options.url = std::move(url);
    options.write_connections = 2;
    return options;
  }
  std::unique_ptr<PostgresStore> open(const PostgresOptions& options) {
    return PostgresStore::open(options, loops_, time_).value();
  }
  std::unique_ptr<PostgresStore> open() { return open(options()); }

  Result<std::vector<Outcome>> apply(Store& store, std::vector<Mutation> batch, Deadline deadline = soon()) {
    return executor_.run(store.apply(std::move(batch), {}, deadline));
  }
  Result<std::optional<Record>> get(Store& store, const std::string& name, Deadline deadline = soon()) {
    const Key wanted = key(name);
    return executor_.run(store.get(wanted, deadline));
  }
  std::string bytes(Store& store, const std::string& name) {
    const auto record = get(store, name).value();
    return record && !record->tombstone ? record->value.bytes : "(none)";
  }
  StoreHealth health(Store& store) { return executor_.run(store.health(in_ms(5000))); }

  static Deadline in_ms(int ms) { return Deadline::after(MonotonicClock::now(), std::chrono::milliseconds(ms)); }
  template <class Condition>
  static bool eventually(Condition holds) {
    for (const Deadline until = in_ms(20'000); !until.expired(MonotonicClock::now());) {
      if (holds()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return false;
  }

  TestTime time_;
  TestExecutor executor_;
  std::optional<PostgresSchema> schema_;
  net::LoopGroup loops_{"pg-test", 2};
};

// Its stores connect through a proxy.
class PostgresFaultTest : public PostgresTest {
 protected:
  void SetUp() override {
    PostgresTest::SetUp();
    if (IsSkipped()) return;
    proxy_.emplace(schema_->server_address());
    auto through = options_at(schema_->url_at(proxy_->address()) + "&sslmode=disable");
    through.write_connections = 1;
    store_ = open(through);
    ASSERT_TRUE(eventually([&] { return health(*store_).ok; }));
    // The first try may meet the pool between two connects.
    ASSERT_TRUE(eventually([&] { return apply(*store_, {put("warm", "up", 1)}).has_value(); }));
  }
  void TearDown() override { store_.reset(); }

  std::optional<WireProxy> proxy_;
  std::unique_ptr<PostgresStore> store_;
};

}  // namespace armazem::test
