#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <cstdio>
#include <exception>
#include <string>

#include "app/command_line.h"
#include "app/node.h"
#include "app/settings.h"
#include "runtime/build_info.h"
#include "runtime/log.h"

namespace {

using namespace armazem;

// Taken by sigwait in the main thread; blocked before any other thread exists, so that none is interrupted by them.
sigset_t block_ending_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  return set;
}

// Each connection and each table file needs a descriptor; the soft bound of most shells is 1,024.
void raise_descriptor_bound() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

void warn_about_bounds(const Settings& settings) {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur < settings.server.connections_max + 512) {
    log::warn("the bound on open files is below --max-connections", {{"open_files", limit.rlim_cur}, {"max_connections", settings.server.connections_max}});
  }
  const std::string& address = settings.server.address;
  if (!address.starts_with("127.") && address != "::1") {
    log::warn("listening beyond loopback without authentication: everybody who can reach this port can read and write", {{"address", address}});
  }
  if (settings.store == StoreKind::memory) log::warn("the memory store keeps nothing: all data is lost at the end");
}

std::string base_url(const Settings& settings, std::uint16_t port) {
  const std::string& address = settings.server.address;
  const std::string host = address.find(':') != std::string::npos ? "[" + address + "]" : address;
  return "http://" + host + ":" + std::to_string(port);
}

void announce(const Settings& settings, std::uint16_t port) {
  log::info("listening", {{"address", settings.server.address}, {"port", port}, {"url", base_url(settings, port)},
                          {"store", settings.store == StoreKind::memory ? "memory" : "rocksdb"}, {"data", settings.data},
                          {"threads", settings.server.threads}, {"version", build::version}, {"commit", build::commit},
                          {"pid", getpid()}});
}

int serve(const Settings& settings) {
  const sigset_t ending = block_ending_signals();
  std::signal(SIGPIPE, SIG_IGN);
  log::setup(settings.log_level, settings.log_format);
  raise_descriptor_bound();
  warn_about_bounds(settings);

  Result<std::unique_ptr<Node>> node = Node::start(settings);
  if (!node) {
    log::error("cannot start", {{"reason", node.error().message}});
    return exit_failure;
  }
  announce(settings, (*node)->port());

  int signal = 0;
  sigwait(&ending, &signal);
  log::info("stopping", {{"signal", strsignal(signal)}, {"grace_ms", settings.grace.count()}});
  // A second signal ends at once, the usual way.
  pthread_sigmask(SIG_UNBLOCK, &ending, nullptr);
  const std::size_t cut = (*node)->stop(settings.grace);
  if (cut > 0) log::warn("connections were cut at the end of the grace time", {{"connections", cut}});
  log::info("stopped");
  return 0;
}

int print_settings(bool markdown) {
  if (markdown) {
    std::fputs(settings_as_markdown().c_str(), stdout);
    return 0;
  }
  for (const Setting& setting : all_settings()) {
    std::printf("%-16s %-12s %-26s %s\n", std::string(setting.name).c_str(), std::string(setting.default_value).c_str(),
                environment_name(setting.name).c_str(), std::string(setting.meaning).c_str());
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) try {
  const auto parsed = parse_command_line(argc, argv, environ);
  if (const auto* exit = std::get_if<ExitRequest>(&parsed)) {
    std::fputs(exit->out.c_str(), stdout);
    std::fputs(exit->err.c_str(), stderr);
    return exit->code;
  }
  const auto& invocation = std::get<Invocation>(parsed);
  if (invocation.command == Command::print_settings) return print_settings(invocation.markdown);
  return serve(invocation.settings);
} catch (const std::exception& error) {
  std::fprintf(stderr, "armazem: %s\n", error.what());
  return armazem::exit_failure;
}
