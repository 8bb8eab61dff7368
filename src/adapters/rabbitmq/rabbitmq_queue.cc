#include "adapters/rabbitmq/rabbitmq_queue.h"

#include "adapters/rabbitmq/consumer.h"
#include "adapters/rabbitmq/publisher.h"
#include "adapters/rabbitmq/rabbitmq_dead_letters.h"
#include "adapters/rabbitmq/topology.h"

namespace armazem {

Result<std::unique_ptr<RabbitmqPublisher>> make_rabbitmq_publisher(const RabbitmqOptions& options, ReplySink& sink) {
  if (auto fit = rabbit::check_options(options); !fit) return fail(std::move(fit.error()));
  return std::make_unique<rabbit::Publisher>(rabbit::parse_url(options.url).value(), options, sink);
}

Result<std::unique_ptr<RabbitmqConsumer>> make_rabbitmq_consumer(const RabbitmqOptions& options) {
  if (auto fit = rabbit::check_options(options); !fit) return fail(std::move(fit.error()));
  return std::make_unique<rabbit::Consumer>(rabbit::parse_url(options.url).value(), options);
}

Result<std::unique_ptr<DeadLetterBox>> make_rabbitmq_dead_letters(const RabbitmqOptions& options) {
  if (auto fit = rabbit::check_options(options); !fit) return fail(std::move(fit.error()));
  return std::make_unique<rabbit::RabbitmqDeadLetters>(options);
}

}  // namespace armazem
