// The pages and documents that the server carries inside its binary: the dashboard, openapi.json, Swagger UI.
// Everything here is constant and lives as long as the program; any thread may read it.
#pragma once

#include <span>
#include <string_view>

namespace armazem::web {

struct Asset {
  std::string_view path;          // as served, e.g. "/ui/dashboard.js"
  std::string_view content_type;  // value of the header
  std::string_view etag;          // quotes included; of the content, so the same for both forms
  std::string_view plain;         // empty when only the gzip form is held (files over 16 KiB, save openapi.json)
  std::string_view gzip;          // RFC 1952; never empty
};

// Null when nothing is served at this path. The path is compared as it is: no query, no decoding.
[[nodiscard]] const Asset* find_asset(std::string_view path) noexcept;

// Implemented by the source that web/cmake/embed.cmake generates.
[[nodiscard]] std::span<const Asset> all_assets() noexcept;

}  // namespace armazem::web
