// Which build this is. Written by CMake.
#pragma once

#include <string_view>

namespace armazem::build {

extern const std::string_view version;  // "0.1.0"
extern const std::string_view commit;   // short hash, "unknown" outside a checkout; "+" behind it when files were changed

}  // namespace armazem::build
