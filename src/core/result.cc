#include "core/result.h"

namespace armazem {

std::string_view to_string(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::invalid_argument: return "invalid_argument";
    case ErrorCode::overloaded: return "overloaded";
    case ErrorCode::unavailable: return "unavailable";
    case ErrorCode::storage_full: return "storage_full";
    case ErrorCode::deadline_exceeded: return "deadline_exceeded";
    case ErrorCode::outcome_unknown: return "outcome_unknown";
    case ErrorCode::not_yet_visible: return "not_yet_visible";
    case ErrorCode::data_damaged: return "data_damaged";
    case ErrorCode::precondition: return "precondition";
    case ErrorCode::internal: return "internal";
  }
  return "internal";
}

bool Error::retryable() const noexcept {
  return code == ErrorCode::overloaded || code == ErrorCode::unavailable || code == ErrorCode::storage_full ||
         code == ErrorCode::deadline_exceeded || code == ErrorCode::not_yet_visible;
}

Error Error::with_context(std::string_view context) && {
  message.insert(0, std::string(context) + ": ");
  return std::move(*this);
}

}  // namespace armazem
