// What list, watch and export have in common: queries, and answers that are taken line by line.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "cli/http_client.h"

namespace armazem::cli {

// For behind "name=": everything but letters, digits and -._~ is encoded.
[[nodiscard]] std::string encode_query(std::string_view text);

// Hands on the lines of an answer, without their line feeds.
class LineSink final : public BodySink {
 public:
  using Use = std::function<Result<void>(std::string_view line)>;
  explicit LineSink(Use use) : use_(std::move(use)) {}
  Result<void> take(std::string_view piece) override;

 private:
  static constexpr std::size_t line_bytes_max = std::size_t{512} << 20;
  const Use use_;
  std::string begun_;
};

// Time to wait before the try after `tries` failed ones: doubles from 100 ms up to 5 s, and is then anything from half of
// that to all of it, so that many clients do not come back at once.
[[nodiscard]] std::chrono::milliseconds pause_after(int tries);

}  // namespace armazem::cli
