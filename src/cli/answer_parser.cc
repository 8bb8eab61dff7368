#include "cli/answer_parser.h"

#include <algorithm>
#include <charconv>

namespace armazem::cli {
namespace {

tl::unexpected<Error> malformed(std::string what) {
  return fail(ErrorCode::internal, "malformed answer: " + std::move(what));
}

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same_text(std::string_view a, std::string_view b) noexcept {
  return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view trimmed(std::string_view text) noexcept {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// Calls `use(name, value)` for each line.
template <class Use>
void for_each_field(std::string_view head, Use use) {
  while (!head.empty()) {
    const std::string_view line = head.substr(0, head.find("\r\n"));
    head.remove_prefix(std::min(head.size(), line.size() + 2));
    const auto colon = line.find(':');
    if (colon != line.npos) use(line.substr(0, colon), trimmed(line.substr(colon + 1)));
  }
}

bool has_token(std::string_view list, std::string_view token) noexcept {
  while (true) {
    const auto comma = list.find(',');
    if (same_text(trimmed(list.substr(0, comma)), token)) return true;
    if (comma == list.npos) return false;
    list.remove_prefix(comma + 1);
  }
}

std::optional<std::uint64_t> parse_length(std::string_view text) noexcept {
  std::uint64_t length = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return length;
}

// "HTTP/1.1 200 OK": the status; 0 when it is no status line of HTTP/1.
int status_of(std::string_view line) noexcept {
  if (!line.starts_with("HTTP/1.") || line.size() < 12 || line[8] != ' ') return 0;
  if (line.size() > 12 && line[12] != ' ') return 0;
  int status = 0;
  const auto [end, error] = std::from_chars(line.data() + 9, line.data() + 12, status);
  return error == std::errc() && end == line.data() + 12 && status >= 100 ? status : 0;
}

}  // namespace

std::optional<std::string_view> HttpAnswer::header(std::string_view name) const noexcept {
  std::optional<std::string_view> found;
  for_each_field(head, [&](std::string_view field, std::string_view value) {
    if (!found && same_text(field, name)) found = value;
  });
  return found;
}

void HttpAnswer::clear() {
  status = 0;
  head.clear();
  body.clear();
  keep_alive = true;
}

Result<std::size_t> AnswerParser::feed(std::string_view bytes, HttpAnswer& answer) {
  std::size_t used = 0;
  while (state_ == State::head) {
    Result<std::size_t> taken = feed_head(bytes.substr(used), answer);
    if (!taken) return taken;
    if (*taken == 0) return used;  // the head is not complete
    used += *taken;
  }
  const std::string_view rest = bytes.substr(used);
  if (state_ == State::sized) {
    const auto take = static_cast<std::size_t>(std::min<std::uint64_t>(left_, rest.size()));
    answer.body.append(rest.substr(0, take));
    left_ -= take;
    if (left_ == 0) state_ = State::done;
    return used + take;
  }
  if (state_ == State::chunked) {
    Result<std::size_t> taken = feed_chunks(rest, answer);
    if (!taken) return taken;
    return used + *taken;
  }
  if (state_ == State::until_end) {
    if (answer.body.size() + rest.size() > body_bytes_max_) return fail(ErrorCode::internal, "the answer is too large");
    answer.body.append(rest);
    return bytes.size();
  }
  return used;
}

// One header block; an interim one (1xx) is dropped.
Result<std::size_t> AnswerParser::feed_head(std::string_view bytes, HttpAnswer& answer) {
  const auto end = bytes.substr(0, head_bytes_max).find("\r\n\r\n");
  if (end == bytes.npos) {
    if (bytes.size() >= head_bytes_max) return malformed("the headers are longer than 65536 bytes");
    // Said at once: what is no HTTP need not be waited for.
    constexpr std::string_view beginning = "HTTP/1.";
    if (!bytes.starts_with(beginning.substr(0, bytes.size()))) return malformed("it does not begin with HTTP/1.");
    return std::size_t{0};
  }
  const std::string_view line = bytes.substr(0, bytes.find("\r\n"));
  answer.status = status_of(line);
  if (answer.status == 0) return malformed("the status line is not one of HTTP/1");
  if (answer.status == 101) return malformed("101 was not asked for");
  if (answer.status >= 200) {
    answer.keep_alive = line[7] != '0';
    answer.head.assign(bytes.substr(line.size() + 2, end + 2 - (line.size() + 2)));
    if (Result<void> framed = begin_body(answer); !framed) return fail(std::move(framed).error());
  }
  return end + 4;
}

// RFC 9112, section 6.3.
Result<void> AnswerParser::begin_body(HttpAnswer& answer) {
  std::optional<std::uint64_t> length;
  bool chunked = false;
  bool wrong = false;
  for_each_field(answer.head, [&](std::string_view name, std::string_view value) {
    if (same_text(name, "content-length")) {
      const auto parsed = parse_length(value);
      wrong = wrong || !parsed || (length && *length != *parsed);
      length = parsed;
    } else if (same_text(name, "transfer-encoding")) {
      wrong = wrong || chunked || !same_text(value, "chunked");
      chunked = true;
    } else if (same_text(name, "connection")) {
      if (has_token(value, "close")) answer.keep_alive = false;
    }
  });
  if (wrong || (chunked && length)) return malformed("its length is not clear");
  if (head_only_ || answer.status == 204 || answer.status == 304) {
    state_ = State::done;
  } else if (chunked) {
    chunks_.emplace(body_bytes_max_, body_bytes_max_);
    state_ = State::chunked;
  } else if (length) {
    if (*length > body_bytes_max_) {
      return fail(ErrorCode::internal, "the answer has " + std::to_string(*length) + " bytes; at most " +
                                           std::to_string(body_bytes_max_) + " are read");
    }
    left_ = *length;
    state_ = left_ == 0 ? State::done : State::sized;
  } else {
    answer.keep_alive = false;
    state_ = State::until_end;
  }
  return {};
}

Result<std::size_t> AnswerParser::feed_chunks(std::string_view bytes, HttpAnswer& answer) {
  http::ChunkedBody::Progress progress = chunks_->feed(bytes, answer.body);
  if (progress.problem) return malformed(std::move(progress.problem->detail));
  if (progress.endless || chunks_->too_large()) return fail(ErrorCode::internal, "the answer is too large");
  if (progress.done) state_ = State::done;
  return progress.used;
}

Result<void> AnswerParser::end_of_stream() {
  if (state_ != State::until_end) return malformed("it ends in the middle");
  state_ = State::done;
  return {};
}

}  // namespace armazem::cli
