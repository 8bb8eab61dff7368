#include "adapters/rabbitmq/url.h"

#include <charconv>
#include <optional>

namespace armazem::rabbit {
namespace {

tl::unexpected<Error> wrong(std::string_view what) {
  return fail(ErrorCode::invalid_argument, "queue URL: " + std::string(what));
}

int hex_digit(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out.push_back(text[i]);
      continue;
    }
    const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
    if (high < 0 || low < 0) return std::nullopt;
    out.push_back(static_cast<char>(high * 16 + low));
    i += 2;
  }
  return out;
}

// What stands before the first `mark`; the rest, without the mark, stays. All of it when there is no mark.
std::string_view cut(std::string_view& rest, char mark, bool& found) {
  const std::size_t at = rest.find(mark);
  found = at != std::string_view::npos;
  const std::string_view before = rest.substr(0, at);
  rest = found ? rest.substr(at + 1) : std::string_view{};
  return before;
}

std::optional<Host> parse_host(std::string_view text, std::uint16_t default_port) {
  std::string_view name = text;
  std::string_view port;
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    name = text.substr(1, end - 1);
    port = text.substr(end + 1);
  } else if (const std::size_t colon = text.find(':'); colon != std::string_view::npos) {
    name = text.substr(0, colon);
    port = text.substr(colon);
  }
  Host host{std::string(name), default_port};
  if (name.empty()) return std::nullopt;
  if (port.empty()) return host;
  const auto [end, error] = std::from_chars(port.data() + 1, port.data() + port.size(), host.port);
  const bool whole = port.front() == ':' && error == std::errc() && end == port.data() + port.size();
  return whole && host.port != 0 ? std::optional(host) : std::nullopt;
}

Result<void> parse_login(std::string_view login, Url& url) {
  bool has_password = false;
  const auto user = percent_decoded(cut(login, ':', has_password));
  const auto password = percent_decoded(login);
  if (!user || !password) return wrong("a '%' in user or password is not followed by two hex digits");
  url.user = *user;
  url.password = *password;
  return {};
}

Result<void> parse_options(std::string_view options, Url& url) {
  while (!options.empty()) {
    bool more = false;
    bool has_value = false;
    std::string_view value = cut(options, '&', more);
    const std::string_view name = cut(value, '=', has_value);
    const auto decoded = percent_decoded(value);
    if (name != "cacert") return wrong("unknown option '" + std::string(name) + "'; there is 'cacert'");
    if (!url.tls) return wrong("'cacert' needs amqps://");
    if (!decoded || decoded->empty()) return wrong("'cacert' needs the name of a file");
    url.cacert = *decoded;
  }
  return {};
}

}  // namespace

Result<Url> parse_url(std::string_view text) {
  Url url;
  url.tls = text.starts_with("amqps://");
  if (!url.tls && !text.starts_with("amqp://")) return wrong("it must begin with amqp:// or amqps://");
  std::string_view rest = text.substr(url.tls ? 8 : 7);
  bool found = false;
  std::string_view place = cut(rest, '?', found);
  if (auto options = parse_options(rest, url); !options) return fail(std::move(options.error()));
  std::string_view authority = cut(place, '/', found);
  const auto vhost = percent_decoded(place);
  if (!vhost || place.find('/') != std::string_view::npos) return wrong("the vhost must be percent-encoded");
  if (!vhost->empty()) url.vhost = *vhost;
  if (const std::size_t at = authority.rfind('@'); at != std::string_view::npos) {
    if (auto login = parse_login(authority.substr(0, at), url); !login) return fail(std::move(login.error()));
    authority = authority.substr(at + 1);
  }
  do {
    const auto host = parse_host(cut(authority, ',', found), url.tls ? 5671 : 5672);
    if (!host) return wrong("hosts are written as name:port, separated by commas");
    url.hosts.push_back(*host);
  } while (found);
  return url;
}

}  // namespace armazem::rabbit
