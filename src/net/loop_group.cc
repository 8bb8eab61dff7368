#include "net/loop_group.h"

#include <pthread.h>

#include <latch>

#include "core/assert.h"
#include "core/task_scope.h"

namespace armazem::net {

LoopGroup::LoopGroup(const std::string& name, std::size_t count) {
  ARMAZEM_ASSERT(count > 0);
  for (std::size_t i = 0; i < count; ++i) loops_.push_back(std::make_unique<IoLoop>());
  for (std::size_t i = 0; i < count; ++i) {
    threads_.emplace_back([&loop = *loops_[i]] { loop.run(); });
    pthread_setname_np(threads_.back().native_handle(), (name + "-" + std::to_string(i)).substr(0, 15).c_str());
  }
}

LoopGroup::~LoopGroup() {
  for (const auto& loop : loops_) loop->finish();
  for (std::thread& thread : threads_) thread.join();
}

std::size_t LoopGroup::index_here() const noexcept {
  for (std::size_t i = 0; i < loops_.size(); ++i) {
    if (loops_[i]->running_here()) return i;
  }
  return loops_.size();
}

void run_to_end(IoLoop& loop, Task<void> task) {
  ARMAZEM_ASSERT(!loop.running_here());
  // Shared, because the loop may look at it a moment longer than we do.
  const auto ended = std::make_shared<std::latch>(1);
  const auto root = [](IoLoop& home, Task<void> work, std::shared_ptr<std::latch> done) -> Task<void> {
    co_await resume_on(home);
    {
      Task<void> gone_before_the_latch = std::move(work);
      co_await std::move(gone_before_the_latch);
    }
    done->count_down();
  };
  start_root(loop, root(loop, std::move(task), ended));
  ended->wait();
}

}  // namespace armazem::net
