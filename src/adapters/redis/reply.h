// Replies of the Redis protocol (RESP2), parsed by hiredis' reader.
//
// Thread rule: one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

extern "C" {
struct redisReader;  // NOLINT(readability-identifier-naming): hiredis' own
}

namespace armazem::redis {

struct Reply {
  enum class Kind : std::uint8_t { nil, integer, status, error, bulk, array };
  Kind kind = Kind::nil;
  long long integer = 0;
  std::string text;  // status, error, bulk
  std::vector<Reply> items;
};

// The largest reply and the longest array that a server in order sends us; whatever is larger is not one.
inline constexpr std::size_t reply_bytes_max = (std::size_t{64} << 20) + (std::size_t{64} << 10);
inline constexpr int reply_items_max = 1'024;

class ReplyParser {
 public:
  ReplyParser();
  ~ReplyParser();
  ReplyParser(const ReplyParser&) = delete;
  ReplyParser& operator=(const ReplyParser&) = delete;

  void feed(std::string_view bytes);

  enum class Step : std::uint8_t { reply, more, broken };
  // The next whole reply of what was fed. After `broken` nothing more comes: `error` says why.
  Step next(Reply& reply);
  [[nodiscard]] const std::string& error() const noexcept { return error_; }

 private:
  struct Callbacks;
  struct Free {
    void operator()(redisReader* reader) const noexcept;
  };
  std::unique_ptr<redisReader, Free> reader_;
  Reply root_;  // under construction
  std::string error_;
};

// Appends one command to `out`. At most command_arguments_max arguments.
inline constexpr std::size_t command_arguments_max = 8;
void append_command(std::string& out, std::span<const std::string_view> arguments);

}  // namespace armazem::redis
