#include "faults/final_reads.h"

#include <mutex>
#include <thread>

#include "checker/json_lines.h"

namespace armazem::faults {
namespace {

using checker::Resolution;

constexpr std::chrono::seconds patience{15};
constexpr int attempts_max = 20;

std::string get(const std::string& target, const char* headers) {
  return "GET " + target + " HTTP/1.1\r\nHost: 127.0.0.1\r\n" + headers + "\r\n";
}

std::string text_after(const std::string& body, const std::string& name) {
  const auto at = body.find("\"" + name + "\":\"");
  if (at == std::string::npos) return "";
  const auto begin = at + name.size() + 4;
  return body.substr(begin, body.find('"', begin) - begin);
}

class FinalReader {
 public:
  FinalReader(Run& run, std::uint16_t port) : run_(run), connection_(port, patience) {}

  // An empty text, or why not.
  std::string read_key(std::uint32_t key) {
    checker::FinalState state;
    state.key = key;
    // The cache first: a strong read would repair it.
    const HttpAnswer cached = ask(get(run_.path_of(key) + "?raw", ""));
    const HttpAnswer stored = ask(get(run_.path_of(key) + "?raw", "Cache-Control: no-cache\r\n"));
    if (!is_read(cached) || !is_read(stored))
      return "the end of key " + std::to_string(key) + " cannot be read: " + std::to_string(stored.status);
    state.in_cache = cached.from_cache;
    fill(cached, key, state.cache_value, state.cache_version);
    fill(stored, key, state.store_value, state.store_version);
    std::string line;
    checker::append_final(line, state);
    run_.files.add_line(key, line);
    return "";
  }

  std::string read_operation(const HistoryFiles::OpenOperation& open) {
    const HttpAnswer answer =
        ask(get("/operations/" + open.operation.text() + "?key=" + run_.key_prefix + std::to_string(open.key), ""));
    if (answer.status != 200)
      return "operation " + open.operation.text() + " cannot be asked for: " + std::to_string(answer.status);
    const std::string status = text_after(answer.body, "status");
    const Resolution resolution = status == "applied"      ? Resolution::applied
                                  : status == "superseded" ? Resolution::superseded
                                  : status == "pending"    ? Resolution::pending
                                                           : Resolution::none;
    std::string line;
    checker::append_resolution(
        line, open.key, open.operation, resolution,
        resolution == Resolution::applied ? version_in(text_after(answer.body, "version")) : Version());
    run_.files.add_line(open.key, line);
    return "";
  }

 private:
  static bool is_read(const HttpAnswer& answer) { return answer.status == 200 || answer.status == 404; }

  static void fill(const HttpAnswer& answer, std::uint32_t key, std::uint64_t& value, Version& version) {
    if (answer.status != 200) return;
    value = value_in(answer.body, key);
    version = version_in(answer.version);
  }

  HttpAnswer ask(const std::string& request) {
    HttpAnswer answer;
    for (int attempt = 0; attempt < attempts_max; ++attempt) {
      answer = connection_.ask(request);
      if (is_read(answer)) break;
      std::this_thread::sleep_for(std::chrono::milliseconds(250));
    }
    return answer;
  }

  Run& run_;
  HttpConnection connection_;
};

}  // namespace

std::string read_finals(Run& run, const std::vector<std::uint16_t>& ports) {
  const auto open = run.files.open_operations();
  const std::size_t keys = run.pool.keys();
  std::atomic<std::size_t> next{0};
  std::mutex mutex;
  std::string failure;
  std::vector<std::jthread> threads;
  for (const std::uint16_t port : ports) {
    threads.emplace_back([&, port] {
      FinalReader reader(run, port);
      for (std::size_t at = next++; at < keys + open.size(); at = next++) {
        const std::string failed =
            at < keys ? reader.read_key(static_cast<std::uint32_t>(at)) : reader.read_operation(open[at - keys]);
        const std::scoped_lock lock(mutex);
        if (failure.empty()) failure = failed;
        if (!failure.empty()) return;
      }
    });
  }
  threads.clear();
  return failure;
}

}  // namespace armazem::faults
