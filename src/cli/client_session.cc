#include "cli/client_session.h"

#include <algorithm>
#include <fstream>
#include <iterator>

#include "core/task_scope.h"
#include "http/percent.h"
#include "net/loop_group.h"
#include "runtime/build_info.h"

namespace armazem::cli {
namespace {

constexpr std::size_t api_key_bytes_max = 4096;

// The key of this run; it goes into a header, so nothing but visible ASCII may be in it.
Result<std::string> find_api_key(const ClientOptions& options) {
  std::string key = options.api_key;
  if (!options.api_key_file.empty()) {
    std::ifstream file(options.api_key_file, std::ios::binary);
    if (!file) return fail(ErrorCode::invalid_argument, "cannot read the API key from " + options.api_key_file);
    key.assign(std::istreambuf_iterator<char>(file), {});
  }
  while (!key.empty() && (key.back() == '\n' || key.back() == '\r')) key.pop_back();
  const bool visible = std::ranges::all_of(key, [](char c) { return c > ' ' && c <= '~'; });
  if (visible && key.size() <= api_key_bytes_max) return key;
  return fail(ErrorCode::invalid_argument, "the API key must be one word of visible ASCII");
}

Result<std::string> common_headers(const ClientOptions& options) {
  const Result<std::string> key = find_api_key(options);
  if (!key) return fail(key.error());
  std::string headers = "User-Agent: armazem/" + std::string(build::version) + "\r\n";
  if (!key->empty()) headers += "Authorization: Bearer " + *key + "\r\n";
  return headers;
}

using Work = std::function<Task<int>(ClientSession&)>;

Task<void> run_on(net::IoLoop& loop, const TimeSource& time, const ClientOptions& options, Endpoint& endpoint,
                  std::string headers, const Work& work, int& exit_code) {
  net::Resolver resolver;
  auto addresses = co_await resolver.resolve(endpoint.name);
  if (!addresses) {
    exit_code = report(failure_of(addresses.error(), options.url), options.json);
    co_return;
  }
  endpoint.addresses = std::move(*addresses);
  co_await resume_on(loop);
  Sweeper sweeper(time);
  TaskScope sweeping(loop);
  sweeping.spawn(sweeper.run());
  {
    AlarmClock clock(loop);
    ClientSession session(options, loop, sweeper, clock, endpoint, std::move(headers));
    exit_code = co_await work(session);
  }
  sweeper.finish();
  auto swept = sweeping.join();
  co_await swept;
}

}  // namespace

ClientSession::ClientSession(const ClientOptions& asked, net::IoLoop& its_loop, Sweeper& its_sweeper,
                             AlarmClock& its_clock, const Endpoint& server, std::string common)
    : options(asked),
      loop(its_loop),
      sweeper(its_sweeper),
      clock(its_clock),
      endpoint(server),
      headers(std::move(common)),
      client_(loop, sweeper, endpoint) {}

Task<Result<void>> ClientSession::exchange(HttpRequest request, HttpAnswer& answer) {
  const Deadline deadline = Deadline::after(sweeper.now(), options.timeout);
  co_return co_await client_.exchange(request, deadline, answer);
}

Task<bool> ClientSession::succeeds(HttpRequest request, HttpAnswer& answer, int& exit_code) {
  const Result<void> done = co_await exchange(request, answer);
  if (done && answer.status < 300) co_return true;
  exit_code = report(done ? failure_of(answer) : failure_of(done.error(), options.url), options.json);
  co_return false;
}

int run_session(const ClientOptions& options, const TimeSource& time, const Work& work) {
  Result<net::HostPort> name = parse_base_url(options.url);
  if (!name) return report(failure_of(name.error(), "--url"), options.json);
  Result<std::string> headers = common_headers(options);
  if (!headers) return report(failure_of(headers.error(), "--api-key-file"), options.json);
  Endpoint endpoint{std::move(*name), {}};
  net::LoopGroup loops("client", 1);
  int exit_code = client_exit::unavailable;
  net::run_to_end(loops[0], run_on(loops[0], time, options, endpoint, std::move(*headers), work, exit_code));
  return exit_code;
}

std::string store_target(std::string_view key) { return "/store/" + http::percent_encode_path(key); }

}  // namespace armazem::cli
