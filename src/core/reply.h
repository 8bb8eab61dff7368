// What a worker tells the server whose client waits: one per mutation of a message.
#pragma once

#include "core/apply.h"
#include "core/version.h"

namespace armazem {

struct Reply {
  Version sent;     // of the mutation as it stood in the message
  Outcome outcome;  // how the store decided it, durable

  friend bool operator==(const Reply&, const Reply&) = default;
};

}  // namespace armazem
