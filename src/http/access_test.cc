// The rules before every request: who is asked for a key, what the answer says, rates, and what a change of keys does.
#include "http/access.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/request_fixture.h"
#include "support/temp_dir.h"

namespace armazem::http {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using Denial = Access::Denial;

PeerAddress peer(std::uint8_t last) { return {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 192, 0, 2, last}; }

class AccessTest : public RequestTest {
 protected:
  AccessTest() : made_(new_key({*Scope::parse("read,write:orders/"), *Scope::parse("delete:orders/old/")}, 0)) {
    save({made_.key});
    ring_ = std::move(*KeyRing::open(path_));
    use({});
  }

  void save(const std::vector<ApiKey>& keys) { ASSERT_TRUE(write_key_file(path_, keys).has_value()); }
  void reload(const std::vector<ApiKey>& keys) {
    save(keys);
    ASSERT_TRUE(ring_->reload().has_value());
  }
  void use(const AccessOptions& options, bool with_keys = true) {
    access_ = std::make_unique<Access>(with_keys ? ring_.get() : nullptr, options, time_);
  }

  // With an Authorization header, or without one when `authorization` is empty.
  std::unique_ptr<Admitted> ask(std::string_view method, std::string_view target, std::string_view authorization, std::uint8_t from = 1) {
    auto admitted = std::make_unique<Admitted>();
    admitted->block = std::string(method) + " " + std::string(target) + " HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n";
    if (!authorization.empty()) admitted->block.append("Authorization: ").append(authorization).append("\r\n");
    admitted->block.append("\r\n");
    EXPECT_FALSE(parse_head(admitted->block, admitted->request.head).has_value());
    admitted->request.begun = now_;
    admitted->request.peer = peer(from);
    admitted->problem = Router(value_bytes_max, clock_, access_.get()).admit(admitted->request);
    return admitted;
  }
  std::string slug(std::string_view method, std::string_view target, std::uint8_t from = 1) {
    return std::string(ask(method, target, bearer(), from)->slug());
  }
  std::string bearer() const { return "Bearer " + made_.text; }
  std::string other_secret() const { return "Bearer " + made_.key.id + "." + std::string(key_secret_chars, '0'); }

  test::TempDir directory_;
  const std::string path_ = directory_.sub("keys");
  NewKey made_;
  std::unique_ptr<KeyRing> ring_;
  std::unique_ptr<Access> access_;
  MonotonicTime now_ = MonotonicTime(1'000'000s);
};

constexpr std::string_view operation = "/operations/0193a1b2-c3d4-7001-8abc-0123456789ab?key=";

TEST_F(AccessTest, ARightForEachMethodUnderItsPrefix) {
  EXPECT_EQ(slug("GET", "/store/orders/1"), "admitted");
  EXPECT_EQ(slug("HEAD", "/store/orders/1"), "admitted");
  EXPECT_EQ(slug("PUT", "/store/orders/1"), "admitted");
  EXPECT_EQ(slug("DELETE", "/store/orders/1"), "forbidden");
  EXPECT_EQ(slug("DELETE", "/store/orders/old/1"), "admitted");
  EXPECT_EQ(slug("GET", std::string(operation) + "orders/1"), "admitted");
  EXPECT_EQ(slug("GET", std::string(operation) + "other"), "forbidden");
  EXPECT_EQ(slug("GET", "/store/other"), "forbidden");
  EXPECT_EQ(slug("GET", "/metrics"), "forbidden");
  EXPECT_EQ(access_->denied(Denial::forbidden), 4U);
}

TEST_F(AccessTest, ThePrefixIsThatOfTheDecodedKey) {
  EXPECT_EQ(slug("GET", "/store/%6Frders%2F1"), "admitted");
  EXPECT_EQ(slug("GET", "/store/orders%252F1"), "forbidden") << "decoded once, as the key is";
  EXPECT_EQ(slug("GET", "/store/./orders/1"), "forbidden");
  EXPECT_EQ(slug("GET", "/store/orders/../secret"), "admitted") << "a key that begins with orders/, not a path";
}

TEST_F(AccessTest, OpenWithoutAKey) {
  for (const std::string_view target : {"/health/live", "/health/ready?verbose", "/", "/ui/dashboard.js", "/swagger-ui/index.html", "/openapi.json"}) {
    EXPECT_EQ(ask("GET", target, "")->slug(), "admitted") << target;
    EXPECT_EQ(ask("GET", target, other_secret())->slug(), "admitted") << target;
  }
  EXPECT_EQ(ask("GET", "/nowhere", "")->slug(), "route-not-found");
  for (const std::string_view target : {"/store", "/store/orders/1", "/metrics", "*"}) {
    EXPECT_EQ(ask("OPTIONS", target, "")->slug(), "admitted") << target;
  }
}

TEST_F(AccessTest, WhatIsNoKey) {
  for (const std::string_view target : {"/store/orders/1", "/store/%zz", "/metrics", "/operations/x"}) {
    EXPECT_EQ(ask("GET", target, "")->slug(), "unauthenticated") << target;
  }
  EXPECT_EQ(ask("PUT", "/store", "")->slug(), "unauthenticated") << "before its body is read";
  EXPECT_EQ(access_->denied(Denial::no_key), 5U);
  for (const std::string& text : {std::string("Bearer"), std::string("Basic dTpw"), "Bearer  " + made_.text, made_.text, "Bearer " + made_.text + "0",
                                  std::string("Bearer a.b"), other_secret(), "Bearer " + new_key({}, 0).text}) {
    EXPECT_EQ(ask("GET", "/store/orders/1", text)->slug(), "unauthenticated") << text;
  }
  EXPECT_EQ(access_->denied(Denial::bad_key), 8U);
  EXPECT_EQ(ask("GET", "/store/orders/1", "bEARER " + made_.text)->slug(), "admitted");
}

TEST_F(AccessTest, AnIdAloneFindsOutNothing) {
  ApiKey gone = made_.key;
  const std::string unknown = ask("GET", "/store/k", "Bearer " + new_key({}, 0).text)->problem->detail;
  EXPECT_EQ(ask("GET", "/store/k", other_secret())->problem->detail, unknown);
  gone.revoked_at_ms = 1;
  reload({gone});
  EXPECT_EQ(ask("GET", "/store/k", other_secret())->problem->detail, unknown);
  EXPECT_THAT(ask("GET", "/store/k", bearer())->problem->detail, HasSubstr("revoked at 1970-01-01T00:00:00.001Z"));
  gone.revoked_at_ms.reset();
  gone.expires_at_ms = time_.wall_ms();
  reload({gone});
  EXPECT_EQ(ask("GET", "/store/k", other_secret())->problem->detail, unknown);
  EXPECT_THAT(ask("GET", "/store/k", bearer())->problem->detail, HasSubstr("expired at"));
}

TEST_F(AccessTest, TheAnswersSayHow) {
  Response response;
  render(*ask("GET", "/store/k", "")->problem, "id", response);
  EXPECT_EQ(response.status, 401);
  EXPECT_EQ(header_of(response, "WWW-Authenticate"), "Bearer realm=\"armazem\"");
  render(*ask("GET", "/store/k", bearer())->problem, "id", response);
  EXPECT_EQ(response.status, 403);
  EXPECT_THAT(response.body, HasSubstr("right to read"));
}

TEST_F(AccessTest, AnAddressMayAskAtItsRateButHealthAlways) {
  AccessOptions options;
  options.per_address = Rate::per(1min, 2, 2);
  use(options);
  EXPECT_EQ(ask("GET", "/nowhere", "")->slug(), "route-not-found");
  EXPECT_EQ(slug("GET", "/store/orders/1"), "admitted");
  const auto refused = ask("GET", "/store/orders/1", bearer());
  EXPECT_EQ(refused->slug(), "too-many-requests");
  Response response;
  render(*refused->problem, "id", response);
  EXPECT_EQ(response.status, 429);
  EXPECT_EQ(header_of(response, "Retry-After"), "30");
  EXPECT_EQ(ask("GET", "/health/live", "")->slug(), "admitted");
  EXPECT_EQ(slug("GET", "/store/orders/1", 2), "admitted") << "another address";
  now_ += 30s;
  EXPECT_EQ(slug("GET", "/store/orders/1"), "admitted");
}

TEST_F(AccessTest, AKeyMayAskAtItsRateFromAnywhere) {
  const NewKey other = new_key(made_.key.scopes, 0);
  reload({made_.key, other.key});
  AccessOptions options;
  options.per_key = Rate::per(1min, 1, 1);
  use(options);
  EXPECT_EQ(slug("GET", "/store/orders/1", 1), "admitted");
  EXPECT_EQ(slug("GET", "/store/orders/1", 2), "too-many-requests");
  EXPECT_EQ(ask("GET", "/store/orders/1", "Bearer " + other.text)->slug(), "admitted");
  EXPECT_EQ(access_->denied(Denial::key_rate), 1U);
}

TEST_F(AccessTest, WrongKeysAreBoundedAndTheRightOneStillWorks) {
  AccessOptions options;
  options.bad_keys = Rate::per(1min, 3, 3);
  use(options);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(ask("GET", "/store/orders/1", other_secret())->slug(), "unauthenticated");
  EXPECT_EQ(ask("GET", "/store/orders/1", other_secret())->slug(), "too-many-requests");
  EXPECT_EQ(ask("GET", "/store/orders/1", "nonsense")->slug(), "too-many-requests");
  EXPECT_EQ(slug("GET", "/store/orders/1"), "admitted");
  EXPECT_EQ(ask("GET", "/store/orders/1", "")->slug(), "unauthenticated") << "no key is no wrong key";
  EXPECT_EQ(ask("GET", "/store/orders/1", other_secret(), 2)->slug(), "unauthenticated") << "another address";
  EXPECT_EQ(access_->denied(Denial::bad_keys_rate), 2U);
}

TEST_F(AccessTest, WithoutKeysOnlyTheRatesCount) {
  AccessOptions options;
  options.per_address = Rate::per(1min, 3, 3);
  use(options, false);
  EXPECT_EQ(ask("GET", "/store/any", "")->slug(), "admitted");
  EXPECT_EQ(ask("GET", "/store/any", "nonsense")->slug(), "admitted");
  const auto admitted = ask("GET", "/metrics", "");
  EXPECT_EQ(admitted->slug(), "admitted");
  EXPECT_FALSE(check_access(admitted->request, Right::admin, "").has_value());
  EXPECT_TRUE(still_allowed(admitted->request.identity, Right::admin, ""));
  EXPECT_EQ(ask("GET", "/store/any", "")->slug(), "too-many-requests");
}

TEST_F(AccessTest, AHandlerAsksForWhatTheBodyNames) {
  const auto admitted = ask("PUT", "/store", bearer());
  ASSERT_EQ(admitted->slug(), "admitted");
  EXPECT_FALSE(check_access(admitted->request, Right::write, "orders/1").has_value());
  EXPECT_EQ(check_access(admitted->request, Right::write, "other")->type, ProblemType::forbidden);
  EXPECT_EQ(check_access(admitted->request, Right::read, "")->type, ProblemType::forbidden) << "a list of everything";
  EXPECT_EQ(check_access(admitted->request, Right::admin, "orders/1")->type, ProblemType::forbidden);
}

TEST_F(AccessTest, AnAnswerWithoutEndEndsWithItsKey) {
  const auto admitted = ask("GET", "/store/orders/1", bearer());
  const Identity identity = admitted->request.identity;
  EXPECT_TRUE(still_allowed(identity, Right::read, "orders/"));
  EXPECT_FALSE(still_allowed(identity, Right::read, "other/"));
  reload({});
  EXPECT_FALSE(still_allowed(identity, Right::read, "orders/"));
}

TEST_F(AccessTest, ConsolesElsewhereAreNotHere) {
  const Router router(value_bytes_max, clock_, access_.get(), true);
  for (const std::string_view target : {"/metrics", "/", "/ui/x.js", "/swagger-ui/index.html", "/openapi.json"}) {
    auto admitted = admit("GET", target);
    admitted->problem = router.admit(admitted->request);
    EXPECT_EQ(admitted->slug(), "route-not-found") << target;
  }
  auto health = admit("GET", "/health/live");
  health->problem = router.admit(health->request);
  EXPECT_EQ(health->slug(), "admitted");
}

}  // namespace
}  // namespace armazem::http
