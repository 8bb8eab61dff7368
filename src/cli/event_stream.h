// Parses text/event-stream (WHATWG HTML, section 9.2.6) from bytes that come in pieces. No socket in it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "core/result.h"

namespace armazem::cli {

struct StreamEvent {
  std::string type;  // "message" when the stream names none
  std::string data;  // lines joined by line feeds
};

class EventStreamParser {
 public:
  static constexpr std::size_t event_bytes_max = std::size_t{1} << 20;

  // Calls `use` for each event that is complete. internal: a line or an event is larger than event_bytes_max.
  [[nodiscard]] Result<void> feed(std::string_view bytes, const std::function<Result<void>(const StreamEvent&)>& use);
  // The connection is gone: what was not complete is dropped, as the standard wants; the last id stays.
  void begin_anew();

  // What a reconnect must send as Last-Event-ID; empty when nothing must.
  [[nodiscard]] const std::string& last_id() const noexcept { return last_id_; }

 private:
  Result<void> end_line(const std::function<Result<void>(const StreamEvent&)>& use);
  void take_field(std::string_view name, std::string_view value);

  std::string line_;
  bool after_return_ = false;  // a line feed that follows ends no other line
  bool at_begin_ = true;       // a byte order mark may stand here
  StreamEvent event_;
  bool has_data_ = false;
  std::string id_;  // of the event that is being read
  std::string last_id_;
};

}  // namespace armazem::cli
