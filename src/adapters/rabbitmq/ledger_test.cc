// The book of publishes: every waiter is told exactly once, and 'certainly not there' only when that is certain.
#include "adapters/rabbitmq/ledger.h"

#include <gtest/gtest.h>

#include <array>

namespace armazem::rabbit {
namespace {

using namespace std::chrono_literals;

struct Waiter : PublishWaiter {
  Waiter() {
    on_done = [](PublishWaiter& self) { ++static_cast<Waiter&>(self).told; };
  }
  int told = 0;
  [[nodiscard]] std::string text() const {
    if (told != 1) return told == 0 ? "waiting" : "told twice";
    return result ? "confirmed" : std::string(to_string(result.error().code));
  }
};

class LedgerTest : public testing::Test {
 protected:
  LedgerTest() { ledger_.link_up(); }

  static Outgoing message(std::size_t bytes = 1) { return {"q", std::string(bytes, 'x'), false, "", "", 0}; }
  Result<void> submit(Waiter& waiter, Deadline deadline = Deadline::none()) {
    return ledger_.submit(message(), waiter, deadline);
  }
  void submit_and_send(std::span<Waiter> waiters) {
    for (Waiter& waiter : waiters) {
      ASSERT_TRUE(submit(waiter).has_value());
      ASSERT_TRUE(ledger_.begin_send().has_value());
    }
  }
  static std::vector<std::string> texts(std::span<const Waiter> waiters) {
    std::vector<std::string> all;
    for (const Waiter& waiter : waiters) all.push_back(waiter.text());
    return all;
  }

  Counters counters_;
  Wakeup wakeup_;
  RabbitmqOptions options_{.url = "", .unconfirmed_messages_max = 4, .unconfirmed_bytes_max = 100};
  Ledger ledger_{options_, counters_, wakeup_};
  std::array<Waiter, 4> four_;
};

using Texts = std::vector<std::string>;

TEST_F(LedgerTest, ConfirmsOneByOneInAnyOrderAndManyAtOnce) {
  submit_and_send(four_);
  EXPECT_TRUE(ledger_.settle(3, false, true));
  EXPECT_EQ(texts(four_), (Texts{"waiting", "waiting", "confirmed", "waiting"}));
  EXPECT_TRUE(ledger_.settle(2, true, true));
  EXPECT_EQ(texts(four_), (Texts{"confirmed", "confirmed", "confirmed", "waiting"}));
  EXPECT_TRUE(ledger_.settle(4, true, true));
  EXPECT_EQ(texts(four_), (Texts{"confirmed", "confirmed", "confirmed", "confirmed"}));
  EXPECT_TRUE(ledger_.idle());
  EXPECT_EQ(counters_.figures().confirmed, 4U);
}

TEST_F(LedgerTest, TagZeroWithMultipleMeansAllSoFar) {
  submit_and_send(four_);
  EXPECT_TRUE(ledger_.settle(0, true, true));
  EXPECT_TRUE(ledger_.idle());
}

TEST_F(LedgerTest, AConfirmForWhatWasNeverSentIsAnError) {
  submit_and_send(std::span(four_).first(1));
  EXPECT_FALSE(ledger_.settle(2, false, true));
  EXPECT_EQ(four_[0].text(), "waiting");
}

TEST_F(LedgerTest, ANackIsUnknown) {
  submit_and_send(std::span(four_).first(2));
  EXPECT_TRUE(ledger_.settle(2, true, false));
  EXPECT_EQ(four_[0].text(), "outcome_unknown");
  EXPECT_EQ(four_[1].text(), "outcome_unknown");
}

TEST_F(LedgerTest, AReturnedMessageIsCertainlyNotThere) {
  submit_and_send(std::span(four_).first(2));
  ledger_.returned(1, "312 NO_ROUTE");
  EXPECT_EQ(four_[0].text(), "unavailable");
  EXPECT_TRUE(ledger_.settle(2, true, true)) << "the confirm that follows";
  EXPECT_EQ(four_[0].text(), "unavailable") << "told once";
  EXPECT_EQ(four_[1].text(), "confirmed");
}

TEST_F(LedgerTest, ALostLinkIsUnknownForTheSentAndUnavailableForTheQueued) {
  submit_and_send(std::span(four_).first(2));
  ASSERT_TRUE(submit(four_[2]).has_value());
  EXPECT_TRUE(ledger_.settle(1, false, true));
  ledger_.link_down("gone");
  EXPECT_EQ(texts(four_), (Texts{"confirmed", "outcome_unknown", "unavailable", "waiting"}));
  EXPECT_EQ(submit(four_[3]).error().code, ErrorCode::unavailable);
  EXPECT_EQ(four_[3].told, 0) << "refused in the call itself";
  ledger_.link_up();
  submit_and_send(std::span(four_).last(1));
  EXPECT_TRUE(ledger_.settle(1, false, true)) << "tags begin again";
  EXPECT_EQ(four_[3].text(), "confirmed");
}

TEST_F(LedgerTest, ABlockedBrokerRefusesBeforeAnythingIsSent) {
  submit_and_send(std::span(four_).first(1));
  ASSERT_TRUE(submit(four_[1]).has_value());
  ledger_.set_blocked(true, "low on memory");
  EXPECT_EQ(four_[1].text(), "unavailable");
  EXPECT_EQ(four_[0].text(), "waiting") << "may still be confirmed";
  EXPECT_EQ(submit(four_[2]).error().code, ErrorCode::unavailable);
  EXPECT_FALSE(ledger_.submit_unconfirmed(message()));
  ledger_.set_blocked(false, "");
  EXPECT_TRUE(submit(four_[3]).has_value());
  EXPECT_EQ(counters_.figures().blocked, 1U);
}

TEST_F(LedgerTest, DeadlinesTellWhatIsCertain) {
  const MonotonicTime now = MonotonicClock::now();
  const Deadline later = Deadline::at(now + 1h);
  EXPECT_EQ(submit(four_[0], Deadline::at(now)).error().code, ErrorCode::deadline_exceeded);
  ASSERT_TRUE(submit(four_[1], later).has_value());
  ASSERT_TRUE(ledger_.begin_send().has_value());
  ASSERT_TRUE(submit(four_[2], later).has_value());
  ledger_.expire(now + 30min);
  EXPECT_EQ(four_[1].told + four_[2].told, 0);
  ledger_.expire(now + 1h);
  EXPECT_EQ(four_[1].text(), "outcome_unknown");
  EXPECT_EQ(four_[2].text(), "deadline_exceeded");
  EXPECT_FALSE(ledger_.begin_send().has_value()) << "what was given up is not sent any more";
  EXPECT_TRUE(ledger_.settle(1, false, true));
  EXPECT_TRUE(ledger_.idle());
}

TEST_F(LedgerTest, TheWindowCountsMessagesUntilTheirConfirmEvenWhenTheirWaiterGaveUp) {
  for (Waiter& waiter : four_) ASSERT_TRUE(submit(waiter, Deadline::at(MonotonicClock::now() + 1h)).has_value());
  while (ledger_.begin_send()) {
  }
  Waiter fifth;
  EXPECT_EQ(submit(fifth).error().code, ErrorCode::overloaded);
  ledger_.expire(MonotonicClock::now() + 2h);
  EXPECT_EQ(submit(fifth).error().code, ErrorCode::overloaded);
  EXPECT_TRUE(ledger_.settle(1, false, true));
  EXPECT_TRUE(submit(fifth).has_value());
}

TEST_F(LedgerTest, TheWindowCountsBytesButTakesOneMessageOfAnySize) {
  EXPECT_TRUE(ledger_.submit(message(1000), four_[0], Deadline::none()).has_value());
  EXPECT_EQ(ledger_.submit(message(1), four_[1], Deadline::none()).error().code, ErrorCode::overloaded);
  ASSERT_TRUE(ledger_.begin_send().has_value());
  EXPECT_TRUE(ledger_.settle(1, false, true));
  EXPECT_TRUE(ledger_.submit(message(60), four_[1], Deadline::none()).has_value());
  EXPECT_EQ(ledger_.submit(message(60), four_[2], Deadline::none()).error().code, ErrorCode::overloaded);
}

TEST_F(LedgerTest, AClosedLedgerTakesNothingAndStillConfirms) {
  submit_and_send(std::span(four_).first(1));
  ledger_.close();
  EXPECT_EQ(submit(four_[1]).error().code, ErrorCode::unavailable);
  EXPECT_TRUE(ledger_.settle(1, false, true));
  EXPECT_EQ(four_[0].text(), "confirmed");
}

}  // namespace
}  // namespace armazem::rabbit
