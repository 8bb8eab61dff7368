#include "adapters/rocksdb/status.h"

namespace armazem::rocks {
namespace {

ErrorCode code_of(const rocksdb::Status& status) noexcept {
  // A table that is gone is damage, not an outage: trying again does not bring it back.
  if (status.IsCorruption() || status.IsPathNotFound()) return ErrorCode::data_damaged;
  if (status.IsNoSpace() || status.subcode() == rocksdb::Status::kSpaceLimit) return ErrorCode::storage_full;
  if (status.IsIOError() || status.IsShutdownInProgress() || status.IsBusy() || status.IsTryAgain() ||
      status.IsTimedOut() || status.IsAborted()) {
    return ErrorCode::unavailable;
  }
  return ErrorCode::internal;
}

}  // namespace

Error to_error(const rocksdb::Status& status, std::string_view doing) {
  return Error{code_of(status), status.ToString()}.with_context(doing);
}

}  // namespace armazem::rocks
