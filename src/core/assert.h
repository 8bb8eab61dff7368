// Invariants that stay checked in release builds: a broken one ends the process before it can acknowledge a wrong write.
#pragma once

#include <cstdio>
#include <cstdlib>

#define ARMAZEM_ASSERT(condition)                                                                                 \
  do {                                                                                                            \
    if (!(condition)) [[unlikely]] {                                                                              \
      std::fprintf(stderr, "armazem: broken invariant: %s (%s:%d)\n", #condition, __FILE__, __LINE__);            \
      std::abort();                                                                                               \
    }                                                                                                             \
  } while (false)
