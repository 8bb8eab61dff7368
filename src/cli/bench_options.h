// What `armazem bench` is asked to do. Plain data; bench_flags.cc fills and checks it.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace armazem::cli {

enum class Operation : std::uint8_t { put, get, remove };
inline constexpr std::size_t operation_count = 3;
inline constexpr std::array<std::string_view, operation_count> operation_names{"PUT", "GET", "DELETE"};

enum class KeyPattern : std::uint8_t { uniform, sequential, zipf, latest };
enum class SizePattern : std::uint8_t { uniform, zipf };  // zipf: small ones are the most frequent
enum class WriteRoute : std::uint8_t { json, raw };       // PUT /store, PUT /store/{key}
enum class ReadLevel : std::uint8_t { cached, session, strong };

struct KeyOptions {
  KeyPattern pattern = KeyPattern::uniform;
  std::uint64_t count = 10'000;
  double exponent = 0.99;  // of zipf and latest
  std::string prefix = "bench-";
};

struct ValueOptions {
  SizePattern pattern = SizePattern::uniform;
  std::size_t bytes_min = 100;
  std::size_t bytes_max = 100;
};

struct BenchOptions {
  std::string url = "http://127.0.0.1:8000";
  std::size_t connections = 16;
  std::size_t threads = 1;
  double rate = 0;  // requests per second; 0: closed loop, every connection sends when it has its answer

  // The first bound that is reached ends the run; 0: no such bound.
  std::chrono::milliseconds duration{0};
  std::uint64_t count = 0;  // requests in total
  std::uint64_t loops = 0;  // requests of each connection
  std::chrono::milliseconds warm_up{0};   // sent, not measured
  std::chrono::milliseconds ramp_up{0};   // until the last connection has begun
  std::chrono::milliseconds timeout{5'000};

  std::array<unsigned, operation_count> mix{50, 50, 0};
  bool pairs = false;  // instead of the mix: PUT a key, GET the same
  bool prefill = false;
  KeyOptions keys;
  ValueOptions values;
  WriteRoute route = WriteRoute::json;
  ReadLevel read = ReadLevel::cached;
  std::uint64_t seed = 1;

  double error_rate_max = 0;  // a share, not a percentage
  bool json = false;
  bool quiet = false;
  std::string csv;  // files; empty: none
  std::string svg;
  std::string title = "armazem bench";  // of the chart
  std::string from_csv;  // nothing is run: the chart of an earlier run
};

}  // namespace armazem::cli
