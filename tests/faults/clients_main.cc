// armazem-fault-clients: clients at work on a cluster, who write down what they see (docs/histories.md).
//
//   armazem-fault-clients --ports 8000,8000,26011 --out DIR --seed 7 --clients 24 --rate 600
//
// Prints a line of JSON each second: the answers so far. Commands on the standard input: `finish` ends the clients,
// `finals` reads what every key holds in the end. Each is answered with a line that names it.
#include <CLI/CLI.hpp>
#include <iostream>
#include <mutex>
#include <thread>

#include "faults/final_reads.h"
#include "faults/recording_client.h"

namespace armazem::faults {
namespace {

struct Options {
  std::vector<std::uint16_t> ports;
  std::string out = ".";
  std::string prefix = "f";
  std::uint64_t seed = 1;
  std::uint32_t clients = 24;
  double rate = 600;
};

void say(const std::string& line) {
  static std::mutex mutex;
  const std::scoped_lock lock(mutex);
  std::cout << line << std::endl;
}

class Clients {
 public:
  Clients(Run& run, const Options& options) {
    for (std::uint32_t number = 0; number < options.clients; ++number) {
      threads_.emplace_back([&run, &options, number] {
        RecordingClient(run, number, options.ports[number % options.ports.size()], options.seed).work();
      });
    }
    threads_.emplace_back([&run] {
      while (!run.stopping) {
        std::this_thread::sleep_for(std::chrono::seconds(1));
        run.files.flush();
        say("{\"at\":" + std::to_string(run.now_us()) + ",\"keys\":" + std::to_string(run.pool.keys()) +
            ",\"counts\":" + run.files.counts().json() + "}");
      }
    });
  }
  void join() { threads_.clear(); }

 private:
  std::vector<std::jthread> threads_;
};

std::string obey(const std::string& command, Run& run, Clients& clients, const Options& options) {
  if (command == "finish") {
    run.stopping = true;
    clients.join();
    run.files.flush();
    return "{\"done\":\"finish\",\"keys\":" + std::to_string(run.pool.keys()) +
           ",\"counts\":" + run.files.counts().json() + "}";
  }
  if (command == "finals") {
    const std::string failure = read_finals(run, options.ports);
    run.files.flush();
    return failure.empty() ? "{\"done\":\"finals\"}" : "{\"failed\":\"" + failure + "\"}";
  }
  return "{\"failed\":\"unknown command\"}";
}

void serve(const Options& options) {
  HistoryFiles files(options.out);
  KeyPool pool({});
  Run run{options.prefix, std::chrono::steady_clock::now(), {}, options.clients, {}, {1}, pool, files};
  run.pause = std::chrono::microseconds(static_cast<std::int64_t>(1e6 * options.clients / options.rate));
  Clients clients(run, options);
  for (std::string command; std::getline(std::cin, command);) say(obey(command, run, clients, options));
  run.stopping = true;
}

}  // namespace
}  // namespace armazem::faults

int main(int argc, char** argv) {
  CLI::App app("Clients that record what they see");
  armazem::faults::Options options;
  app.add_option("--ports", options.ports, "of 127.0.0.1, shared out over the clients")->delimiter(',')->required();
  app.add_option("--out", options.out, "directory of the histories")->check(CLI::ExistingDirectory);
  app.add_option("--prefix", options.prefix, "of all keys");
  app.add_option("--seed", options.seed);
  app.add_option("--clients", options.clients);
  app.add_option("--rate", options.rate, "operations per second, of all clients together");
  CLI11_PARSE(app, argc, argv);
  armazem::faults::serve(options);
  return 0;
}
