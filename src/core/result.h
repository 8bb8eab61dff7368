// The one error type. A Result cannot be dropped; absence is std::optional, never an error.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace armazem {

enum class ErrorCode {
  invalid_argument,   // the caller's input; nothing was done
  overloaded,         // a bound was reached before anything was done
  unavailable,        // a tier is down or closing; nothing was done
  storage_full,       // no room on disk; nothing was done
  deadline_exceeded,  // time ran out before anything was done
  outcome_unknown,    // a write may or may not take effect
  not_yet_visible,    // a version that was asked for has not arrived; nothing was done
  data_damaged,       // stored bytes fail their checks
  precondition,       // the environment is not fit: locked, newer format, wrong directory
  internal,           // a defect of ours
};

[[nodiscard]] std::string_view to_string(ErrorCode code) noexcept;

// Owns its text. `message` is for people and is safe to show to a client: it never holds a value.
struct Error {
  ErrorCode code = ErrorCode::internal;
  std::string message;

  // True when the same request may simply be sent again. An unknown outcome is only safe with the same idempotency key.
  [[nodiscard]] bool retryable() const noexcept;
  // Adds context in front: "opening ./data: lock is held".
  [[nodiscard]] Error with_context(std::string_view context) &&;
};

template <class T>
class [[nodiscard]] Result : public tl::expected<T, Error> {
 public:
  using tl::expected<T, Error>::expected;
};

[[nodiscard]] inline tl::unexpected<Error> fail(ErrorCode code, std::string message) {
  return tl::unexpected<Error>(Error{code, std::move(message)});
}
[[nodiscard]] inline tl::unexpected<Error> fail(Error error) { return tl::unexpected<Error>(std::move(error)); }

}  // namespace armazem
