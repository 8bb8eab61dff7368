#include "adapters/postgres/target.h"

#include <libpq-fe.h>

#include <charconv>
#include <memory>

namespace armazem::pg {
namespace {

constexpr std::uint16_t default_port = 5432;
constexpr std::string_view stars = "***";

std::vector<std::string> split(std::string_view list) {
  std::vector<std::string> parts;
  while (true) {
    const auto comma = list.find(',');
    parts.emplace_back(list.substr(0, comma));
    if (comma == list.npos) return parts;
    list.remove_prefix(comma + 1);
  }
}

tl::unexpected<Error> malformed(const std::string& why) {
  return fail(ErrorCode::invalid_argument,
              "the store's URL is not postgres://USER:PASSWORD@HOST:PORT[,HOST:PORT…]/DATABASE[?sslmode=…]" + why);
}

// libpq knows the grammar, so it reads the URL. Its messages repeat the URL, except the one on a wrong parameter.
using Options = std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)>;
Result<Options> read_by_libpq(const std::string& url) {
  char* message = nullptr;
  Options options(PQconninfoParse(url.c_str(), &message), &PQconninfoFree);
  const std::unique_ptr<char, decltype(&PQfreemem)> owned(message, &PQfreemem);
  if (options) return options;
  const std::string_view text = message == nullptr ? "" : message;
  if (!text.starts_with("invalid URI query parameter")) return malformed("");
  return malformed(": " + std::string(text.substr(0, text.find_last_not_of('\n') + 1)));
}

Result<std::vector<net::HostPort>> read_hosts(const std::string& hosts, const std::string& ports) {
  std::vector<net::HostPort> all;
  const std::vector<std::string> port_texts = split(ports);
  const std::vector<std::string> names = split(hosts);
  if (port_texts.size() != 1 && port_texts.size() != names.size()) return malformed(": as many ports as hosts, or one");
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::string& text = port_texts.size() == 1 ? port_texts.front() : port_texts[i];
    std::uint16_t port = default_port;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (!text.empty() && (error != std::errc() || end != text.data() + text.size() || port == 0)) {
      return malformed(": wrong port");
    }
    if (names[i].empty()) return malformed(": a host is missing");
    all.push_back({names[i], port});
  }
  return all;
}

}  // namespace

std::string Target::host_names() const {
  std::string names;
  for (const net::HostPort& host : hosts) names += (names.empty() ? "" : ", ") + host.text();
  return names;
}

std::string Target::without_secrets(std::string text) const {
  for (const std::string& secret : secrets) {
    for (auto at = text.find(secret); at != text.npos; at = text.find(secret, at + stars.size())) {
      text.replace(at, secret.size(), stars);
    }
  }
  return text;
}

Result<Target> parse_target(std::string_view url) {
  const auto scheme_end = url.find("://");
  const std::string_view scheme = url.substr(0, scheme_end == url.npos ? 0 : scheme_end);
  if (scheme != "postgres" && scheme != "postgresql" && scheme != "cockroachdb" && scheme != "cockroach") {
    return malformed("");
  }
  const auto options = read_by_libpq("postgresql" + std::string(url.substr(scheme_end)));
  if (!options) return fail(options.error());

  Target target;
  std::string hosts;
  std::string ports;
  for (const PQconninfoOption* one = options->get(); one->keyword != nullptr; ++one) {
    if (one->val == nullptr) continue;
    const std::string_view keyword = one->keyword;
    const std::string value = one->val;
    if (keyword == "host") {
      hosts = value;
    } else if (keyword == "port") {
      ports = value;
    } else if (keyword == "hostaddr") {
      return malformed(": hostaddr is not supported, write the address as the host");
    } else {
      target.parameters.emplace_back(keyword, value);
    }
    const bool secret = keyword == "password" || keyword == "sslpassword";
    if (secret && !value.empty()) target.secrets.push_back(value);
  }
  auto read = read_hosts(hosts, ports);
  if (!read) return fail(std::move(read.error()));
  target.hosts = std::move(*read);
  return target;
}

}  // namespace armazem::pg
