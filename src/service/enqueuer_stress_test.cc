// Many threads on one enqueuer, with a broker that loses what it may lose. For the sanitizers, and for the promise that
// every write is answered, once.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <thread>

#include "runtime/thread_pool.h"
#include "service/cluster_fixture.h"
#include "service/enqueuer.h"
#include "support/run_task.h"
#include "support/test_time.h"

namespace armazem::test {
namespace {

using Fate = QueuedWrite::Fate;

struct Tally {
  std::array<std::atomic<int>, 5> fates{};
  std::atomic<int> wrong = 0;  // answered with somebody else's outcome
  std::atomic<int> submitters = 0;
  [[nodiscard]] int of(Fate fate) const { return fates[static_cast<std::size_t>(fate)].load(); }
};

Task<void> write_many(Enqueuer& queue, std::uint64_t from, int writes, const TimeSource& time, Tally& tally) {
  for (int i = 0; i < writes; ++i) {
    const std::uint64_t stamp = from + static_cast<std::uint64_t>(i);
    const Mutation mutation = put("key" + std::to_string(stamp % 64), "v", stamp);
    Enqueuer::Patience patience{time.now() + milliseconds(i % 3 == 0 ? 0 : 20), i % 5 == 0};
    if (i % 7 == 0) patience.wait_until = MonotonicTime::min();
    const QueuedWrite queued = co_await queue.submit(mutation, patience);
    ++tally.fates[static_cast<std::size_t>(queued.fate)];
    if (queued.fate == Fate::decided && queued.outcome.version != mutation.version) ++tally.wrong;
    if (queued.fate == Fate::not_queued) co_await sleep_until(time.now() + milliseconds(1));
  }
}

// One thread's requests: `at_once` of them at the same time.
void submitter(Enqueuer& queue, std::uint64_t from, int at_once, int writes, const TimeSource& time, Tally& tally) {
  TestExecutor executor;
  TaskScope scope(executor);
  for (int i = 0; i < at_once; ++i) {
    scope.spawn(write_many(queue, from + static_cast<std::uint64_t>(i * writes), writes, time, tally));
  }
  executor.run_until([&] { return scope.running() == 0; });
  --tally.submitters;
}

// Answers all it gets, most of it twice now and then.
void answerer(QueueConsumer& consumer, const TimeSource& time, std::atomic<bool>& over) {
  TestExecutor executor;
  int turn = 0;
  while (!over) {
    const std::vector<Delivery> deliveries = executor.run(consumer.take(64, 1 << 20, Deadline::at(time.now())));
    for (const Delivery& delivery : deliveries) {
      std::vector<Reply> replies;
      for (const Mutation& m : delivery.mutations) {
        replies.push_back({m.version, {Verdict::applied, Effect::created, m.version, m.version, false}});
      }
      if (++turn % 11 == 0) consumer.reply(delivery.reply_to, replies);
      consumer.reply(delivery.reply_to, std::move(replies));
      consumer.acknowledge({&delivery.id, 1});
    }
    if (deliveries.empty()) std::this_thread::yield();
  }
}

// Breaks what may break, over and over.
void trouble(MemoryQueue& broker, Enqueuer& queue, const TimeSource& time, std::atomic<bool>& over) {
  for (int turn = 0; !over; ++turn) {
    switch (turn % 6) {
      case 0: broker.lose_confirms(1); break;
      case 1: broker.refuse_publishes(1, {ErrorCode::unavailable, "refused"}); break;
      case 2: broker.hold_confirms(); break;
      case 3: broker.lose_replies(8); break;
      case 4: broker.lose_reply_addresses(); break;
      default: broker.release_confirms(); break;
    }
    for (int i = 0; i < 20; ++i) {
      broker.expire(time.now());
      queue.expire(time.now());
      (void)queue.figures();
      std::this_thread::yield();
    }
  }
  broker.release_confirms();
}

// How many writes were decided by a worker.
int one_round() {
  constexpr int submitters = 3;
  constexpr int at_once = 40;
  constexpr int writes = 300;
  const TestTime time;
  MemoryQueue broker({.partitions = 2}, time);
  Relay relay;
  const auto publisher = broker.connect_publisher(relay);
  const auto consumer = broker.connect_consumer();
  ThreadPool senders("senders", 2);
  const EnqueuerOptions options{.message_mutations_max = 16,
                                .messages_in_flight_max = 2,
                                .pending_mutations_max = 64,
                                .confirm_timeout = milliseconds(10),
                                .silence_after = milliseconds(5),
                                .probe_interval = milliseconds(1),
                                .workers_silent_after = milliseconds(15)};
  Enqueuer queue(*publisher, senders, time, options);
  relay.to = &queue;

  Tally tally;
  tally.submitters = submitters;
  std::atomic<bool> over{false};
  std::vector<std::thread> others;
  others.emplace_back([&] { answerer(*consumer, time, over); });
  others.emplace_back([&] { trouble(broker, queue, time, over); });
  std::vector<std::thread> threads;
  for (int i = 0; i < submitters; ++i) {
    threads.emplace_back(
        [&, i] { submitter(queue, static_cast<std::uint64_t>(i) * 1'000'000 + 1, at_once, writes, time, tally); });
  }
  for (std::thread& thread : threads) thread.join();
  over = true;
  for (std::thread& thread : others) thread.join();
  queue.close();
  relay.to = nullptr;

  int all = 0;
  for (const auto& fate : tally.fates) all += fate;
  EXPECT_EQ(all, submitters * at_once * writes);
  EXPECT_EQ(tally.wrong, 0);
  EXPECT_EQ(queue.figures().gathering, 0U);
  EXPECT_EQ(queue.figures().waiting_for_reply, 0U);
  return tally.of(Fate::decided);
}

// Which threads run is the machine's choice: where the one that answers hardly does, a round may pass without a decision.
TEST(EnqueuerStressTest, EveryWriteIsAnsweredOnceWhateverHappens) {
  int decided = 0;
  for (int round = 0; round < 20 && decided == 0; ++round) decided = one_round();
  EXPECT_GT(decided, 0);
}

// Close comes while writes are still being submitted: each is answered all the same.
TEST(EnqueuerStressTest, CloseUnderLoadLeavesNobodyWaiting) {
  for (int round = 0; round < 20; ++round) {
    const TestTime time;
    MemoryQueue broker({}, time);
    Relay relay;
    const auto publisher = broker.connect_publisher(relay);
    const auto consumer = broker.connect_consumer();
    ThreadPool senders("senders", 1);
    Enqueuer queue(*publisher, senders, time, {.messages_in_flight_max = 1});
    relay.to = &queue;
    Tally tally;
    tally.submitters = 2;
    std::atomic<bool> over{false};
    std::thread answering([&] { answerer(*consumer, time, over); });
    std::thread a([&] { submitter(queue, 1, 20, 20, time, tally); });
    std::thread b([&] { submitter(queue, 1'000'000, 20, 20, time, tally); });
    queue.close();
    a.join();
    b.join();
    over = true;
    answering.join();
    relay.to = nullptr;
    int all = 0;
    for (const auto& fate : tally.fates) all += fate;
    EXPECT_EQ(all, 2 * 20 * 20);
  }
}

}  // namespace
}  // namespace armazem::test
