// A failure as an error of ours.
#pragma once

#include "adapters/postgres/connection.h"
#include "adapters/postgres/sqlstate.h"

namespace armazem::pg {

// A lost connection means that, whatever the server said last.
[[nodiscard]] inline Meaning meaning_of(const Failure& failure) noexcept {
  const Meaning said = meaning_of(failure.sqlstate);
  return failure.lost && said != Meaning::other_host ? Meaning::connection : said;
}

// For a call that certainly had no effect.
[[nodiscard]] Error to_error(const Failure& failure, std::string_view doing);

}  // namespace armazem::pg
