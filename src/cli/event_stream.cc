#include "cli/event_stream.h"

#include <algorithm>
#include <utility>

namespace armazem::cli {

Result<void> EventStreamParser::feed(std::string_view bytes, const std::function<Result<void>(const StreamEvent&)>& use) {
  while (!bytes.empty()) {
    if (std::exchange(after_return_, false) && bytes.front() == '\n') {
      bytes.remove_prefix(1);
      continue;
    }
    const auto end = bytes.find_first_of("\r\n");
    if (line_.size() + event_.data.size() + std::min(end, bytes.size()) > event_bytes_max) {
      return fail(ErrorCode::internal, "an event is larger than 1 MiB");
    }
    line_.append(bytes.substr(0, end));
    if (end == bytes.npos) return {};
    after_return_ = bytes[end] == '\r';
    bytes.remove_prefix(end + 1);
    if (Result<void> used = end_line(use); !used) return used;
  }
  return {};
}

void EventStreamParser::begin_anew() {
  line_.clear();
  after_return_ = false;
  at_begin_ = true;
  event_ = {};
  has_data_ = false;
  id_ = last_id_;
}

Result<void> EventStreamParser::end_line(const std::function<Result<void>(const StreamEvent&)>& use) {
  std::string line = std::exchange(line_, {});
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  if (std::exchange(at_begin_, false) && line.starts_with(byte_order_mark)) line.erase(0, byte_order_mark.size());
  if (!line.empty()) {
    const std::string_view text = line;
    const auto colon = text.find(':');
    if (colon == 0) return {};  // a comment
    std::string_view value = colon == text.npos ? std::string_view() : text.substr(colon + 1);
    if (value.starts_with(' ')) value.remove_prefix(1);
    take_field(text.substr(0, colon), value);
    return {};
  }
  last_id_ = id_;
  StreamEvent event = std::exchange(event_, {});
  if (!std::exchange(has_data_, false)) return {};  // an id alone is only remembered
  event.data.pop_back();
  if (event.type.empty()) event.type = "message";
  return use(event);
}

void EventStreamParser::take_field(std::string_view name, std::string_view value) {
  if (name == "event") event_.type = value;
  if (name == "id" && value.find('\0') == value.npos) id_ = value;
  if (name == "data") {
    event_.data.append(value).push_back('\n');
    has_data_ = true;
  }
}

}  // namespace armazem::cli
