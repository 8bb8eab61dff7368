#include "adapters/redis/redis_options.h"

namespace armazem {
namespace {

constexpr std::uint16_t default_port = 6379;

tl::unexpected<Error> malformed(std::string_view what) {
  return fail(ErrorCode::invalid_argument, "cache URL: " + std::string(what) +
                                               "; expected redis://user:password@host:port,host:port");
}

int hex_value(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

Result<std::string> percent_decoded(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded.push_back(text[i]);
      continue;
    }
    const int high = i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? hex_value(text[i + 2]) : -1;
    if (high < 0 || low < 0) return malformed("'%' without two hexadecimal digits");
    decoded.push_back(static_cast<char>(high << 4 | low));
    i += 2;
  }
  return decoded;
}

Result<void> read_login(std::string_view login, RedisOptions& options) {
  const auto colon = login.find(':');
  auto user = percent_decoded(colon == login.npos ? login : login.substr(0, colon));
  if (!user) return fail(std::move(user.error()));
  options.user = std::move(*user);
  if (colon == login.npos) return malformed("a user without a password");
  auto password = percent_decoded(login.substr(colon + 1));
  if (!password) return fail(std::move(password.error()));
  options.password = std::move(*password);
  return {};
}

Result<void> read_hosts(std::string_view hosts, RedisOptions& options) {
  while (true) {
    const auto comma = hosts.find(',');
    auto host = net::parse_host_port(hosts.substr(0, comma), default_port);
    if (!host) return malformed(host.error().message);
    options.seeds.push_back(std::move(*host));
    if (comma == hosts.npos) return {};
    hosts.remove_prefix(comma + 1);
  }
}

Result<void> read_query(std::string_view query, RedisOptions& options) {
  while (!query.empty()) {
    const auto end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    const auto equals = pair.find('=');
    const std::string_view name = pair.substr(0, equals);
    auto value = percent_decoded(equals == pair.npos ? std::string_view() : pair.substr(equals + 1));
    if (!value) return fail(std::move(value.error()));
    if (name == "prefix") {
      options.prefix = std::move(*value);
    } else if (name == "ca" && options.tls) {
      options.ca_file = std::move(*value);
    } else {
      return malformed("unknown parameter '" + std::string(name) + "'");
    }
  }
  return {};
}

}  // namespace

Result<RedisOptions> parse_redis_url(std::string_view url) {
  RedisOptions options;
  if (url.starts_with("rediss://")) {
    options.tls = true;
    url.remove_prefix(9);
  } else if (url.starts_with("redis://")) {
    url.remove_prefix(8);
  } else {
    return malformed("neither redis:// nor rediss://");
  }
  std::string_view query;
  if (const auto mark = url.find('?'); mark != url.npos) {
    query = url.substr(mark + 1);
    url = url.substr(0, mark);
  }
  if (url.ends_with('/')) url.remove_suffix(1);
  if (const auto at = url.rfind('@'); at != url.npos) {
    if (auto read = read_login(url.substr(0, at), options); !read) return fail(std::move(read.error()));
    url.remove_prefix(at + 1);
  }
  if (auto read = read_hosts(url, options); !read) return fail(std::move(read.error()));
  if (auto read = read_query(query, options); !read) return fail(std::move(read.error()));
  return options;
}

}  // namespace armazem
