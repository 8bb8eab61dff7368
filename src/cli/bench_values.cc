#include "cli/bench_values.h"

#include <algorithm>
#include <charconv>
#include <numeric>
#include <utility>

#include "cli/http_client.h"
#include "core/key.h"
#include "core/limits.h"

namespace armazem::cli {
namespace {

tl::unexpected<Error> wrong(std::string_view text, std::string_view wanted) {
  return fail(ErrorCode::invalid_argument, "'" + std::string(text) + "' is not " + std::string(wanted));
}

// Takes the number at the begin of `text`; the rest stays.
template <class Number>
bool take_number(std::string_view& text, Number& number) {
  if (text.empty() || text.front() < '0' || text.front() > '9') return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

struct Unit {
  std::string_view name;
  std::uint64_t factor = 1;
};

// A number and one of the units, without a fraction, and at most `most`.
template <std::size_t count>
bool parse_with_unit(std::string_view text, const Unit (&units)[count], std::uint64_t most, std::uint64_t& value) {
  if (!take_number(text, value)) return false;
  const auto unit = std::ranges::find(units, text, &Unit::name);
  if (unit == std::end(units) || value > most / unit->factor) return false;
  value *= unit->factor;
  return true;
}

constexpr std::uint64_t longest_ms = std::uint64_t{7} * 24 * 3'600'000;  // a soak of a week

}  // namespace

Result<std::chrono::milliseconds> parse_duration(std::string_view text) {
  constexpr Unit units[] = {{"ms", 1}, {"s", 1'000}, {"m", 60'000}, {"h", 3'600'000}};
  std::uint64_t ms = 0;
  if (!parse_with_unit(text, units, longest_ms, ms)) {
    return wrong(text, "a time of at most a week, such as 250ms, 30s, 5m or 2h");
  }
  return std::chrono::milliseconds(ms);
}

Result<std::size_t> parse_bytes(std::string_view text) {
  constexpr Unit units[] = {{"", 1}, {"KiB", 1024}, {"MiB", 1024 * 1024}};
  std::uint64_t bytes = 0;
  if (!parse_with_unit(text, units, limits::value_bytes_max, bytes)) {
    return wrong(text, "a size of at most 64MiB, such as 100, 16KiB or 1MiB");
  }
  return static_cast<std::size_t>(bytes);
}

Result<ValueOptions> parse_value_sizes(std::string_view text) {
  constexpr std::string_view wanted = "a size (100, 16KiB), a range (10-4096) or zipf:10-4096";
  ValueOptions options;
  std::string_view rest = text;
  constexpr std::string_view zipf = "zipf:";
  if (rest.starts_with(zipf)) {
    options.pattern = SizePattern::zipf;
    rest.remove_prefix(zipf.size());
  }
  const auto dash = rest.find('-');
  if (dash == rest.npos && options.pattern == SizePattern::zipf) return wrong(text, wanted);
  const Result<std::size_t> least = parse_bytes(rest.substr(0, dash));
  const Result<std::size_t> most = dash == rest.npos ? least : parse_bytes(rest.substr(dash + 1));
  if (!least || !most || *least > *most) return wrong(text, wanted);
  options.bytes_min = *least;
  options.bytes_max = *most;
  return options;
}

Result<std::array<unsigned, operation_count>> parse_mix(std::string_view text) {
  constexpr std::array<std::string_view, operation_count> names{"put", "get", "delete"};
  constexpr std::string_view wanted = "shares of put, get and delete, each once, such as put=50,get=45,delete=5";
  std::array<unsigned, operation_count> mix{};
  std::array<bool, operation_count> given{};
  std::string_view rest = text;
  while (true) {
    const std::string_view part = rest.substr(0, rest.find(','));
    const auto equals = part.find('=');
    const auto name = std::ranges::find(names, part.substr(0, equals));
    if (equals == part.npos || name == names.end()) return wrong(text, wanted);
    const auto at = static_cast<std::size_t>(name - names.begin());
    std::string_view number = part.substr(equals + 1);
    if (std::exchange(given[at], true) || !take_number(number, mix[at]) || !number.empty() || mix[at] > 1'000'000)
      return wrong(text, wanted);
    if (part.size() == rest.size()) break;
    rest.remove_prefix(part.size() + 1);
  }
  if (std::accumulate(mix.begin(), mix.end(), 0U) == 0) return wrong(text, wanted);
  return mix;
}

Result<KeyOptions> parse_key_pattern(std::string_view text, KeyOptions others) {
  constexpr std::pair<std::string_view, KeyPattern> patterns[] = {{"uniform", KeyPattern::uniform},
                                                                  {"sequential", KeyPattern::sequential},
                                                                  {"zipf", KeyPattern::zipf},
                                                                  {"latest", KeyPattern::latest}};
  constexpr std::string_view wanted =
      "uniform, sequential, latest, zipf or zipf:EXPONENT with an exponent over 0, up to 10";
  const std::string_view name = text.substr(0, text.find(':'));
  const auto found = std::ranges::find(patterns, name, &std::pair<std::string_view, KeyPattern>::first);
  if (found == std::end(patterns)) return wrong(text, wanted);
  others.pattern = found->second;
  if (name.size() == text.size()) return others;
  std::string_view number = text.substr(name.size() + 1);
  const bool exponent =
      take_number(number, others.exponent) && number.empty() && others.exponent > 0 && others.exponent <= 10;
  if (others.pattern != KeyPattern::zipf || !exponent) return wrong(text, wanted);
  return others;
}

Result<void> check_bench_options(BenchOptions& options) {
  const auto wrong = [](std::string what) { return fail(ErrorCode::invalid_argument, std::move(what)); };
  if (Result<net::HostPort> url = parse_base_url(options.url); !url)
    return fail(std::move(url).error().with_context("--url"));
  if (Result<Key> key = Key::parse(options.keys.prefix + "00000000"); !key)
    return fail(std::move(key).error().with_context("--key-prefix"));
  if (options.timeout.count() == 0) return wrong("--timeout: a request needs some time");
  if (options.rate > 0 && options.ramp_up.count() > 0)
    return wrong("--ramp-up goes with a closed loop, not with --rate");
  if (options.loops > 0 && (options.count > 0 || options.rate > 0 || options.warm_up.count() > 0)) {
    return wrong("--loops counts the requests of each connection, so --count, --rate and --warm-up do not go with it");
  }
  if (options.duration.count() == 0 && options.count == 0 && options.loops == 0)
    options.duration = std::chrono::seconds(10);
  options.threads = std::min(options.threads, options.connections);
  return {};
}

}  // namespace armazem::cli
