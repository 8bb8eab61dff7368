// Queues on a real RabbitMQ: under a prefix of their own, behind a proxy that misbehaves on command, deleted at the
// end.
//
// ARMAZEM_TEST_AMQP names the broker: amqp://user:password@host:port,host:port/vhost; the user may declare and delete.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <random>
#include <string>

#include "adapters/rabbitmq/rabbitmq_queue.h"
#include "adapters/rabbitmq/url.h"
#include "support/tcp_proxy.h"

namespace armazem::test {

inline std::string broker_url() {
  const char* const url = std::getenv("ARMAZEM_TEST_AMQP");
  return url == nullptr ? "" : url;
}
inline constexpr const char* no_broker = "ARMAZEM_TEST_AMQP names no RabbitMQ to test with";

class RabbitmqQueues {
 public:
  explicit RabbitmqQueues(std::size_t partitions) : url_(rabbit::parse_url(broker_url()).value()) {
    std::vector<TcpProxy::Address> upstreams;
    for (const rabbit::Host& host : url_.hosts) upstreams.emplace_back(host.name, host.port);
    proxy_ = std::make_unique<TcpProxy>(std::move(upstreams));
    direct_.url = broker_url();
    direct_.prefix = "test-" + std::to_string(std::random_device{}()) + ".";
    direct_.partitions = partitions;
    direct_.probe_interval = std::chrono::milliseconds(200);
    declared_ = declare_topology(direct_);
  }
  ~RabbitmqQueues() {
    const auto deleted = delete_topology(direct_);
    EXPECT_TRUE(deleted.has_value()) << deleted.error().message;
  }
  RabbitmqQueues(const RabbitmqQueues&) = delete;
  RabbitmqQueues& operator=(const RabbitmqQueues&) = delete;

  [[nodiscard]] const Result<void>& declared() const { return declared_; }
  TcpProxy& proxy() { return *proxy_; }
  // Straight to the broker.
  [[nodiscard]] const RabbitmqOptions& direct() const { return direct_; }
  // Through the proxy.
  [[nodiscard]] RabbitmqOptions proxied() const {
    RabbitmqOptions options = direct_;
    const auto escaped = [](const std::string& text) {
      static constexpr char digits[] = "0123456789ABCDEF";
      std::string out;
      for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        out += {'%', digits[byte / 16], digits[byte % 16]};
      }
      return out;
    };
    options.url = "amqp://" + escaped(url_.user) + ":" + escaped(url_.password) +
                  "@127.0.0.1:" + std::to_string(proxy_->port()) + "/" + escaped(url_.vhost);
    return options;
  }

 private:
  const rabbit::Url url_;
  std::unique_ptr<TcpProxy> proxy_;
  RabbitmqOptions direct_;
  Result<void> declared_;
};

}  // namespace armazem::test
