// A request's head and chunked body: the pieces in which the bytes come change nothing.
//
// Input: four bytes that are the sizes of pieces, used in turn; then the bytes of the connection.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>

#include "core/assert.h"
#include "http/chunked_body.h"
#include "http/request_parser.h"

using namespace armazem;

namespace {

constexpr std::size_t keep_bytes_max = 1'000;
constexpr std::size_t read_bytes_max = 4'000;

// A copy with nothing behind it, so that AddressSanitizer sees every byte that is read too far.
class Exact {
 public:
  explicit Exact(std::string_view bytes) : data_(new char[bytes.size()]), size_(bytes.size()) {
    if (!bytes.empty()) std::memcpy(data_.get(), bytes.data(), bytes.size());
  }
  [[nodiscard]] std::string_view view() const noexcept { return {data_.get(), size_}; }

 private:
  std::unique_ptr<char[]> data_;
  std::size_t size_;
};

// Where the pieces end.
class Pieces {
 public:
  Pieces(std::array<std::uint8_t, 4> sizes, std::size_t total) : sizes_(sizes), total_(total) {}
  static Pieces whole(std::size_t total) {
    Pieces pieces({}, total);
    pieces.end_ = total;
    return pieces;
  }
  [[nodiscard]] std::size_t end() const noexcept { return end_; }
  [[nodiscard]] bool last() const noexcept { return end_ == total_; }
  void next() noexcept { end_ = std::min(total_, end_ + std::max<std::size_t>(sizes_[turn_++ % sizes_.size()], 1)); }

 private:
  std::array<std::uint8_t, 4> sizes_;
  std::size_t total_;
  std::size_t end_ = 0;
  std::size_t turn_ = 0;
};

// What became of the bytes.
struct Outcome {
  std::string end;          // "more", "done", "endless" or the problem
  std::size_t used = 0;
  std::string body;
  bool too_large = false;

  friend bool operator==(const Outcome& a, const Outcome& b) {
    if (a.end != b.end) return false;
    const bool refused = a.end != "more" && a.end != "done";  // and the connection is closed
    return refused || (a.used == b.used && a.body == b.body && a.too_large == b.too_large);
  }
};

std::string name_of(const http::Problem& problem) {
  return std::string(info(problem.type).slug) + ": " + problem.detail;
}

bool is_inside(std::string_view part, std::string_view whole) {
  return part.empty() || (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

// What the rest of the server takes for granted.
void check_head(const http::RequestHead& head, std::string_view block) {
  ARMAZEM_ASSERT(is_inside(head.target, block) || head.target == "/");  // of "http://host"
  ARMAZEM_ASSERT(head.target.starts_with('/') || (head.target == "*" && head.method == http::Method::options));
  ARMAZEM_ASSERT(!(head.chunked && head.content_length));
  ARMAZEM_ASSERT(head.header(http::Header::host).has_value());
  for (const auto& value : head.headers) {
    if (!value) continue;
    const auto holds = [&](const std::string& text) { return is_inside(*value, text); };
    ARMAZEM_ASSERT(is_inside(*value, block) || (head.joined && std::ranges::any_of(*head.joined, holds)));
    for (const char c : *value) ARMAZEM_ASSERT(c == '\t' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7F));
  }
}

void take_body(std::string_view bytes, Pieces& pieces, Outcome& outcome) {
  http::ChunkedBody chunks(keep_bytes_max, read_bytes_max);
  while (true) {
    const Exact piece(bytes.substr(outcome.used, pieces.end() - outcome.used));
    const auto progress = chunks.feed(piece.view(), outcome.body);
    ARMAZEM_ASSERT(progress.used <= piece.view().size() && outcome.body.size() <= keep_bytes_max);
    outcome.used += progress.used;
    outcome.too_large = chunks.too_large();
    // The detail may differ, because Beast looks at a line only when all of it is there.
    if (progress.problem) outcome.end = info(progress.problem->type).slug;
    if (progress.endless) outcome.end = "endless";
    if (progress.done) outcome.end = "done";
    if (outcome.end != "more" || pieces.last()) return;
    pieces.next();
  }
}

Outcome take_request(std::string_view bytes, Pieces pieces) {
  Outcome outcome{.end = "more", .used = 0, .body = {}, .too_large = false};
  http::HeadScanProgress progress;
  http::HeadScan scan;
  while (true) {
    const Exact seen(bytes.substr(0, pieces.end()));
    scan = http::scan_head(seen.view(), progress);
    if (scan.problem) {
      outcome.end = name_of(*scan.problem);
      return outcome;
    }
    if (scan.size || pieces.last()) break;
    pieces.next();
  }
  if (!scan.size) return outcome;
  outcome.used = scan.skip + *scan.size;
  ARMAZEM_ASSERT(outcome.used <= pieces.end() && *scan.size <= http::header_bytes_max);

  const Exact block(bytes.substr(scan.skip, *scan.size));
  http::RequestHead head;
  if (const auto problem = http::parse_head(block.view(), head)) {
    outcome.end = name_of(*problem);
    return outcome;
  }
  check_head(head, block.view());
  outcome.end = head.chunked ? "more" : "done";
  if (head.chunked) take_body(bytes, pieces, outcome);
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::array<std::uint8_t, 4> sizes{};
  if (size < sizes.size()) return 0;
  std::copy_n(data, sizes.size(), sizes.begin());
  const std::string_view bytes(reinterpret_cast<const char*>(data) + sizes.size(), size - sizes.size());
  const Outcome whole = take_request(bytes, Pieces::whole(bytes.size()));
  const Outcome in_pieces = take_request(bytes, Pieces(sizes, bytes.size()));
  ARMAZEM_ASSERT(whole == in_pieces);
  return 0;
}
