#include "access/key_ring.h"

#include <utility>

namespace armazem {

Result<std::unique_ptr<KeyRing>> KeyRing::open(std::string path) {
  std::unique_ptr<KeyRing> ring(new KeyRing(std::move(path)));
  if (auto done = ring->read_again(); !done) return fail(std::move(done.error()));
  return ring;
}

std::shared_ptr<const KeyRing::Keys> KeyRing::keys() const {
  MutexLock lock(mutex_);
  return keys_;
}

KeyRing::Found KeyRing::find(const KeyText& given, std::uint64_t now_ms) const {
  const SecretDigest digest = digest_of(given.secret);
  const auto all = keys();
  const auto found = all->find(given.id);
  // An unknown id is compared, too: with a digest that no secret is known to have.
  const SecretDigest expected = found == all->end() ? SecretDigest{} : found->second->digest;
  const bool same = equal_in_constant_time(digest, expected);
  if (!same || found == all->end()) return {};
  const std::shared_ptr<const ApiKey>& key = found->second;
  if (key->revoked_at_ms) return {Verdict::revoked, key};
  if (key->expired(now_ms)) return {Verdict::expired, key};
  return {Verdict::accepted, key};
}

std::shared_ptr<const ApiKey> KeyRing::renew(const ApiKey& old, std::uint64_t now_ms) const {
  const auto all = keys();
  const auto found = all->find(old.id);
  if (found == all->end()) return nullptr;
  const ApiKey& key = *found->second;
  const bool good = !key.revoked_at_ms && !key.expired(now_ms) && key.digest == old.digest;
  return good ? found->second : nullptr;
}

bool KeyRing::knows(std::string_view id) const {
  const auto all = keys();
  return all->find(id) != all->end();
}

Result<void> KeyRing::read_again() {
  Result<KeyFile> file = read_key_file(path_);
  if (!file) return fail(std::move(file.error()));
  auto fresh = std::make_shared<Keys>();
  for (ApiKey& key : file->keys) {
    std::string id = key.id;
    fresh->emplace(std::move(id), std::make_shared<const ApiKey>(std::move(key)));
  }
  mark_ = file->mark;
  count_.store(fresh->size(), std::memory_order_relaxed);
  MutexLock lock(mutex_);
  keys_ = std::move(fresh);
  return {};
}

Result<void> KeyRing::reload() {
  // Marked first: what was refused is not read again every second.
  const Result<FileMark> seen = mark_of(path_);
  mark_ = seen ? *seen : FileMark{};
  Result<void> done = read_again();
  broken_.store(!done, std::memory_order_relaxed);
  (done ? reloads_ : failures_).fetch_add(1, std::memory_order_relaxed);
  return done;
}

Result<bool> KeyRing::reload_if_changed() {
  const Result<FileMark> seen = mark_of(path_);
  const FileMark mark = seen ? *seen : FileMark{};
  if (mark == mark_) return false;
  if (auto done = reload(); !done) return fail(std::move(done.error()));
  return true;
}

KeyRing::Figures KeyRing::figures() const noexcept {
  return {count_.load(std::memory_order_relaxed), reloads_.load(std::memory_order_relaxed),
          failures_.load(std::memory_order_relaxed), broken_.load(std::memory_order_relaxed)};
}

}  // namespace armazem
