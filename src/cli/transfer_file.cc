#include "cli/transfer_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>

namespace armazem::cli {
namespace {

constexpr unsigned buffer_bytes = 256 * 1024;
constexpr std::size_t line_bytes_max = std::size_t{512} << 20;

tl::unexpected<Error> cannot(std::string_view what, const std::string& path, std::string_view why) {
  return fail(ErrorCode::invalid_argument, "cannot " + std::string(what) + " " + path + ": " + std::string(why));
}

}  // namespace

bool is_gzip_name(std::string_view path) noexcept { return path.ends_with(".gz"); }

Result<LineWriter> LineWriter::open(const std::string& path, bool resume) {
  LineWriter writer;
  writer.path_ = path;
  const bool compressed = is_gzip_name(path);
  if (path == "-") {
    writer.file_.reset(gzdopen(::dup(STDOUT_FILENO), "wT"));
    if (!writer.file_) return cannot("write", "standard output", std::strerror(errno));
    return writer;
  }
  writer.partial_ = path + ".partial";
  if (resume && compressed) return fail(ErrorCode::invalid_argument, "a compressed export cannot be resumed; write it without .gz and compress it then");
  if (resume) {
    if (auto found = writer.find_end(); !found) return fail(std::move(found.error()));
  }
  writer.file_.reset(gzopen(writer.partial_.c_str(), resume ? "aT" : compressed ? "w6" : "wT"));
  if (!writer.file_) return cannot("write", writer.partial_, std::strerror(errno));
  gzbuffer(writer.file_.get(), buffer_bytes);
  return writer;
}

// What is behind the last line feed was cut while it was written.
Result<void> LineWriter::find_end() {
  std::ifstream file(partial_, std::ios::binary);
  if (!file) return {};  // nothing to go on from
  off_t complete = 0;
  for (std::string line; std::getline(file, line) && !file.eof();) {
    complete += static_cast<off_t>(line.size()) + 1;
    last_line_ = std::move(line);
    ++lines_found_;
  }
  if (::truncate(partial_.c_str(), complete) == 0) return {};
  return cannot("cut", partial_, std::strerror(errno));
}

Error LineWriter::trouble() const {
  int code = 0;
  const char* const text = gzerror(file_.get(), &code);
  const std::string name = partial_.empty() ? "standard output" : partial_;
  return {ErrorCode::invalid_argument, "cannot write " + name + ": " + (code == Z_ERRNO ? std::strerror(errno) : text)};
}

Result<void> LineWriter::write(std::string_view line) {
  const auto put = [this](std::string_view bytes) {
    return bytes.empty() || gzfwrite(bytes.data(), 1, bytes.size(), file_.get()) == bytes.size();
  };
  if (put(line) && put("\n")) return {};
  return fail(trouble());
}

Result<void> LineWriter::complete() {
  if (gzclose(file_.release()) != Z_OK) return cannot("write", partial_.empty() ? "standard output" : partial_, std::strerror(errno));
  if (partial_.empty()) return {};
  const int descriptor = ::open(partial_.c_str(), O_RDONLY | O_CLOEXEC);
  const bool synced = descriptor >= 0 && ::fsync(descriptor) == 0;
  if (descriptor >= 0) ::close(descriptor);
  if (synced && std::rename(partial_.c_str(), path_.c_str()) == 0) return {};
  return cannot("complete", path_, std::strerror(errno));
}

Result<LineReader> LineReader::open(const std::string& path) {
  LineReader reader;
  reader.path_ = path == "-" ? "standard input" : path;
  reader.file_.reset(path == "-" ? gzdopen(::dup(STDIN_FILENO), "r") : gzopen(path.c_str(), "r"));
  if (!reader.file_) return cannot("read", reader.path_, std::strerror(errno));
  gzbuffer(reader.file_.get(), buffer_bytes);
  struct stat about {};
  if (path != "-" && ::stat(path.c_str(), &about) == 0 && S_ISREG(about.st_mode)) reader.size_ = static_cast<std::uint64_t>(about.st_size);
  return reader;
}

Result<std::optional<std::string>> LineReader::next() {
  std::string line;
  char piece[64 * 1024];
  while (gzgets(file_.get(), piece, sizeof piece) != nullptr) {
    line.append(piece);
    if (line.ends_with('\n')) {
      line.pop_back();
      return std::optional<std::string>(std::move(line));
    }
    if (line.size() > line_bytes_max) return cannot("read", path_, "a line is longer than 512 MiB");
  }
  int code = 0;
  const char* const text = gzerror(file_.get(), &code);
  if (code != Z_OK && code != Z_STREAM_END) return cannot("read", path_, code == Z_ERRNO ? std::strerror(errno) : text);
  if (!line.empty()) return std::optional<std::string>(std::move(line));
  return std::optional<std::string>();
}

double LineReader::share() const {
  if (size_ == 0) return -1;
  return std::min(1.0, static_cast<double>(gzoffset(file_.get())) / static_cast<double>(size_));
}

}  // namespace armazem::cli
