// The RabbitMQ queue without HTTP and store: how many confirmed messages it takes from closed-loop publishers, and how
// long the way publish -> confirm, deliver -> reply -> acknowledge is. Declares queues of its own and deletes them.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <future>
#include <map>
#include <mutex>
#include <random>

#include "adapters/rabbitmq/rabbitmq_queue.h"
#include "core/task_scope.h"
#include "runtime/log.h"
#include "runtime/thread_pool.h"

namespace armazem {
namespace {

struct Settings {
  std::string url;
  std::string mode = "publish";
  std::size_t window = 64;
  std::size_t partitions = 1;
  std::size_t value_bytes = 230;  // about 300 bytes of message
  std::size_t mutations = 1;
  double seconds = 4;
};

constexpr double warm_up_seconds = 0.7;

// Replies that came, and coroutines that wait for one.
class Replies final : public ReplySink {
 public:
  struct Wait {
    Replies& replies;
    Version sent;
    bool await_ready() const noexcept { return false; }
    template <class P>
    bool await_suspend(std::coroutine_handle<P> handle) const {
      const std::lock_guard lock(replies.mutex_);
      Entry& entry = replies.entries_.at(sent);
      entry.waiting = handle;
      entry.executor = &handle.promise().executor();
      return !entry.came;
    }
    void await_resume() const {
      const std::lock_guard lock(replies.mutex_);
      replies.entries_.erase(sent);
    }
  };

  void expect(const Version& sent) {
    const std::lock_guard lock(mutex_);
    entries_.emplace(sent, Entry{});
  }
  void forget(const Version& sent) {
    const std::lock_guard lock(mutex_);
    entries_.erase(sent);
  }

  void on_replies(std::span<const Reply> replies) override {
    std::vector<std::coroutine_handle<>> resumed;
    Executor* executor = nullptr;
    {
      const std::lock_guard lock(mutex_);
      for (const Reply& reply : replies) {
        const auto found = entries_.find(reply.sent);
        if (found == entries_.end() || found->second.came) continue;
        found->second.came = true;
        if (!found->second.waiting) continue;
        resumed.push_back(found->second.waiting);
        executor = found->second.executor;
      }
    }
    if (executor != nullptr) executor->post_all(resumed);  // all on the one of the bench
  }
  void on_replies_lost() override { std::fprintf(stderr, "replies lost\n"); }

 private:
  struct Entry {
    bool came = false;
    std::coroutine_handle<> waiting;
    Executor* executor = nullptr;
  };
  std::mutex mutex_;
  std::map<Version, Entry> entries_;
};

class Bench {
 public:
  Bench(const Settings& settings, QueuePublisher& publisher, Replies& replies)
      : settings_(settings), publisher_(publisher), replies_(replies) {}

  void run(bool with_replies) {
    std::promise<void> all_ended;
    std::size_t running = settings_.window;
    const auto client = [&](std::size_t number) -> Task<void> {
      Executor& home = co_await this_executor();
      ResumeOn there{home};
      co_await there;
      while (MonotonicClock::now() < end_) co_await write_one(number, with_replies);
      if (--running == 0) all_ended.set_value();
    };
    for (std::size_t i = 0; i < settings_.window; ++i) start_root(pool_, client(i));
    all_ended.get_future().wait();
  }

  // What the broker has confirmed, for a comparison with what it delivers. Only when asked for before `run`.
  void remember_confirmed() { remembers_ = true; }
  [[nodiscard]] const std::vector<std::uint64_t>& confirmed() const { return confirmed_; }
  [[nodiscard]] std::uint64_t failures() const { return failures_; }

  void print() {
    std::ranges::sort(latencies_ms_);
    const auto at = [&](double share) {
      if (latencies_ms_.empty()) return 0.0;
      const auto last = static_cast<double>(latencies_ms_.size() - 1);
      return latencies_ms_[static_cast<std::size_t>(share * last)];
    };
    std::printf(
        "%s window=%zu partitions=%zu mutations=%zu: %.0f messages/s  p50 %.2f ms  p99 %.2f ms  failures %llu\n",
        settings_.mode.c_str(), settings_.window, settings_.partitions, settings_.mutations,
        static_cast<double>(latencies_ms_.size()) / settings_.seconds, at(0.5), at(0.99),
        static_cast<unsigned long long>(failures_));
  }

 private:
  Task<void> write_one(std::size_t number, bool with_replies) {
    const MonotonicTime begun = MonotonicClock::now();
    std::vector<Mutation> mutations;
    for (std::size_t i = 0; i < settings_.mutations; ++i) {
      const Version version = Version::make(Tick::from_ms(1'700'000'000'000), OpId(++op_));
      Value value{std::string(settings_.value_bytes, 'v'), "text/plain", ValueForm::text};
      mutations.push_back({Mutation::Kind::put, key_, std::move(value), version, {}, {}});
    }
    const Version last = mutations.back().version;
    if (with_replies) replies_.expect(last);
    const std::uint64_t op = op_;
    const Deadline deadline = Deadline::after(begun, std::chrono::seconds(10));
    const auto published = co_await publisher_.publish(number % settings_.partitions, mutations, deadline);
    if (!published) {
      ++failures_;
      if (with_replies) replies_.forget(last);
      YieldNow others;  // a refusal comes at once, and must not keep the others from running
      co_await others;
      co_return;
    }
    if (remembers_) confirmed_.push_back(op);
    if (with_replies) {
      Replies::Wait wait{replies_, last};
      co_await wait;
    }
    const MonotonicTime now = MonotonicClock::now();
    if (now < counting_from_ || now > end_) co_return;
    latencies_ms_.push_back(std::chrono::duration<double, std::milli>(now - begun).count());
  }

  static MonotonicClock::duration span(double seconds) {
    return std::chrono::duration_cast<MonotonicClock::duration>(std::chrono::duration<double>(seconds));
  }

  const Settings& settings_;
  QueuePublisher& publisher_;
  Replies& replies_;
  const Key key_ = Key::parse("key").value();
  const MonotonicTime counting_from_ = MonotonicClock::now() + span(warm_up_seconds);
  const MonotonicTime end_ = counting_from_ + span(settings_.seconds);
  // The pool's one thread only.
  std::uint64_t op_ = 0;
  std::uint64_t failures_ = 0;
  std::vector<double> latencies_ms_;
  bool remembers_ = false;
  std::vector<std::uint64_t> confirmed_;  // op ids
  ThreadPool pool_{"bench", 1};
};

// What a worker does, without a store.
Task<void> answer(QueueConsumer& consumer, Executor& home, const std::atomic<bool>& stopping, std::promise<void>& end) {
  ResumeOn there{home};
  co_await there;
  while (!stopping) {
    const Deadline deadline = Deadline::after(MonotonicClock::now(), std::chrono::milliseconds(100));
    const auto taken = co_await consumer.take(limits::batch_mutations_max, limits::batch_bytes_max, deadline);
    std::map<std::string, std::vector<Reply>> replies;
    std::vector<std::uint64_t> ids;
    for (const Delivery& delivery : taken) {
      for (const Mutation& mutation : delivery.mutations) {
        const Version sent = mutation.version;
        replies[delivery.reply_to].push_back({sent, {Verdict::applied, Effect::created, sent, sent, false}});
      }
      ids.push_back(delivery.id);
    }
    for (auto& [address, batch] : replies) consumer.reply(address, std::move(batch));
    consumer.acknowledge(ids);
  }
  end.set_value();
}

// Takes all that is in the queues, and says which of the confirmed messages were not among it.
Task<void> compare(QueueConsumer& consumer, Executor& home, const std::vector<std::uint64_t>& confirmed,
                   std::promise<std::uint64_t>& missing) {
  ResumeOn there{home};
  co_await there;
  std::map<std::uint64_t, int> seen;
  while (true) {
    const Deadline deadline = Deadline::after(MonotonicClock::now(), std::chrono::seconds(5));
    const auto taken = co_await consumer.take(limits::batch_mutations_max, limits::batch_bytes_max, deadline);
    if (taken.empty()) break;
    std::vector<std::uint64_t> ids;
    for (const Delivery& delivery : taken) {
      for (const Mutation& mutation : delivery.mutations) ++seen[mutation.version.op().bits()];
      ids.push_back(delivery.id);
    }
    consumer.acknowledge(ids);
  }
  std::uint64_t lost = 0;
  for (const std::uint64_t op : confirmed) lost += seen.contains(op) ? 0 : 1;
  const auto doubled = std::ranges::count_if(seen, [](const auto& one) { return one.second > 1; });
  std::printf("%zu delivered, %ld of them more than once; of %zu confirmed %llu are missing\n", seen.size(),
              static_cast<long>(doubled), confirmed.size(), static_cast<unsigned long long>(lost));
  missing.set_value(lost);
}

bool wait_until_healthy(const std::function<QueueHealth()>& health) {
  for (int i = 0; i < 1000; ++i) {
    if (health().ok) return true;
    ::usleep(10'000);
  }
  std::fprintf(stderr, "%s\n", health().detail.c_str());
  return false;
}

int run(const Settings& settings) {
  RabbitmqOptions options;
  options.url = settings.url;
  options.partitions = settings.partitions;
  options.prefix = "bench-" + std::to_string(std::random_device{}()) + ".";
  options.unconfirmed_messages_max = std::max<std::size_t>(1'024, settings.window * 2);
  if (auto declared = declare_topology(options); !declared) {
    std::fprintf(stderr, "%s\n", declared.error().message.c_str());
    return 1;
  }
  std::uint64_t lost = 0;
  {
    Replies replies;
    const auto publisher = make_rabbitmq_publisher(options, replies).value();
    bool ready = wait_until_healthy([&] { return publisher->health(); });
    if (settings.mode == "publish" && ready) {
      Bench bench(settings, *publisher, replies);
      bench.run(false);
      bench.print();
    } else if (settings.mode == "survive" && ready) {
      Bench bench(settings, *publisher, replies);
      bench.remember_confirmed();
      bench.run(false);
      bench.print();
      ThreadPool worker("worker", 1);
      const auto consumer = make_rabbitmq_consumer(options).value();
      ready = wait_until_healthy([&] { return consumer->health(); });
      std::promise<std::uint64_t> missing;
      auto result = missing.get_future();
      start_root(worker, compare(*consumer, worker, bench.confirmed(), missing));
      lost = result.get();
    } else if (ready) {
      ThreadPool worker("worker", 1);
      const auto consumer = make_rabbitmq_consumer(options).value();
      ready = wait_until_healthy([&] { return consumer->health(); });
      std::atomic<bool> stopping{false};
      std::promise<void> ended;
      start_root(worker, answer(*consumer, worker, stopping, ended));
      ::usleep(300'000);  // until there is a reply address
      Bench bench(settings, *publisher, replies);
      bench.run(true);
      bench.print();
      stopping = true;
      ended.get_future().wait();
    }
  }
  const auto deleted = delete_topology(options);
  return deleted && lost == 0 ? 0 : 1;
}

}  // namespace
}  // namespace armazem

int main(int argc, char** argv) {
  armazem::Settings settings;
  CLI::App app{"How fast the RabbitMQ queue is, without HTTP and without a store"};
  app.add_option("--url", settings.url, "amqp://user:password@host:port,…/vhost; the user may declare queues")
      ->required();
  app.add_option(
         "--mode", settings.mode,
         "publish; round-trip; survive: publish while somebody breaks brokers, then look for what was confirmed")
      ->check(CLI::IsMember({"publish", "round-trip", "survive"}));
  app.add_option("--window", settings.window, "publishers that each wait for their answer")->check(CLI::Range(1, 4096));
  app.add_option("--partitions", settings.partitions, "queues")->check(CLI::Range(1, 64));
  app.add_option("--mutations", settings.mutations, "in one message")->check(CLI::Range(1, 256));
  app.add_option("--value-bytes", settings.value_bytes, "of one mutation");
  app.add_option("--seconds", settings.seconds, "to measure, after a short warm-up");
  CLI11_PARSE(app, argc, argv);
  armazem::log::setup(armazem::log::Level::warn, armazem::log::Format::text);
  std::signal(SIGPIPE, SIG_IGN);
  return armazem::run(settings);
}
