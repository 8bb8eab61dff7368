// The I/O loops of a process, each on a thread of its own. Whatever does I/O without blocking shares them: client
// connections, and the connections to the tiers that serve them, so that a request need not change threads.
//
// Thread rule: constructed and destroyed on one thread that is none of the loops; the rest from any thread.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "core/task.h"
#include "net/io_loop.h"

namespace armazem::net {

class LoopGroup {
 public:
  // Threads are named NAME-0, NAME-1, … (15 bytes at most).
  LoopGroup(const std::string& name, std::size_t count);
  // Everything that runs on the loops must have ended, or must end without help from outside.
  ~LoopGroup();
  LoopGroup(const LoopGroup&) = delete;
  LoopGroup& operator=(const LoopGroup&) = delete;

  [[nodiscard]] std::size_t size() const noexcept { return loops_.size(); }
  [[nodiscard]] IoLoop& operator[](std::size_t i) const noexcept { return *loops_[i]; }
  // Which of the loops the calling thread is; size() when it is none.
  [[nodiscard]] std::size_t index_here() const noexcept;

 private:
  std::vector<std::unique_ptr<IoLoop>> loops_;
  std::vector<std::thread> threads_;
};

// Runs `task` on that loop and blocks until it has ended. Not from a loop.
void run_to_end(IoLoop& loop, Task<void> task);

}  // namespace armazem::net
