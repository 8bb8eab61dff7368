#include "adapters/rabbitmq/publisher.h"

#include "adapters/message_codec.h"
#include "adapters/rabbitmq/topology.h"
#include "core/assert.h"

namespace armazem::rabbit {

Publisher::Publisher(const Url& url, const RabbitmqOptions& options, ReplySink& sink)
    : options_(options),
      sender_(url, options, "publisher", &address_, watchdog_, counters_),
      listener_(url, options, sink, address_, watchdog_, counters_),
      watchdog_([this](MonotonicTime now) { sender_.expire(now); }) {
  sender_.start();
  listener_.start();
}

Publisher::~Publisher() {
  watchdog_.cut_all_at(MonotonicClock::now() + options_.close_timeout + farewell_max);
  sender_.request_stop();
  listener_.request_stop();
  sender_.stop();
  listener_.stop();
  watchdog_.stop();
}

Task<Result<void>> Publisher::publish(std::size_t partition, std::span<const Mutation> mutations, Deadline deadline) {
  ARMAZEM_ASSERT(partition < options_.partitions);
  Outgoing message{partition_queue(options_, partition), encode_message(mutations), true, "", "", 0};
  co_return co_await sender_.send(std::move(message), deadline);
}

}  // namespace armazem::rabbit
