// The Store contract on a real server.
#include "adapters/postgres/postgres_store.h"
#include "contract/store_contract.h"
#include "support/postgres_server.h"

namespace armazem::test {
namespace {

class PostgresUnderTest final : public StoreUnderTest {
 public:
  explicit PostgresUnderTest(const TimeSource& time) {
    PostgresOptions options;
    options.url = schema_.url();
    store_ = PostgresStore::open(options, loops_, time).value();
  }
  Store& store() override { return *store_; }

 private:
  PostgresSchema schema_;
  net::LoopGroup loops_{"pg-test", 2};
  std::unique_ptr<PostgresStore> store_;
};

std::unique_ptr<StoreUnderTest> make(const TimeSource& time) {
  if (!postgres_url()) return nullptr;
  return std::make_unique<PostgresUnderTest>(time);
}

INSTANTIATE_TEST_SUITE_P(Stores, StoreContract, testing::Values(StoreKind{"postgres", make}),
                         [](const auto& kind) { return kind.param.name; });

}  // namespace
}  // namespace armazem::test
