#include "adapters/postgres/failure.h"

namespace armazem::pg {
namespace {

ErrorCode code_of(const Failure& failure) noexcept {
  switch (meaning_of(failure)) {
    case Meaning::conflict: return ErrorCode::overloaded;
    case Meaning::ambiguous:
    case Meaning::connection:
    case Meaning::other_host:
    case Meaning::timeout: return ErrorCode::unavailable;
    case Meaning::no_memory: return ErrorCode::overloaded;
    case Meaning::disk_full: return ErrorCode::storage_full;
    case Meaning::not_fit: return ErrorCode::precondition;
    case Meaning::damaged: return ErrorCode::data_damaged;
    case Meaning::bad_data:
    case Meaning::unknown: return ErrorCode::internal;
  }
  return ErrorCode::internal;
}

}  // namespace

Error to_error(const Failure& failure, std::string_view doing) {
  // Messages on data may hold some of it.
  const bool shown = meaning_of(failure) != Meaning::bad_data;
  std::string text = shown ? failure.message : "the database refuses the data";
  if (!failure.sqlstate.empty()) text += " (SQLSTATE " + failure.sqlstate + ")";
  return Error{code_of(failure), std::move(text)}.with_context(doing);
}

}  // namespace armazem::pg
