#pragma once

#include <string>
#include <string_view>

namespace armazem::http {

// Unpacks a gzip file that was made at build time; for the rare client that does not understand gzip.
[[nodiscard]] std::string gunzip(std::string_view packed);

}  // namespace armazem::http
