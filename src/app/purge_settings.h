#pragma once

#include "app/settings.h"
#include "service/purger.h"

namespace armazem {

[[nodiscard]] inline PurgeOptions purge_options(const Settings& settings) {
  PurgeOptions options;
  options.retention = settings.retention;
  options.interval = settings.purge_interval;
  return options;
}

}  // namespace armazem
