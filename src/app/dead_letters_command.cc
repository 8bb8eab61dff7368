#include "app/dead_letters_command.h"

#include <algorithm>
#include <ostream>
#include <string>

#include "app/system_time.h"
#include "core/hybrid_clock.h"
#include "http/http_date.h"
#include "http/json_text.h"
#include "service/op_ids.h"

namespace armazem {
namespace {

using What = DeadLettersRequest::What;

constexpr std::size_t letters_max = 10'000;  // looked at in one go

std::string time_text(std::uint64_t ms) { return ms == 0 ? "unknown" : http::rfc3339(ms); }

std::string_view kind_text(const Mutation& mutation) { return mutation.kind == Mutation::Kind::put ? "put" : "delete"; }

// Values never go to a terminal by themselves: they may be anything. `show` prints their size and type.
void print_line(const DeadLetter& letter, std::ostream& out) {
  out << letter.number << "  " << time_text(letter.set_aside_at_ms) << "  " << letter.reason << "  ";
  if (letter.mutations.empty()) {
    out << letter.raw.size() << " bytes that are no message";
  } else {
    std::string key;
    http::append_json_string(key, letter.mutations.front().key.text());
    out << kind_text(letter.mutations.front()) << ' ' << key;
    if (letter.mutations.size() > 1) out << " and " << letter.mutations.size() - 1 << " more";
  }
  out << '\n';
}

void append_member(std::string& to, std::string_view name, std::string_view text) {
  to.append(",\"").append(name).append("\":");
  http::append_json_string(to, text);
}

void print_json(const DeadLetter& letter, std::ostream& out) {
  std::string line = "{\"number\":" + std::to_string(letter.number);
  append_member(line, "set_aside_at", time_text(letter.set_aside_at_ms));
  append_member(line, "reason", letter.reason);
  append_member(line, "detail", letter.detail);
  line.append(",\"mutations\":[");
  for (const Mutation& mutation : letter.mutations) {
    if (line.back() == '}') line.push_back(',');
    line.append("{\"kind\":\"").append(kind_text(mutation)).append("\"");
    append_member(line, "key", mutation.key.text());
    append_member(line, "version", mutation.version.text());
    append_member(line, "content_type", mutation.value.content_type);
    line.append(",\"value_bytes\":").append(std::to_string(mutation.value.bytes.size())).append("}");
  }
  out << line << "],\"message_bytes\":" << letter.raw.size() << "}\n";
}

void print_whole(const DeadLetter& letter, std::ostream& out) {
  out << "number      " << letter.number << "\nset aside   " << time_text(letter.set_aside_at_ms) << "\nreason      "
      << letter.reason << "\ndetail      " << letter.detail << "\nmessage     " << letter.raw.size() << " bytes\n";
  for (const Mutation& mutation : letter.mutations) {
    std::string key;
    http::append_json_string(key, mutation.key.text());
    out << "  " << kind_text(mutation) << ' ' << key << "\n    version   " << mutation.version.text() << "\n    stamped   "
        << http::rfc3339(mutation.version.ms()) << '\n';
    if (mutation.kind == Mutation::Kind::remove) continue;
    out << "    value     " << mutation.value.bytes.size() << " bytes of " << mutation.value.content_type << '\n';
    if (mutation.expires_at_ms) out << "    expires   " << http::rfc3339(*mutation.expires_at_ms) << '\n';
  }
}

int list(DeadLetterBox& box, const DeadLettersRequest& request, std::ostream& out, std::ostream& err) {
  const auto letters = box.list(request.limit);
  if (!letters) {
    err << "armazem: " << letters.error().message << '\n';
    return exit_failure;
  }
  for (const DeadLetter& letter : *letters) request.json ? print_json(letter, out) : print_line(letter, out);
  if (letters->empty() && !request.json) out << "no dead letters\n";
  return 0;
}

int show(DeadLetterBox& box, const DeadLettersRequest& request, std::ostream& out, std::ostream& err) {
  const auto letters = box.list(letters_max);
  if (!letters) {
    err << "armazem: " << letters.error().message << '\n';
    return exit_failure;
  }
  int code = 0;
  for (const std::uint64_t number : request.numbers) {
    const auto found = std::ranges::find(*letters, number, &DeadLetter::number);
    if (found == letters->end()) {
      err << "armazem: there is no dead letter " << number << '\n';
      code = exit_failure;
    } else {
      print_whole(*found, out);
    }
  }
  return code;
}

// A new stamp, so that the write is not too old again; its key's newer writes would otherwise win over it.
Version fresh_stamp() {
  static const SystemTime time;
  static HybridClock clock(time);
  static RandomOpIds ops;
  return clock.stamp(ops.next());
}

// From the last to the first, because each one that goes renumbers those behind it.
int each(DeadLetterBox& box, const DeadLettersRequest& request, std::ostream& out, std::ostream& err) {
  std::vector<std::uint64_t> numbers = request.numbers;
  if (request.all) {
    const auto letters = box.list(letters_max);
    if (!letters) {
      err << "armazem: " << letters.error().message << '\n';
      return exit_failure;
    }
    for (const DeadLetter& letter : *letters) numbers.push_back(letter.number);
  } else if (numbers.empty()) {
    err << "armazem: name the letters by their numbers, or say --all\n";
    return exit_usage;
  }
  std::ranges::sort(numbers, std::greater<>());
  const auto doubles = std::ranges::unique(numbers);
  numbers.erase(doubles.begin(), doubles.end());
  int code = 0;
  for (const std::uint64_t number : numbers) {
    const bool replays = request.what == What::replay;
    const Result<void> done = replays ? box.replay(number, fresh_stamp()) : box.drop(number);
    if (done) {
      out << (replays ? "replayed " : "dropped ") << number << '\n';
    } else {
      err << "armazem: letter " << number << ": " << done.error().message << '\n';
      code = exit_failure;
    }
  }
  return code;
}

}  // namespace

int run_dead_letters(DeadLetterBox& box, const DeadLettersRequest& request, std::ostream& out, std::ostream& err) {
  switch (request.what) {
    case What::list: return list(box, request, out, err);
    case What::show: return show(box, request, out, err);
    case What::replay:
    case What::drop: return each(box, request, out, err);
  }
  return exit_usage;
}

}  // namespace armazem
