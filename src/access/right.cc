#include "access/right.h"

#include <algorithm>

namespace armazem {

std::string_view to_string(Right right) noexcept {
  constexpr std::array<std::string_view, all_rights.size()> names{"read", "write", "delete", "admin"};
  return names[static_cast<std::size_t>(right)];
}

Result<Rights> Rights::parse(std::string_view text) {
  Rights rights;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    const std::string_view name = text.substr(begin, end - begin);
    const auto* const found = std::ranges::find(all_rights, name, [](Right right) { return to_string(right); });
    if (found == all_rights.end()) {
      return fail(ErrorCode::invalid_argument,
                  "'" + std::string(name) + "' is no right; they are read, write, delete and admin");
    }
    if (rights.has(*found))
      return fail(ErrorCode::invalid_argument, "the right '" + std::string(name) + "' stands twice");
    rights.add(*found);
    begin = end + 1;
  }
  return rights;
}

std::string Rights::text() const {
  std::string names;
  for (const Right right : all_rights) {
    if (has(right)) names.append(names.empty() ? "" : ",").append(to_string(right));
  }
  return names;
}

}  // namespace armazem
