#pragma once

#include "app/service_metrics.h"

namespace armazem {

class KeyRing;
namespace http {
class Access;
}

// `keys` is nullptr when there are none.
void add_access_metrics(const http::Access& access, const KeyRing* keys, Families& all);

}  // namespace armazem
