// Runs blocking work on another executor and comes back to the caller's.
#pragma once

#include <exception>
#include <optional>

#include "core/task.h"

namespace armazem::rocks {

// An exception comes back too: left to travel by itself, it would resume the awaiter on the wrong thread.
template <class Work>
auto run_on(Executor& there, Work work) -> Task<decltype(work())> {
  Executor& home = co_await this_executor();
  co_await resume_on(there);
  std::optional<decltype(work())> result;
  std::exception_ptr thrown;
  try {
    result.emplace(work());
  } catch (...) {
    thrown = std::current_exception();
  }
  co_await resume_on(home);
  if (thrown) std::rethrow_exception(thrown);
  co_return std::move(*result);
}

}  // namespace armazem::rocks
