#ifdef ARMAZEM_PLANTED_BUGS
#error "planted bugs are for the simulation only, never for a program that people run"
#endif

#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <cstdio>
#include <exception>
#include <iostream>
#include <string>
#include <thread>

#include "app/command_line.h"
#include "app/dead_letters_command.h"
#include "app/health_command.h"
#include "app/keys_command.h"
#include "app/node.h"
#include "app/settings.h"
#include "app/system_time.h"
#include "app/tiers.h"
#include "app/worker_node.h"
#include "cli/bench_command.h"
#include "cli/client_command.h"
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

// Before any other thread exists.
void block_signal(int signal) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, signal);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
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
  if (listens_beyond_loopback(settings) && settings.keys_file.empty()) {
    log::warn("listening beyond loopback without keys: everybody who can reach this port can read and write", {{"address", settings.server.address}});
  }
  if (settings.store == StoreKind::memory) log::warn("the memory store keeps nothing: all data is lost at the end");
}

std::string base_url(const Settings& settings, std::uint16_t port) {
  const std::string& address = settings.server.address;
  const std::string host = address.find(':') != std::string::npos ? "[" + address + "]" : address;
  return "http://" + host + ":" + std::to_string(port);
}

std::string_view store_word(const Settings& settings) {
  switch (settings.store) {
    case StoreKind::rocksdb: return "rocksdb";
    case StoreKind::memory: return "memory";
    case StoreKind::sql: return "sql";
  }
  return "unknown";
}

void announce(const Settings& settings, const Node& node) {
  const std::uint16_t port = node.port();
  if (const auto admin = node.admin_port()) {
    log::info("administration", {{"address", settings.admin_address}, {"port", *admin}});
  }
  log::info("listening", {{"address", settings.server.address}, {"port", port}, {"url", base_url(settings, port)},
                          {"store", store_word(settings)}, {"data", settings.store == StoreKind::rocksdb ? settings.data : ""},
                          {"cache", settings.cache_url.empty() ? "none" : "redis"},
                          {"queue", settings.queue_url.empty() ? "none" : "rabbitmq"},
                          {"keys", settings.keys_file.empty() ? "none" : settings.keys_file},
                          {"threads", settings.server.threads}, {"version", build::version}, {"commit", build::commit},
                          {"pid", getpid()}});
}

// What every command that runs until it is told to stop begins with; returns the signals that tell it.
sigset_t prepare_to_run(const Settings& settings) {
  const sigset_t ending = block_ending_signals();
  std::signal(SIGPIPE, SIG_IGN);
  log::setup(settings.log_level, settings.log_format);
  raise_descriptor_bound();
  warn_about_bounds(settings);
  return ending;
}

void end_begins(int signal, const sigset_t& ending, const Settings& settings) {
  log::info("stopping", {{"signal", strsignal(signal)}, {"drain_ms", settings.drain.count()}, {"grace_ms", settings.grace.count()}});
  // A second signal ends at once, the usual way.
  pthread_sigmask(SIG_UNBLOCK, &ending, nullptr);
}

void wait_for_signal(const sigset_t& ending, const Settings& settings) {
  int signal = 0;
  sigwait(&ending, &signal);
  end_begins(signal, ending, settings);
}

// The same; meanwhile this thread, which has nothing else to do and may wait for the disk, keeps the keys up to date.
// SIGHUP asks for them at once, and for the rest of the time what the file looks like is asked every second.
void wait_for_signal_with_keys(const sigset_t& ending, const Settings& settings, Node& node) {
  constexpr timespec period{1, 0};
  sigset_t awaited = ending;
  sigaddset(&awaited, SIGHUP);
  while (true) {
    const int signal = sigtimedwait(&awaited, nullptr, &period);
    if (signal > 0 && signal != SIGHUP) return end_begins(signal, ending, settings);
    node.reload_keys(signal == SIGHUP);
  }
}

int serve(const Settings& settings) {
  const sigset_t ending = prepare_to_run(settings);
  const bool keys = !settings.keys_file.empty();
  if (keys) block_signal(SIGHUP);

  Result<std::unique_ptr<Node>> node = Node::start(settings);
  if (!node) {
    log::error("cannot start", {{"reason", node.error().message}});
    return exit_failure;
  }
  announce(settings, **node);

  if (keys) {
    wait_for_signal_with_keys(ending, settings, **node);
  } else {
    wait_for_signal(ending, settings);
  }
  if (settings.drain.count() > 0) {
    (*node)->drain();
    std::this_thread::sleep_for(settings.drain);
  }
  const std::size_t cut = (*node)->stop(settings.grace);
  if (cut > 0) log::warn("connections were cut at the end of the grace time", {{"connections", cut}});
  log::info("stopped");
  return 0;
}

int work(const Settings& settings) {
  const sigset_t ending = prepare_to_run(settings);
  Result<std::unique_ptr<WorkerNode>> node = WorkerNode::start(settings);
  if (!node) {
    log::error("cannot start", {{"reason", node.error().message}});
    return exit_failure;
  }
  log::info("working", {{"address", settings.server.address}, {"port", (*node)->port()}, {"lanes_max", settings.lanes_max},
                        {"cache", settings.cache_url.empty() ? "none" : "redis"}, {"version", build::version},
                        {"commit", build::commit}, {"pid", getpid()}});
  wait_for_signal(ending, settings);
  (*node)->stop();
  log::info("stopped");
  return 0;
}

int run_migrate(const Settings& settings) {
  std::signal(SIGPIPE, SIG_IGN);
  log::setup(settings.log_level, settings.log_format);
  if (const Result<void> done = migrate(settings); !done) {
    std::fprintf(stderr, "armazem: %s\n", done.error().message.c_str());
    return exit_failure;
  }
  return 0;
}

int run_backup(const Settings& settings, const std::string& to) {
  std::signal(SIGPIPE, SIG_IGN);
  log::setup(settings.log_level, settings.log_format);
  raise_descriptor_bound();
  if (const Result<void> done = back_up_data(settings, to); !done) {
    std::fprintf(stderr, "armazem: %s\n", done.error().message.c_str());
    return exit_failure;
  }
  return 0;
}

int dead_letters(const Settings& settings, const DeadLettersRequest& request) {
  std::signal(SIGPIPE, SIG_IGN);
  log::setup(settings.log_level, settings.log_format);
  const Result<std::unique_ptr<DeadLetterBox>> box = open_dead_letters(settings);
  if (!box) {
    std::fprintf(stderr, "armazem: %s\n", box.error().message.c_str());
    return exit_failure;
  }
  return run_dead_letters(**box, request, std::cout, std::cerr);
}

// True when a signal came that asks for the end; the second one ends the process the usual way.
bool wait_for_signal(const sigset_t& ending, std::chrono::milliseconds how_long) {
  const timespec span{how_long.count() / 1'000, how_long.count() % 1'000 * 1'000'000};
  if (sigtimedwait(&ending, nullptr, &span) < 0) return false;
  pthread_sigmask(SIG_UNBLOCK, &ending, nullptr);
  return true;
}

int bench(const cli::BenchOptions& options) {
  const sigset_t ending = block_ending_signals();
  std::signal(SIGPIPE, SIG_IGN);
  raise_descriptor_bound();
  const SystemTime time;
  return cli::run_bench(options, time, [&](std::chrono::milliseconds how_long) { return wait_for_signal(ending, how_long); });
}

// SIGPIPE and SIGINT end it at once, as they do with any tool in a pipe.
int client(const cli::ClientOptions& options) {
  std::signal(SIGPIPE, SIG_DFL);
  const SystemTime time;
  return cli::run_client(options, time);
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
  switch (invocation.command) {
    case Command::serve: return serve(invocation.settings);
    case Command::worker: return work(invocation.settings);
    case Command::migrate: return run_migrate(invocation.settings);
    case Command::backup: return run_backup(invocation.settings, invocation.backup_to);
    case Command::health: return run_health(invocation.settings, std::cout, std::cerr);
    case Command::dead_letters: return dead_letters(invocation.settings, invocation.dead_letters);
    case Command::keys: return run_keys(invocation.settings.keys_file, invocation.keys, SystemTime(), std::cout, std::cerr);
    case Command::bench: return bench(invocation.bench);
    case Command::client: return client(invocation.client);
    case Command::print_settings: return print_settings(invocation.markdown);
  }
  return exit_usage;
} catch (const std::exception& error) {
  std::fprintf(stderr, "armazem: %s\n", error.what());
  return armazem::exit_failure;
}
