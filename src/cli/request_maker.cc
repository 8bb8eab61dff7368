#include "cli/request_maker.h"

#include <algorithm>
#include <numeric>

#include "http/json_text.h"
#include "http/percent.h"

namespace armazem::cli {
namespace {

// Letters and digits at random: nothing that a compressor could shrink much, nothing that JSON must escape.
std::string make_filler(std::size_t bytes, Random random) {
  constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string text(bytes, ' ');
  for (char& c : text) c = alphabet[random.below(alphabet.size())];
  return text;
}

// Neighbouring seeds and connections must not have neighbouring sequences.
Random random_of(std::uint64_t seed, std::uint64_t connection) {
  Random of_run(seed);
  Random of_connection(of_run.next() + connection);
  return Random(of_connection.next());
}

// Values are pieces of one text, which is this much longer than the longest.
constexpr std::size_t filler_spare_bytes = 4096;
// A session remembers so many keys of its own; a connection that writes more forgets all and begins again.
constexpr std::size_t session_keys_max = 100'000;

}  // namespace

KeyChooser::KeyChooser(const KeyOptions& options, KeyCounter& counter) : options_(options), counter_(counter) {
  if (options.pattern == KeyPattern::zipf || options.pattern == KeyPattern::latest) {
    zipf_.emplace(options.count, options.exponent);
  }
}

std::uint64_t KeyChooser::next(Random& random, bool written) {
  switch (options_.pattern) {
    case KeyPattern::uniform: return random.below(options_.count);
    case KeyPattern::sequential: return counter_.fetch_add(1, std::memory_order_relaxed) % options_.count;
    case KeyPattern::zipf: return (*zipf_)(random)-1;
    case KeyPattern::latest: {
      if (written) return counter_.fetch_add(1, std::memory_order_relaxed) % options_.count;
      // The newest most often; before it the one before, in a ring of all keys.
      const std::uint64_t newest = counter_.load(std::memory_order_relaxed) + options_.count - 1;
      return (newest - ((*zipf_)(random)-1)) % options_.count;
    }
  }
  return 0;
}

SizeChooser::SizeChooser(const ValueOptions& options) : options_(options) {
  if (options.pattern == SizePattern::zipf) zipf_.emplace(options.bytes_max - options.bytes_min + 1, 0.99);
}

std::size_t SizeChooser::next(Random& random) const {
  if (zipf_) return options_.bytes_min + (*zipf_)(random)-1;
  return options_.bytes_min + random.below(options_.bytes_max - options_.bytes_min + 1);
}

SharedWork::SharedWork(const BenchOptions& options)
    : filler(make_filler(options.values.bytes_max + filler_spare_bytes, Random(options.seed))) {}

RequestMaker::RequestMaker(const BenchOptions& options, std::uint64_t connection, SharedWork& shared)
    : options_(options),
      random_(random_of(options.seed, connection)),
      keys_(options.keys, shared.keys),
      sizes_(options.values),
      filler_(shared.filler) {}

RequestMaker::Made RequestMaker::next() {
  const bool reads_again = options_.pairs && operation_ == Operation::put;
  operation_ = reads_again ? Operation::get : next_operation();
  if (!reads_again) {
    key_ = keys_.next(random_, operation_ == Operation::put);
    const std::string number = std::to_string(key_);
    key_text_.assign(options_.keys.prefix).append(number.size() < 8 ? 8 - number.size() : 0, '0').append(number);
  }
  make_target();
  headers_.clear();
  body_.clear();
  if (operation_ == Operation::put) make_body();
  if (operation_ == Operation::get) make_read_headers();
  constexpr std::array<std::string_view, operation_count> methods{"PUT", "GET", "DELETE"};
  return {operation_, {methods[static_cast<std::size_t>(operation_)], target_, headers_, body_}};
}

Operation RequestMaker::next_operation() {
  if (options_.pairs) return Operation::put;
  const auto total = std::accumulate(options_.mix.begin(), options_.mix.end(), std::uint64_t{0});
  std::uint64_t drawn = random_.below(total);
  for (std::size_t i = 0; i < operation_count; ++i) {
    if (drawn < options_.mix[i]) return static_cast<Operation>(i);
    drawn -= options_.mix[i];
  }
  return Operation::get;
}

void RequestMaker::make_target() {
  if (operation_ == Operation::put && options_.route == WriteRoute::json) {
    target_ = "/store";
    return;
  }
  target_.assign("/store/").append(http::percent_encode_path(key_text_));
  if (operation_ == Operation::get && options_.route == WriteRoute::raw) target_.append("?raw");
}

void RequestMaker::make_body() {
  const std::size_t bytes = sizes_.next(random_);
  const std::string_view value = std::string_view(filler_).substr(random_.below(filler_.size() - bytes + 1), bytes);
  if (options_.route == WriteRoute::raw) {
    headers_ = "Content-Type: text/plain\r\n";
    body_ = value;
    return;
  }
  headers_ = "Content-Type: application/json\r\n";
  body_ = R"({"key":)";
  http::append_json_string(body_, key_text_);
  body_.append(R"(,"value":")").append(value).append(R"("})");
}

void RequestMaker::make_read_headers() {
  if (options_.read == ReadLevel::strong) headers_ = "Cache-Control: no-cache\r\n";
  if (options_.read != ReadLevel::session) return;
  const auto written = written_.find(key_);
  if (written != written_.end()) headers_.append("Armazem-Min-Version: ").append(written->second.text()).append("\r\n");
}

void RequestMaker::answered(const HttpAnswer& answer) {
  if (options_.read != ReadLevel::session || operation_ == Operation::get || answer.status >= 300) return;
  const auto text = answer.header("Armazem-Version");
  if (!text) return;
  const Result<Version> version = Version::parse(*text);
  if (!version) return;
  if (written_.size() >= session_keys_max) written_.clear();
  written_[key_] = *version;
}

}  // namespace armazem::cli
