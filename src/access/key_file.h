// The file that keeps API keys: one JSON object a line, so that a difference is readable and a broken line can be named.
//
// It is replaced as a whole (new file, fsync, rename), so a reader sees the old keys or the new ones. It holds no secret
// that could be used, only digests; but who can write it can make keys. So it is made with mode 0600, and one that others
// may write is not believed.
//
// Thread rule: any thread; calls block on the disk.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "access/api_key.h"
#include "core/result.h"
#include "net/file_descriptor.h"

namespace armazem {

inline constexpr std::size_t keys_max = 10'000;
inline constexpr std::size_t key_file_bytes_max = std::size_t{16} << 20;

// What tells one content of the file from the next without reading it.
struct FileMark {
  std::uint64_t device = 0, inode = 0, size = 0;
  std::int64_t modified_ns = 0, changed_ns = 0;
  friend bool operator==(const FileMark&, const FileMark&) = default;
};
[[nodiscard]] Result<FileMark> mark_of(const std::string& path);

struct KeyFile {
  std::vector<ApiKey> keys;
  FileMark mark;  // taken from the open file before it was read
};

// precondition: not there, not readable, or writable for others. data_damaged: a line is broken; the message names it.
// Unknown members are refused: one that restricts a key must not be read past.
[[nodiscard]] Result<KeyFile> read_key_file(const std::string& path);
[[nodiscard]] Result<void> write_key_file(const std::string& path, const std::vector<ApiKey>& keys);

[[nodiscard]] Result<std::vector<ApiKey>> parse_keys(std::string_view text);
[[nodiscard]] std::string format_keys(const std::vector<ApiKey>& keys);

// Held by who reads, changes and writes, so that two at the same time do not lose a key. On the directory, because the
// file itself is replaced.
class [[nodiscard]] KeyFileLock {
 public:
  // overloaded: somebody else holds it for longer than that.
  static Result<KeyFileLock> take(const std::string& path, std::chrono::milliseconds wait = std::chrono::seconds(5));

 private:
  explicit KeyFileLock(net::FileDescriptor directory) noexcept : directory_(std::move(directory)) {}
  net::FileDescriptor directory_;  // closing it lets go
};

}  // namespace armazem
