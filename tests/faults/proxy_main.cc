// armazem-fault-proxy: a proxy before each dependency of a cluster, which misbehaves on command.
//
//   armazem-fault-proxy redis-1=26101 amqp=26600 sql:postgres=26400
//
// Listens on a free port of 127.0.0.1 for each and prints `NAME PORT` lines, then `ready`. `:postgres` reads the
// messages of PostgreSQL's protocol, so that errors can be injected. Then each line of the standard input is a command,
// answered with `ok N` (connections broken and errors injected so far by this proxy) or `error: …`; it ends with its
// input.
//
//   NAME refuse on|off       NAME cut                     NAME strand              NAME delay MILLISECONDS
//   NAME blackhole on|off    NAME cut-requests BYTES      NAME cut-replies BYTES   NAME hold-answers on|off
//   NAME inject COMMAND SQLSTATE [fatal]                  NAME garble MESSAGES     NAME calm               NAME count
#include <iostream>
#include <map>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>

#include "support/tcp_proxy.h"
#include "support/wire_proxy.h"

namespace armazem::test {
namespace {

// The one before the client is a TcpProxy; behind it, for PostgreSQL, one that reads messages.
struct Road {
  std::unique_ptr<WireProxy> wire;
  std::unique_ptr<TcpProxy> tcp;
};

using Roads = std::map<std::string, Road>;

std::uint16_t port_of(const std::string& address) {
  return static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
}

void open_road(Roads& roads, const std::string& text) {
  const auto equals = text.find('=');
  if (equals == std::string::npos) throw std::invalid_argument("not NAME=PORT: " + text);
  std::string name = text.substr(0, equals);
  const std::string port = text.substr(equals + 1);
  Road road;
  std::uint16_t upstream = static_cast<std::uint16_t>(std::stoi(port));
  if (const auto colon = name.find(':'); colon != std::string::npos) {
    if (name.substr(colon) != ":postgres") throw std::invalid_argument("unknown protocol: " + name);
    name.resize(colon);
    road.wire = std::make_unique<WireProxy>("127.0.0.1:" + port);
    upstream = port_of(road.wire->address());
  }
  road.tcp = std::make_unique<TcpProxy>(std::vector<TcpProxy::Address>{{"127.0.0.1", upstream}});
  std::cout << name << ' ' << road.tcp->port() << '\n';
  roads.emplace(std::move(name), std::move(road));
}

bool is_on(const std::string& word) {
  if (word != "on" && word != "off") throw std::invalid_argument("not on or off: '" + word + "'");
  return word == "on";
}

void calm(Road& road) {
  if (road.wire) road.wire->calm();
  road.tcp->refuse(false);
  road.tcp->blackhole(false);
  road.tcp->hold_answers(false);
  road.tcp->delay(std::chrono::milliseconds(0));
}

void obey(Roads& roads, const std::string& line) {
  std::istringstream words(line);
  std::string name, verb, first, second, third;
  words >> name >> verb >> first >> second >> third;
  Road& road = roads.at(name);
  if (verb == "refuse") return road.tcp->refuse(is_on(first));
  if (verb == "blackhole") return road.tcp->blackhole(is_on(first));
  if (verb == "hold-answers") return road.tcp->hold_answers(is_on(first));
  if (verb == "cut") return road.tcp->cut();
  if (verb == "strand") return road.tcp->strand();
  if (verb == "delay") return road.tcp->delay(std::chrono::milliseconds(std::stoi(first)));
  if (verb == "cut-requests") return road.tcp->cut_after(std::stoul(first));
  if (verb == "cut-replies") return road.tcp->cut_replies_after(std::stoul(first));
  if (verb == "calm") return calm(road);
  if (verb == "count") return;
  if (verb == "inject" && road.wire) return road.wire->answer_instead(first, second, third == "fatal");
  if (verb == "garble" && road.wire) return road.wire->garble_after(std::stoi(first));
  throw std::invalid_argument("unknown command: " + line);
}

std::size_t broken_by(const Roads& roads, const std::string& name) {
  const Road& road = roads.at(name);
  return road.tcp->broken() + (road.wire ? road.wire->faults() : 0);
}

}  // namespace
}  // namespace armazem::test

int main(int argc, char** argv) {
  using namespace armazem::test;
  Roads roads;
  try {
    for (int at = 1; at < argc; ++at) open_road(roads, argv[at]);
  } catch (const std::exception& error) {
    std::cerr << "armazem-fault-proxy: " << error.what() << '\n';
    return 2;
  }
  std::cout << "ready" << std::endl;
  for (std::string line; std::getline(std::cin, line);) {
    try {
      obey(roads, line);
      std::cout << "ok " << broken_by(roads, line.substr(0, line.find(' '))) << std::endl;
    } catch (const std::exception& error) {
      std::cout << "error: " << error.what() << std::endl;
    }
  }
  return 0;
}
