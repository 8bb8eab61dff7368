#include "adapters/postgres/sqlstate.h"

#include <array>
#include <utility>

namespace armazem::pg {
namespace {

using Rule = std::pair<std::string_view, Meaning>;

// The first that the state begins with.
constexpr std::array rules = {
    Rule{"40003", Meaning::ambiguous},  Rule{"40", Meaning::conflict},      Rule{"23505", Meaning::conflict},
    Rule{"CR000", Meaning::conflict},   Rule{"57014", Meaning::timeout},    Rule{"57P", Meaning::other_host},
    Rule{"25006", Meaning::other_host}, Rule{"25P03", Meaning::connection}, Rule{"53100", Meaning::disk_full},
    Rule{"53200", Meaning::no_memory},  Rule{"53", Meaning::other_host},    Rule{"08", Meaning::connection},
    Rule{"26", Meaning::connection},    Rule{"0A", Meaning::connection},    Rule{"21", Meaning::bad_data},
    Rule{"22", Meaning::bad_data},      Rule{"23", Meaning::bad_data},      Rule{"54", Meaning::bad_data},
    Rule{"28", Meaning::not_fit},       Rule{"3D", Meaning::not_fit},       Rule{"3F", Meaning::not_fit},
    Rule{"42", Meaning::not_fit},       Rule{"XX001", Meaning::damaged},    Rule{"XX002", Meaning::damaged}};

}  // namespace

Meaning meaning_of(std::string_view sqlstate) noexcept {
  for (const auto& [prefix, meaning] : rules) {
    if (sqlstate.starts_with(prefix)) return meaning;
  }
  return Meaning::unknown;
}

std::string_view to_string(Meaning meaning) noexcept {
  switch (meaning) {
    case Meaning::conflict: return "conflict";
    case Meaning::ambiguous: return "ambiguous";
    case Meaning::connection: return "connection";
    case Meaning::other_host: return "other_host";
    case Meaning::timeout: return "timeout";
    case Meaning::no_memory: return "no_memory";
    case Meaning::disk_full: return "disk_full";
    case Meaning::bad_data: return "bad_data";
    case Meaning::not_fit: return "not_fit";
    case Meaning::damaged: return "damaged";
    case Meaning::unknown: return "unknown";
  }
  return "unknown";
}

}  // namespace armazem::pg
