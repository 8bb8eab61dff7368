#include "web/assets.h"

#include <algorithm>

namespace armazem::web {

// About twenty assets: a search from the front is as fast as any table.
const Asset* find_asset(std::string_view path) noexcept {
  const auto assets = all_assets();
  const auto found = std::ranges::find(assets, path, &Asset::path);
  return found == assets.end() ? nullptr : &*found;
}

}  // namespace armazem::web
