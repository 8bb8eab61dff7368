#include "service/writer.h"

#include <functional>

#include "service/service_fixture.h"
#include "service/write_fixture.h"

namespace armazem::test {
namespace {

using Kind = WriteAnswer::Kind;

// Decides nothing itself: answers every mutation as the test says, and keeps what it was asked.
class ScriptedStore final : public Store {
 public:
  using Script = std::function<Outcome(const Mutation&)>;
  explicit ScriptedStore(Script script) : script_(std::move(script)) {}

  Task<Result<std::vector<Outcome>>> apply(std::vector<Mutation> mutations, ApplyGuard, Deadline) override {
    std::vector<Outcome> outcomes;
    for (Mutation& mutation : mutations) {
      outcomes.push_back(script_(mutation));
      asked.push_back(std::move(mutation));
    }
    return Task<Result<std::vector<Outcome>>>(std::move(outcomes));
  }
  Task<Result<std::optional<Record>>> get(const Key&, Deadline) override {
    return Task<Result<std::optional<Record>>>(std::nullopt);
  }
  Task<Result<ScanPage>> scan(ScanRequest, Deadline) override { return Task<Result<ScanPage>>(ScanPage{}); }
  Task<Result<PurgeReport>> purge(PurgeRequest, Deadline) override { return Task<Result<PurgeReport>>(PurgeReport{}); }
  Task<StoreHealth> health(Deadline) override { return Task<StoreHealth>(StoreHealth{true, "scripted"}); }

  std::vector<Mutation> asked;  // one write at a time, so its thread and ours never meet

 private:
  const Script script_;
};

WriteRequest remove_request(const std::string& name) { return {Mutation::Kind::remove, key(name), {}, {}, 0, {}}; }
WriteRequest with(WriteRequest request, Condition::Kind kind, Version wanted = {}) {
  request.condition = {kind, wanted};
  return request;
}
WriteRequest with_op(WriteRequest request, std::uint64_t op) {
  request.op = OpId(op);
  return request;
}

class WriterTest : public ServiceTest {
 protected:
  WriterTest() { time_.set_wall_ms(epoch_ms + 1000); }

  Result<WriteAnswer> write_to(Store& store, WriteRequest request) {
    Applier applier(store, nullptr, time_);
    Batcher batcher(applier, batch_thread_, time_, {});
    Writer writer(batcher, nullptr, clock_, ops_, time_);
    return executor_.run(writer.write(std::move(request))).answer;
  }
  Result<WriteAnswer> write(WriteRequest request) { return write_to(store_, std::move(request)); }

  HybridClock clock_{time_};
  CountedOpIds ops_;
};

TEST_F(WriterTest, SaysWhatBecameOfEachWrite) {
  EXPECT_EQ(write(put_request("k", "1")).value().kind, Kind::created);
  EXPECT_EQ(write(put_request("k", "2")).value().kind, Kind::replaced);
  EXPECT_EQ(stored_bytes("k"), "2");
  EXPECT_EQ(write(remove_request("k")).value().kind, Kind::deleted);
  EXPECT_EQ(write(remove_request("k")).value().kind, Kind::nothing_to_delete);
  EXPECT_EQ(write(remove_request("never")).value().kind, Kind::nothing_to_delete);
  EXPECT_EQ(write(put_request("k", "3")).value().kind, Kind::created);
}

TEST_F(WriterTest, TheAnswerNamesTheVersionThatIsStored) {
  const WriteAnswer first = write(put_request("k", "1")).value();
  EXPECT_EQ(first.version, stored("k")->version);
  EXPECT_EQ(first.version.op(), OpId(1));
  EXPECT_EQ(first.version.ms(), epoch_ms + 1000);
  const WriteAnswer second = write(put_request("k", "2")).value();
  EXPECT_GT(second.version, first.version) << "within the same millisecond";
  EXPECT_EQ(second.version, stored("k")->version);
  EXPECT_FALSE(second.replayed);
}

TEST_F(WriterTest, TheWholeValueIsStored) {
  ASSERT_TRUE(write(put_request("k", "bytes")).has_value());
  EXPECT_EQ(stored("k")->value, (Value{"bytes", "text/plain", ValueForm::text}));
}

TEST_F(WriterTest, TimeToLiveCountsFromTheVersion) {
  WriteRequest request = put_request("k", "v");
  request.ttl_seconds = 60;
  const WriteAnswer answer = write(request).value();
  EXPECT_EQ(stored("k")->expires_at_ms, answer.version.ms() + 60'000);
  ASSERT_TRUE(write(put_request("k", "for ever")).has_value());
  EXPECT_EQ(stored("k")->expires_at_ms, std::nullopt);
}

TEST_F(WriterTest, AFailedConditionNamesTheLiveVersion) {
  const Version current = write(put_request("k", "v")).value().version;
  const WriteAnswer failed = write(with(put_request("k", "w"), Condition::Kind::if_absent)).value();
  EXPECT_EQ(failed.kind, Kind::condition_failed);
  EXPECT_EQ(failed.version, current);
  const WriteAnswer nothing = write(with(remove_request("never"), Condition::Kind::if_present)).value();
  EXPECT_EQ(nothing.kind, Kind::condition_failed);
  EXPECT_TRUE(nothing.version.is_nil());
  EXPECT_EQ(stored_bytes("k"), "v");
}

// Stamping again -------------------------------------------------------------------------------------------------------

TEST_F(WriterTest, AWriteBelowTheCurrentVersionIsStampedAgainJustAboveIt) {
  given({put("k", "from a fast clock", 5'000'000)});
  const WriteAnswer answer = write(put_request("k", "mine")).value();
  EXPECT_EQ(answer.kind, Kind::replaced);
  EXPECT_EQ(answer.version, HybridClock::stamp_above(version(5'000'000, 5'000'000), OpId(1)));
  EXPECT_EQ(store_.calls(), 2U);
  EXPECT_EQ(stored_bytes("k"), "mine");
}

TEST_F(WriterTest, AKeyThatIsFarAheadDoesNotMoveTheClock) {
  given({put("far", "v", 5'000'000)});
  ASSERT_TRUE(write(put_request("far", "mine")).has_value());
  EXPECT_EQ(write(put_request("other", "v")).value().version.ms(), epoch_ms + 1000);
}

TEST_F(WriterTest, ConditionsAreDecidedAboveAFarNewerRecord) {
  given({put("k", "v", 5'000'000)});
  const Version newest = version(5'000'000, 5'000'000);
  EXPECT_EQ(write(with(put_request("k", "w"), Condition::Kind::if_absent)).value().version, newest);
  EXPECT_EQ(write(with(put_request("k", "w"), Condition::Kind::if_version, version(1, 1))).value().kind,
            Kind::condition_failed);
  EXPECT_EQ(write(with(put_request("k", "w"), Condition::Kind::if_version, newest)).value().kind, Kind::replaced);
  EXPECT_EQ(write(with(remove_request("k"), Condition::Kind::if_present)).value().kind, Kind::deleted);
}

TEST_F(WriterTest, ASupersededWriteIsSentFourTimesAtMostUnderOneOpId) {
  std::uint64_t ahead = 10'000'000;
  std::vector<Version> currents;
  ScriptedStore overtaking([&](const Mutation&) {
    currents.push_back(version(ahead += 1000, 77));
    return Outcome{Verdict::superseded, {}, {}, currents.back(), false};
  });
  const auto answer = write_to(overtaking, put_request("k", "v"));
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code, ErrorCode::overloaded);
  EXPECT_TRUE(answer.error().retryable());
  ASSERT_EQ(overtaking.asked.size(), 1U + limits::restamps_max);
  for (std::size_t i = 1; i < overtaking.asked.size(); ++i) {
    EXPECT_EQ(overtaking.asked[i].version, HybridClock::stamp_above(currents[i - 1], OpId(1))) << i;
    EXPECT_EQ(overtaking.asked[i].value.bytes, "v");
  }
  EXPECT_EQ(ops_.drawn, 1U);
}

TEST_F(WriterTest, TimeToLiveCountsFromTheNewStamp) {
  given({put("k", "v", 5'000'000)});
  WriteRequest request = put_request("k", "mine");
  request.ttl_seconds = 1;
  const WriteAnswer answer = write(request).value();
  EXPECT_EQ(stored("k")->expires_at_ms, answer.version.ms() + 1000);
}

// An operation with an Idempotency-Key may have been applied by an earlier request: only the history can disprove it.
TEST_F(WriterTest, WithoutProofAKnownOperationIsNotSentAgain) {
  for (const Verdict verdict : {Verdict::indeterminate, Verdict::too_old}) {
    ScriptedStore store([verdict](const Mutation&) { return Outcome{verdict, {}, {}, version(9'000'000, 9), false}; });
    WriteRequest request = put_request("k", "v");
    request.op = OpId(4711);
    const auto answer = write_to(store, request);
    ASSERT_FALSE(answer.has_value());
    EXPECT_EQ(answer.error().code, ErrorCode::outcome_unknown);
    EXPECT_FALSE(answer.error().retryable());
    EXPECT_EQ(store.asked.size(), 1U);
  }
}

TEST_F(WriterTest, AFreshOperationNeedsNoHistoryToProveThatItWasNotApplied) {
  std::vector<Mutation> many;
  for (std::uint64_t i = 0; i <= limits::history_entries_min; ++i)
    many.push_back(put("k", "v", 5'000'000 + i * 20'000));
  given(std::move(many));
  EXPECT_EQ(write(put_request("k", "mine")).value().kind, Kind::replaced);
  EXPECT_EQ(store_.calls(), 2U);
  EXPECT_EQ(stored_bytes("k"), "mine");
}

// The same operation again ---------------------------------------------------------------------------------------------

TEST_F(WriterTest, ARepeatedOperationIsAnsweredAsTheFirstTime) {
  const WriteAnswer first = write(with_op(put_request("k", "mine"), 500)).value();
  ASSERT_TRUE(write(put_request("k", "of another")).has_value());
  const WriteAnswer again = write(with_op(put_request("k", "mine"), 500)).value();
  EXPECT_TRUE(again.replayed);
  EXPECT_EQ(again.kind, first.kind);
  EXPECT_EQ(again.version, first.version);
  EXPECT_EQ(stored_bytes("k"), "of another");
  EXPECT_EQ(ops_.drawn, 1U) << "an operation with a name needs no random one";
}

TEST_F(WriterTest, ALostAnswerIsFoundAgainByItsOpId) {
  store_.lose_answers(1);
  EXPECT_EQ(write(with_op(put_request("k", "v"), 500)).error().code, ErrorCode::outcome_unknown);
  const WriteAnswer again = write(with_op(put_request("k", "v"), 500)).value();
  EXPECT_TRUE(again.replayed);
  EXPECT_EQ(again.kind, Kind::created);
  EXPECT_EQ(again.version, stored("k")->version);
}

TEST_F(WriterTest, ErrorsPassAndAreNotTriedAgain) {
  store_.fail_next(1, {ErrorCode::storage_full, "no room"});
  const auto answer = write(put_request("k", "v"));
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code, ErrorCode::storage_full);
  EXPECT_EQ(answer.error().message, "no room");
  EXPECT_EQ(store_.calls(), 1U);
}

}  // namespace
}  // namespace armazem::test
