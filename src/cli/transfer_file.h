// Lines of a file or of standard input and output, compressed by gzip or not.
#pragma once

#include <zlib.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"

namespace armazem::cli {

struct CloseGz {
  void operator()(gzFile file) const noexcept { gzclose(file); }
};
using GzFile = std::unique_ptr<gzFile_s, CloseGz>;

[[nodiscard]] bool is_gzip_name(std::string_view path) noexcept;

// Written under another name until it is complete, so that who finds the name finds all of it.
class LineWriter {
 public:
  // "-": standard output. A name that ends in .gz is compressed. `resume`: goes on behind the last complete line of what an
  // earlier try has left; not of a compressed one.
  static Result<LineWriter> open(const std::string& path, bool resume);

  // What was found to go on from.
  [[nodiscard]] const std::string& last_line() const noexcept { return last_line_; }
  [[nodiscard]] std::uint64_t lines_found() const noexcept { return lines_found_; }

  Result<void> write(std::string_view line);  // a line feed is added
  Result<void> complete();  // flushed, synced, under its own name

 private:
  LineWriter() = default;
  Result<void> find_end();
  [[nodiscard]] Error trouble() const;

  std::string path_;
  std::string partial_;  // empty: standard output
  std::string last_line_;
  std::uint64_t lines_found_ = 0;
  GzFile file_;
};

class LineReader {
 public:
  // "-": standard input. Compressed or not is seen from the content.
  static Result<LineReader> open(const std::string& path);

  // nullopt: the end. Without its line feed; at most 512 MiB.
  Result<std::optional<std::string>> next();
  // How much of the file has been read, from 0 to 1; negative when that cannot be said.
  [[nodiscard]] double share() const;

 private:
  LineReader() = default;
  std::string path_;
  std::uint64_t size_ = 0;  // as stored; 0: unknown
  GzFile file_;
};

}  // namespace armazem::cli
