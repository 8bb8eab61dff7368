// Short ways to write mutations in tests.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "core/mutation.h"

namespace armazem::test {

inline Key key(std::string text) { return Key::parse(std::move(text)).value(); }

// Versions in tests count from here, so that they look like real ones and stay small in the text of a test.
inline constexpr std::uint64_t epoch_ms = 1'700'000'000'000;

inline Version version(std::uint64_t ms, std::uint64_t op) {
  return Version::make(Tick::from_ms(epoch_ms + ms), OpId(op));
}

// op 0: the same number as the milliseconds, which is enough where every write has its own.
inline Mutation put(std::string name, std::string bytes, std::uint64_t ms, std::uint64_t op = 0) {
  Value value{std::move(bytes), "text/plain; charset=utf-8", ValueForm::text};
  return {Mutation::Kind::put, key(std::move(name)), std::move(value), version(ms, op == 0 ? ms : op), {}, {}};
}

inline Mutation remove(std::string name, std::uint64_t ms, std::uint64_t op = 0) {
  return {Mutation::Kind::remove, key(std::move(name)), {}, version(ms, op == 0 ? ms : op), {}, {}};
}

inline Mutation with(Mutation mutation, Condition::Kind kind, Version wanted = {}) {
  mutation.condition = {kind, wanted};
  return mutation;
}

inline Mutation expiring(Mutation mutation, std::uint64_t at_ms) {
  mutation.expires_at_ms = epoch_ms + at_ms;
  return mutation;
}

}  // namespace armazem::test
