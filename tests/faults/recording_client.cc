#include "faults/recording_client.h"

#include <charconv>
#include <thread>

namespace armazem::faults {
namespace {

using checker::Event;
using checker::Kind;
using checker::Level;
using checker::Outcome;

// Longer than our servers take for any answer (--store-timeout 10 s) but not than a proxy that hangs.
constexpr std::chrono::seconds patience{12};
constexpr int attempts_max = 4;
constexpr std::size_t tokens_max = 2000;

std::string body_of(std::uint32_t key, std::uint64_t value, std::size_t padding) {
  return "k" + std::to_string(key) + "/" + std::to_string(value) + "/" + std::string(padding, '.');
}

std::string request_of(std::string_view method, const std::string& target, const std::string& headers,
                       const std::string& body) {
  std::string out = std::string(method) + " " + target + " HTTP/1.1\r\nHost: 127.0.0.1\r\n" + headers;
  if (method == "PUT") out += "Content-Type: text/plain\r\nContent-Length: " + std::to_string(body.size()) + "\r\n";
  return out + "\r\n" + body;
}

// 504: {"operation":"/operations/VERSION?key=…"}
Version operation_in(const std::string& body) {
  constexpr std::string_view before = "/operations/";
  const auto at = body.find(before);
  return at == std::string::npos ? Version()
                                 : version_in(std::string_view(body).substr(at + before.size(), Version::text_size));
}

}  // namespace

std::uint64_t value_in(std::string_view body, std::uint32_t key) {
  const std::string start = "k" + std::to_string(key) + "/";
  std::uint64_t value = 0;
  if (!body.starts_with(start)) return foreign_value;
  const auto [end, error] = std::from_chars(body.data() + start.size(), body.data() + body.size(), value);
  return error == std::errc() && end != body.data() + body.size() && *end == '/' ? value : foreign_value;
}

Version version_in(std::string_view text) { return Version::parse(text).value_or(Version()); }

RecordingClient::RecordingClient(Run& run, std::uint32_t number, std::uint16_t port, std::uint64_t seed)
    : run_(run), id_(number), random_(seed * 1000 + number), connection_(port, patience) {}

void RecordingClient::work() {
  auto next = std::chrono::steady_clock::now();
  while (!run_.stopping) {
    one_operation();
    next +=
        run_.pause / 2 + std::chrono::microseconds(
                             run_.pause.count() == 0 ? 0 : random_() % static_cast<std::uint64_t>(run_.pause.count()));
    const auto now = std::chrono::steady_clock::now();
    if (next < now) {
      next = now;  // what was missed while nobody answered is not made up for
    } else {
      std::this_thread::sleep_until(next);
    }
  }
}

void RecordingClient::one_operation() {
  const Lease lease = run_.pool.take(random_, chance(35));
  if (lease.may_write) return write(lease);
  read(lease);
}

void RecordingClient::read(const Lease& lease) {
  Event event;
  event.client = id_;
  event.key = lease.key;
  event.kind = Kind::get;
  std::string headers;
  const std::uint64_t share = random_() % 100;
  if (share < 35) {
    event.level = Level::strong;
    headers = "Cache-Control: no-cache\r\n";
  } else if (const auto token = tokens_.find(lease.key); share < 65 && token != tokens_.end()) {
    event.level = Level::session;
    event.min_version = token->second;
    headers = "Armazem-Min-Version: " + token->second.text() + "\r\n";
  } else {
    event.level = Level::cached;
  }
  const std::string request = request_of("GET", run_.path_of(lease.key) + "?raw", headers, "");
  event.invoked_us = run_.now_us();
  const HttpAnswer answer = connection_.ask(request);
  event.returned_us = run_.now_us();
  event.status = static_cast<std::uint16_t>(answer.status);
  event.outcome = answer.status == 200 || answer.status == 404 ? Outcome::ok : Outcome::failed;
  if (answer.status == 200) {
    event.value = value_in(answer.body, lease.key);
    event.version = version_in(answer.version);
  }
  note(event, lease, {});
}

void RecordingClient::write(const Lease& lease) {
  Event event;
  event.client = id_;
  event.key = lease.key;
  event.value = run_.next_value++;
  event.kind = chance(18) ? Kind::remove : Kind::put;
  const std::string request = write_request(event, lease);
  if (event.kind == Kind::remove) event.value = 0;
  event.invoked_us = run_.now_us();
  Version operation;
  if (lease.use != KeyUse::retry && random_() % 500 == 0) {
    connection_.ask_and_leave(request);
    event.outcome = Outcome::unknown;
  } else {
    operation = attempt_all(event, request, lease.use == KeyUse::retry);
  }
  note(event, lease, operation);
}

std::string RecordingClient::write_request(Event& event, const Lease& lease) {
  std::string headers;
  if (lease.use == KeyUse::retry) {
    headers = "Idempotency-Key: " + run_.key_prefix + std::to_string(event.value) + "\r\n";
  } else if (chance(25)) {
    add_condition(event, lease, headers);
  }
  if (!event.conditional && chance(4)) headers += "Prefer: respond-async\r\n";
  else if (chance(4)) headers += "Prefer: wait=1\r\n";
  const std::size_t padding = chance(5) ? random_() % 20'000 : random_() % 100;
  const std::string body = event.kind == Kind::put ? body_of(lease.key, event.value, padding) : "";
  return request_of(event.kind == Kind::put ? "PUT" : "DELETE", run_.path_of(lease.key), headers, body);
}

void RecordingClient::add_condition(Event& event, const Lease& lease, std::string& headers) {
  event.conditional = true;
  const std::uint64_t share = random_() % 100;
  if (lease.newest.is_nil() || share < 35) {
    event.if_none_match = true;
    headers += "If-None-Match: *\r\n";
  } else if (share < 45) {
    headers += "If-Match: *\r\n";
  } else {
    event.if_match = lease.newest;
    headers += "If-Match: \"" + lease.newest.text() + "\"\r\n";
  }
}

Version RecordingClient::attempt_all(Event& event, const std::string& request, bool may_repeat) {
  bool any_unknown = false;
  Version operation;
  for (int attempt = 1;; ++attempt) {
    const HttpAnswer answer = connection_.ask(request);
    event.returned_us = run_.now_us();
    event.status = static_cast<std::uint16_t>(answer.status);
    const bool nothing_to_delete = answer.status == 404 && event.kind == Kind::remove;
    if (answer.status == 200 || answer.status == 201 || answer.status == 204 || nothing_to_delete) {
      event.outcome = Outcome::ok;
      event.version = version_in(answer.version);
      return {};
    }
    if (answer.status == 202) {
      event.outcome = Outcome::accepted;
      operation = version_in(answer.version);
      if (!any_unknown) event.version = operation;  // else it may have any of several stamps
      return operation;
    }
    const bool no_effect = !answer.was_sent || (answer.status >= 400 && answer.status < 500) || answer.status == 503;
    if (!no_effect) {
      any_unknown = true;
      if (const Version named = operation_in(answer.body); !named.is_nil()) operation = named;
    }
    event.outcome = any_unknown ? Outcome::unknown : Outcome::failed;
    if (answer.status == 412 && !any_unknown) event.version = version_in(answer.version);
    const bool again =
        may_repeat && attempt < attempts_max && !run_.stopping && (answer.status < 400 || answer.status >= 500);
    if (!again) return operation;
    std::this_thread::sleep_for(std::chrono::milliseconds(50 + random_() % 450));
  }
}

void RecordingClient::note(Event& event, const Lease& lease, const Version& operation) {
  if (event.outcome == Outcome::unknown) event.returned_us = checker::never_returned;
  run_.files.add(event, operation);
  if (event.outcome == Outcome::unknown || event.outcome == Outcome::accepted) run_.pool.became_unknown(lease);
  if (event.outcome == Outcome::unknown)
    id_ += run_.clients;  // for checkers to whom a client has one operation at a time
  if (event.version.is_nil() || (event.outcome == Outcome::accepted && !chance(30))) return;
  run_.pool.saw(lease, event.version);
  if (tokens_.size() >= tokens_max) tokens_.clear();
  Version& token = tokens_[lease.key];
  if (token < event.version) token = event.version;
}

}  // namespace armazem::faults
