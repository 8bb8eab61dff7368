#include "app/keys_command.h"

#include <algorithm>
#include <filesystem>
#include <ostream>
#include <utility>

#include "access/key_file.h"
#include "app/setting_values.h"
#include "core/utf8.h"
#include "http/http_date.h"
#include "http/json_text.h"

namespace armazem {
namespace {

constexpr std::chrono::hours day{24};
constexpr std::uint64_t days_max = 36'500;

// "90d", or a duration as in settings.
Result<std::chrono::milliseconds> parse_life(std::string_view text) {
  if (!text.ends_with('d')) {
    Result<std::chrono::milliseconds> span = parse_duration(text);
    if (span && span->count() > 0) return span;
    return fail(ErrorCode::invalid_argument, "--expires: '" + std::string(text) + "' is no time to live; write for example 90d, 24h or 10m");
  }
  const Result<std::uint64_t> days = parse_number(text.substr(0, text.size() - 1), 1, days_max);
  if (!days) return fail(Error(days.error()).with_context("--expires, in days"));
  return std::chrono::milliseconds(day) * static_cast<std::int64_t>(*days);
}

Result<std::vector<Scope>> scopes_of(const KeysRequest& request) {
  std::vector<Scope> scopes;
  const auto add = [&](Result<Scope> scope) -> Result<void> {
    if (!scope) return fail(std::move(scope.error()));
    scopes.push_back(std::move(*scope));
    return {};
  };
  if (!request.allow.empty()) {
    const Result<Rights> rights = Rights::parse(request.allow);
    if (!rights) return fail(Error(rights.error()).with_context("--allow"));
    if (auto done = add(Scope::make(*rights, request.prefix)); !done) return fail(std::move(done.error()));
  } else if (!request.prefix.empty()) {
    return fail(ErrorCode::invalid_argument, "--prefix needs --allow: which rights under it?");
  }
  for (const std::string& text : request.scopes) {
    if (auto done = add(Scope::parse(text)); !done) return fail(std::move(done.error()).with_context("--scope"));
  }
  if (scopes.empty()) return fail(ErrorCode::invalid_argument, "a key needs rights: --allow read,write [--prefix orders/], or --scope");
  if (scopes.size() > key_scopes_max) return fail(ErrorCode::invalid_argument, "a key has at most 32 scopes");
  return scopes;
}

Result<void> check_note(const std::string& note) {
  const bool plain = std::ranges::none_of(note, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
  if (note.size() <= key_note_bytes_max && plain && is_utf8(note)) return {};
  return fail(ErrorCode::invalid_argument, "--note must be one line of text of at most 200 bytes");
}

Result<NewKey> make_key(const KeysRequest& request, std::uint64_t now) {
  Result<std::vector<Scope>> scopes = scopes_of(request);
  if (!scopes) return fail(std::move(scopes.error()));
  if (auto done = check_note(request.note); !done) return fail(std::move(done.error()));
  NewKey made = new_key(std::move(*scopes), now);
  made.key.note = request.note;
  if (request.expires.empty()) return made;
  const Result<std::chrono::milliseconds> life = parse_life(request.expires);
  if (!life) return fail(life.error());
  made.key.expires_at_ms = now + static_cast<std::uint64_t>(life->count());
  return made;
}

Result<std::vector<ApiKey>> load(const std::string& file) {
  Result<KeyFile> content = read_key_file(file);
  if (!content) return fail(std::move(content.error()));
  return std::move(content->keys);
}

Result<void> create(const std::string& file, const KeysRequest& request, std::uint64_t now, std::ostream& out) {
  const Result<NewKey> made = make_key(request, now);
  if (!made) return fail(made.error());
  const Result<KeyFileLock> lock = KeyFileLock::take(file);
  if (!lock) return fail(lock.error());
  std::vector<ApiKey> keys;
  if (std::filesystem::exists(file)) {
    Result<std::vector<ApiKey>> old = load(file);
    if (!old) return fail(std::move(old.error()));
    keys = std::move(*old);
  }
  if (keys.size() >= keys_max) return fail(ErrorCode::storage_full, file + " is full: remove lines of keys that are long revoked");
  keys.push_back(made->key);
  if (auto done = write_key_file(file, keys); !done) return done;
  out << made->text << '\n';
  return {};
}

Result<void> revoke(const std::string& file, const KeysRequest& request, std::uint64_t now, std::ostream& err) {
  const Result<KeyFileLock> lock = KeyFileLock::take(file);
  if (!lock) return fail(lock.error());
  Result<std::vector<ApiKey>> keys = load(file);
  if (!keys) return fail(std::move(keys.error()));
  for (const std::string& id : request.ids) {
    const auto found = std::ranges::find(*keys, id, &ApiKey::id);
    // What was given may be a whole key, by mistake: not repeated.
    if (found == keys->end()) return fail(ErrorCode::invalid_argument, "there is no key with " + (is_key_id(id) ? "the id " + id : std::string("that id; an id is the part before the dot")) + "; nothing was revoked");
    if (!found->revoked_at_ms) found->revoked_at_ms = now;
  }
  if (auto done = write_key_file(file, *keys); !done) return done;
  for (const std::string& id : request.ids) err << "revoked " << id << "; servers notice within two seconds\n";
  return {};
}

std::string_view state_of(const ApiKey& key, std::uint64_t now) {
  if (key.revoked_at_ms) return "revoked";
  return key.expired(now) ? "expired" : "active";
}

void append_member(std::string& to, std::string_view name, std::string_view text) {
  to.append(",\"").append(name).append("\":");
  http::append_json_string(to, text);
}

std::string as_json(const ApiKey& key, std::uint64_t now) {
  std::string line = "{\"id\":\"" + key.id + "\"";
  append_member(line, "state", state_of(key, now));
  line.append(",\"scopes\":[");
  for (const Scope& scope : key.scopes) {
    if (line.back() == '"') line.push_back(',');
    http::append_json_string(line, scope.text());
  }
  line.push_back(']');
  append_member(line, "created_at", http::rfc3339(key.created_at_ms));
  if (key.expires_at_ms) append_member(line, "expires_at", http::rfc3339(*key.expires_at_ms));
  if (key.revoked_at_ms) append_member(line, "revoked_at", http::rfc3339(*key.revoked_at_ms));
  if (!key.note.empty()) append_member(line, "note", key.note);
  return line + "}\n";
}

// Scopes are quoted: a prefix may hold blanks and control characters.
std::string as_line(const ApiKey& key, std::uint64_t now) {
  std::string line = key.id + "  " + std::string(state_of(key, now)) + (key.revoked_at_ms || key.expired(now) ? "  " : "   ");
  line.append(key.expires_at_ms ? "expires " + http::rfc3339(*key.expires_at_ms) : "never expires");
  for (const Scope& scope : key.scopes) {
    line.append("  ");
    http::append_json_string(line, scope.text());
  }
  if (!key.note.empty()) line.append("  ").append(key.note);
  return line + "\n";
}

Result<void> list(const std::string& file, const KeysRequest& request, std::uint64_t now, std::ostream& out, std::ostream& err) {
  const Result<std::vector<ApiKey>> keys = load(file);
  if (!keys) return fail(keys.error());
  for (const ApiKey& key : *keys) out << (request.json ? as_json(key, now) : as_line(key, now));
  if (keys->empty() && !request.json) err << "no keys\n";
  return {};
}

}  // namespace

int run_keys(const std::string& file, const KeysRequest& request, const TimeSource& time, std::ostream& out, std::ostream& err) {
  using What = KeysRequest::What;
  if (file.empty()) {
    err << "armazem: which file? Say --keys FILE, ARMAZEM_KEYS=FILE, or keys = \"FILE\" in the configuration file\n";
    return exit_usage;
  }
  Result<void> done;
  switch (request.what) {
    case What::create: done = create(file, request, time.wall_ms(), out); break;
    case What::list: done = list(file, request, time.wall_ms(), out, err); break;
    case What::revoke: done = revoke(file, request, time.wall_ms(), err); break;
  }
  if (done) return 0;
  err << "armazem: " << done.error().message << '\n';
  return done.error().code == ErrorCode::invalid_argument ? exit_usage : exit_failure;
}

}  // namespace armazem
