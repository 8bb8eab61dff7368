#include "adapters/postgres/connector.h"

#include <algorithm>
#include <numeric>

namespace armazem::pg {
namespace {

constexpr std::chrono::seconds avoided_for{5};
constexpr std::chrono::milliseconds backoff_min{100};
constexpr std::chrono::milliseconds backoff_max{2000};

using Parameters = std::vector<std::pair<std::string, std::string>>;

void set_default(Parameters& parameters, std::string_view keyword, std::string value) {
  const auto same = [keyword](const auto& one) { return one.first == keyword; };
  if (std::ranges::none_of(parameters, same)) parameters.emplace_back(keyword, std::move(value));
}

Parameters parameters_for(const Target& target, const net::HostPort& host, const std::string& address,
                          const PostgresOptions& options) {
  Parameters parameters = target.parameters;
  parameters.emplace_back("host", host.host);
  parameters.emplace_back("port", std::to_string(host.port));
  if (!address.empty()) parameters.emplace_back("hostaddr", address);
  set_default(parameters, "application_name", options.application_name);
  set_default(parameters, "target_session_attrs", "read-write");
  set_default(parameters, "tcp_user_timeout", std::to_string(options.tcp_user_timeout.count()));
  set_default(parameters, "keepalives_idle", "10");
  set_default(parameters, "keepalives_interval", "5");
  set_default(parameters, "keepalives_count", "3");
  set_default(parameters, "gssencmode", "disable");  // looks names up on this thread
  return parameters;
}

}  // namespace

Connector::Connector(net::IoLoop& loop, Sweeper& sweeper, net::Resolver& resolver, const Target& target,
                     const PostgresOptions& options, Counters& counters)
    : loop_(loop),
      sweeper_(sweeper),
      resolver_(resolver),
      target_(target),
      options_(options),
      counters_(counters),
      avoid_until_(target.hosts.size(), MonotonicTime::min()),
      random_(std::random_device{}()) {}

std::vector<std::size_t> Connector::order(std::size_t first) const {
  std::vector<std::size_t> hosts(target_.hosts.size());
  std::iota(hosts.begin(), hosts.end(), 0U);
  std::ranges::rotate(hosts, hosts.begin() + static_cast<std::ptrdiff_t>(first % hosts.size()));
  const MonotonicTime now = sweeper_.now();
  std::ranges::stable_partition(hosts, [&](std::size_t host) { return avoid_until_[host] <= now; });
  return hosts;
}

Task<Result<Opened>> Connector::open(std::size_t first) {
  Error error{ErrorCode::unavailable, ""};
  const std::vector<std::size_t> hosts = order(first);
  for (const std::size_t host : hosts) {
    Result<Opened> opened = co_await open_host(host);
    if (opened) {
      avoid_until_[host] = MonotonicTime::min();
      co_return opened;
    }
    avoid(host);
    count(counters_.connect_failures);
    if (opened.error().code == ErrorCode::precondition) error.code = ErrorCode::precondition;
    error.message += (error.message.empty() ? "" : "; ") + target_.hosts[host].text() + ": " + opened.error().message;
  }
  co_return fail(std::move(error));
}

Task<Result<Opened>> Connector::open_host(std::size_t host) {
  const MonotonicTime due = sweeper_.now() + options_.connect_timeout;
  const net::HostPort& target = target_.hosts[host];
  if (target.host.starts_with('/')) co_return co_await open_address(host, "", due);
  const auto addresses = co_await resolver_.resolve(target);
  if (!addresses) co_return fail(addresses.error());
  Error error{ErrorCode::unavailable, "no address"};
  for (const net::SocketAddress& address : *addresses) {
    std::string text = address.host_text();
    Result<Opened> opened = co_await open_address(host, std::move(text), due);
    if (opened || sweeper_.now() >= due) co_return opened;
    error = std::move(opened.error());
  }
  co_return fail(std::move(error));
}

Task<Result<Opened>> Connector::open_address(std::size_t host, std::string address, MonotonicTime due) {
  const Parameters parameters = parameters_for(target_, target_.hosts[host], address, options_);
  Opened opened;
  opened.host = host;
  opened.connection = std::make_unique<Connection>(loop_, sweeper_, target_);
  const Result<void> connected = co_await opened.connection->connect(parameters, due);
  if (!connected) co_return fail(connected.error());
  // Creating the schema for the first time may take longer than connecting.
  const MonotonicTime session_due = due + options_.statement_timeout;
  Result<Session> session = co_await start_session(*opened.connection, options_, session_due);
  if (!session) co_return fail(std::move(session.error()));
  opened.session = std::move(*session);
  server_ = opened.session.server;
  count(counters_.connects);
  co_return std::move(opened);
}

void Connector::avoid(std::size_t host) noexcept { avoid_until_[host] = sweeper_.now() + avoided_for; }

std::chrono::milliseconds Connector::backoff(int failures) {
  const auto full = std::min(backoff_max, backoff_min * (1 << std::clamp(failures - 1, 0, 10)));
  const auto half = full.count() / 2;
  return std::chrono::milliseconds(half + static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(half + 1)));
}

MonotonicTime Connector::expiry() {
  const auto spread = std::max(options_.lifetime_max - options_.lifetime_min, std::chrono::seconds(0)).count();
  const auto extra = static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(spread + 1));
  return sweeper_.now() + options_.lifetime_min + std::chrono::seconds(extra);
}

}  // namespace armazem::pg
