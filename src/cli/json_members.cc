#include "cli/json_members.h"

#include <algorithm>
#include <boost/json.hpp>

#include "core/utf8.h"

namespace armazem::cli {
namespace {

class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  [[nodiscard]] char peek() {
    while (at_ < text_.size() && blanks.find(text_[at_]) != blanks.npos) ++at_;
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  bool take(char expected) {
    if (peek() != expected) return false;
    ++at_;
    return true;
  }
  [[nodiscard]] bool at_end() { return peek() == '\0' && at_ == text_.size(); }

  // With its quotes.
  std::optional<std::string_view> take_string() {
    if (peek() != '"') return std::nullopt;
    const std::size_t from = at_++;
    for (; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (static_cast<unsigned char>(c) < 0x20) return std::nullopt;
      if (c == '\\') ++at_;
      if (c == '"') return text_.substr(from, ++at_ - from);
    }
    return std::nullopt;
  }

  std::optional<std::string_view> take_value() {
    const char first = peek();
    if (first == '"') return take_string();
    const std::size_t from = at_;
    if (first == '{' || first == '[') return take_brackets() ? std::optional(text_.substr(from, at_ - from)) : std::nullopt;
    at_ = std::min(text_.size(), text_.find_first_of(",]} \t\r\n\"[{", at_));
    if (at_ == from) return std::nullopt;
    return text_.substr(from, at_ - from);
  }

 private:
  static constexpr std::string_view blanks = " \t\r\n";

  bool take_brackets() {
    std::string open;
    do {
      const char c = peek();
      if (c == '"') {
        if (!take_string()) return false;
        continue;
      }
      if (c == '\0') return false;
      ++at_;
      if (c == '{' || c == '[') open.push_back(c == '{' ? '}' : ']');
      if (c != '}' && c != ']') continue;
      if (c != open.back()) return false;
      open.pop_back();
    } while (!open.empty());
    return true;
  }

  const std::string_view text_;
  std::size_t at_ = 0;
};

tl::unexpected<Error> wrong(const char* what) { return fail(ErrorCode::invalid_argument, what); }

}  // namespace

Result<std::vector<JsonMember>> split_members(std::string_view text) {
  if (!is_utf8(text)) return wrong("it is not UTF-8");
  Scanner scanner(text);
  if (!scanner.take('{')) return wrong("it is no JSON object");
  std::vector<JsonMember> members;
  if (scanner.peek() == '}') {
    scanner.take('}');
    return scanner.at_end() ? Result<std::vector<JsonMember>>(members) : wrong("there is more behind the JSON object");
  }
  do {
    const auto name = scanner.take_string();
    if (!name || !scanner.take(':')) return wrong("the JSON object is malformed");
    const auto value = scanner.take_value();
    if (!value) return wrong("the JSON object is malformed or cut off");
    members.push_back({name->substr(1, name->size() - 2), *value});
  } while (scanner.take(','));
  if (!scanner.take('}')) return wrong("the JSON object is malformed or cut off");
  if (!scanner.at_end()) return wrong("there is more behind the JSON object");
  return members;
}

std::optional<std::string_view> find_member(const std::vector<JsonMember>& members, std::string_view name) {
  const auto found = std::ranges::find(members, name, &JsonMember::name);
  return found == members.end() ? std::nullopt : std::optional(found->value);
}

std::optional<std::string> string_of(std::string_view value) {
  boost::system::error_code ec;
  const boost::json::value parsed = boost::json::parse(value, ec);
  const boost::json::string* const text = ec ? nullptr : parsed.if_string();
  if (text == nullptr) return std::nullopt;
  return std::string(*text);
}

}  // namespace armazem::cli
