// The driver's status, translated once, at the adapter's edge.
#pragma once

#include <rocksdb/status.h>

#include <string_view>

#include "core/result.h"

namespace armazem::rocks {

// For reads and for writes that are known to have had no effect. `doing` is put in front of the driver's own text.
[[nodiscard]] Error to_error(const rocksdb::Status& status, std::string_view doing);

}  // namespace armazem::rocks
