#include "adapters/rabbitmq/topology.h"

#include <algorithm>
#include <array>
#include <random>
#include <span>

#include "adapters/rabbitmq/amqp_text.h"

namespace armazem {
namespace rabbit {
namespace {

constexpr amqp_channel_t channel = 1;
constexpr int not_found = 404;
constexpr int precondition_failed = 406;
constexpr std::size_t prefetch_max = 2'000;  // of a quorum queue
constexpr std::size_t partitions_max = 256;
// As good as none. Every look at the letters delivers them, and RabbitMQ 4 would drop a letter after 20 looks; it takes
// -1 for 'none', which 3.10 refuses.
constexpr std::int32_t dead_delivery_limit = 1'000'000'000;

amqp_table_entry_t text_argument(const char* name, const char* value) {
  amqp_table_entry_t entry{};
  entry.key = amqp_cstring_bytes(name);
  entry.value.kind = AMQP_FIELD_KIND_UTF8;
  entry.value.value.bytes = amqp_cstring_bytes(value);
  return entry;
}

amqp_table_entry_t number_argument(const char* name, std::int32_t value) {
  amqp_table_entry_t entry{};
  entry.key = amqp_cstring_bytes(name);
  entry.value.kind = AMQP_FIELD_KIND_I32;
  entry.value.value.i32 = value;
  return entry;
}

Result<void> declare(Connection& connection, const std::string& queue, std::span<amqp_table_entry_t> arguments) {
  const amqp_table_t table{static_cast<int>(arguments.size()), arguments.data()};
  const auto guarded = connection.guard_rpc();
  amqp_queue_declare(connection.raw(), channel, as_bytes(queue), 0, 1, 0, 0, table);
  auto declared = connection.rpc_result(channel, "declaring queue " + queue);
  if (declared || connection.close_code() != precondition_failed) return declared;
  return fail(ErrorCode::precondition, "queue " + queue + " exists with other properties than ours (" +
                                           declared.error().message +
                                           "); empty and delete it, or choose another prefix, then run it again");
}

Result<void> declare_all(Connection& connection, const RabbitmqOptions& options) {
  const std::string dead = dead_queue(options);
  std::array of_dead = {text_argument("x-queue-type", "quorum"), text_argument("x-overflow", "reject-publish"),
                        number_argument("x-delivery-limit", dead_delivery_limit)};
  if (auto declared = declare(connection, dead, of_dead); !declared) return declared;
  std::array of_partition = {text_argument("x-queue-type", "quorum"),
                             text_argument("x-overflow", "reject-publish"),
                             text_argument("x-dead-letter-exchange", ""),
                             text_argument("x-dead-letter-routing-key", dead.c_str()),
                             text_argument("x-dead-letter-strategy", "at-least-once"),
                             number_argument("x-delivery-limit", options.delivery_limit)};
  for (std::size_t p = 0; p < options.partitions; ++p) {
    auto declared = declare(connection, partition_queue(options, p), of_partition);
    if (!declared) return declared;
  }
  return {};
}

Result<void> check_all(Connection& connection, const RabbitmqOptions& options) {
  for (const std::string& queue : all_queues(options)) {
    const auto guarded = connection.guard_rpc();
    amqp_queue_declare(connection.raw(), channel, as_bytes(queue), 1, 1, 0, 0, amqp_empty_table);
    auto found = connection.rpc_result(channel, "looking for queue " + queue);
    if (found) continue;
    if (connection.close_code() != not_found) return found;
    return fail(ErrorCode::precondition,
                "queue " + queue + " does not exist; run `armazem migrate` (" + found.error().message + ")");
  }
  return {};
}

Result<void> delete_all(Connection& connection, const RabbitmqOptions& options) {
  for (const std::string& queue : all_queues(options)) {
    const auto guarded = connection.guard_rpc();
    amqp_queue_delete(connection.raw(), channel, as_bytes(queue), 0, 0);
    if (auto deleted = connection.rpc_result(channel, "deleting queue " + queue); !deleted) return deleted;
  }
  return {};
}

template <class Work>
Result<void> with_connection(const RabbitmqOptions& options, const std::string& purpose, Work work) {
  if (auto fit = check_options(options); !fit) return fit;
  Watchdog watchdog([](MonotonicTime) {});
  auto connection = connect_once(options, purpose, watchdog);
  if (!connection) return fail(std::move(connection.error()));
  if (auto opened = (*connection)->open_channel(channel); !opened) return opened;
  auto done = work(**connection, options);
  if (done) (*connection)->goodbye();
  return done;
}

}  // namespace

std::vector<std::string> all_queues(const RabbitmqOptions& options) {
  std::vector<std::string> queues = {dead_queue(options)};
  for (std::size_t p = 0; p < options.partitions; ++p) queues.push_back(partition_queue(options, p));
  return queues;
}

Result<void> check_options(const RabbitmqOptions& options) {
  const auto wrong = [](std::string what) { return fail(ErrorCode::invalid_argument, "queue: " + std::move(what)); };
  if (auto url = parse_url(options.url); !url) return fail(std::move(url.error()));
  if (options.prefix.empty() || options.prefix.size() > 200) return wrong("a queue prefix has 1 to 200 bytes");
  if (options.prefix.starts_with("amq.")) return wrong("queue names may not begin with 'amq.'");
  if (options.partitions < 1 || options.partitions > partitions_max) {
    return wrong("there are 1 to " + std::to_string(partitions_max) + " partitions");
  }
  if (options.prefetch < 1 || options.prefetch > prefetch_max) {
    return wrong("prefetch is 1 to " + std::to_string(prefetch_max));
  }
  if (options.delivery_limit < 1) return wrong("the delivery limit is at least 1");
  if (options.unconfirmed_messages_max < 1) return wrong("at least one message must be allowed on its way");
  return {};
}

Result<std::unique_ptr<Connection>> connect_once(const RabbitmqOptions& options, const std::string& purpose,
                                                 Watchdog& watchdog) {
  auto url = parse_url(options.url);
  if (!url) return fail(std::move(url.error()));
  std::ranges::shuffle(url->hosts, std::minstd_rand(std::random_device{}()));
  std::string why;
  for (const Host& host : url->hosts) {
    auto connection = Connection::open(*url, host, options, purpose, watchdog);
    if (connection) return connection;
    why += (why.empty() ? "" : "; ") + connection.error().message;
  }
  return fail(ErrorCode::unavailable, why);
}

}  // namespace rabbit

Result<void> declare_topology(const RabbitmqOptions& options) {
  return rabbit::with_connection(options, "migrate", rabbit::declare_all);
}
Result<void> check_topology(const RabbitmqOptions& options) {
  return rabbit::with_connection(options, "check", rabbit::check_all);
}
Result<void> delete_topology(const RabbitmqOptions& options) {
  return rabbit::with_connection(options, "delete", rabbit::delete_all);
}

}  // namespace armazem
