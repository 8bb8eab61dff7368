#include "simulation/campaign.h"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <new>
#include <vector>

#include "core/assert.h"
#include "simulation/plan.h"
#include "simulation/run.h"

namespace armazem::sim {
namespace {

constexpr std::uint64_t nothing = UINT64_MAX;

// What a job tells its parent, in memory that they share.
struct Board {
  std::atomic<std::uint64_t> current{nothing};  // the seed under way
  std::atomic<std::uint64_t> done{0};
  std::atomic<std::uint64_t> failed{nothing};
  std::array<char, 32> violation{};
  Coverage coverage;
};
// One for all: a seed that fails stops those that are beyond it.
struct Stop {
  std::atomic<std::uint64_t> beyond{nothing};
};

void run_job(const Campaign& campaign, unsigned job, Board& board, const Stop& stop) {
  for (std::uint64_t i = job; i < campaign.seeds; i += campaign.jobs) {
    const std::uint64_t seed = campaign.first + i;
    if (seed > stop.beyond) break;
    board.current = seed;
    const RunResult result = run(make_plan(seed, campaign.size), board.coverage, false);
    board.done.fetch_add(1, std::memory_order_relaxed);
    if (result.ok) continue;
    std::strncpy(board.violation.data(), result.violation.c_str(), board.violation.size() - 1);
    board.failed = seed;
    break;
  }
  board.current = nothing;
}

void say_progress(const Campaign& campaign, std::uint64_t done, double seconds, bool terminal) {
  const double rate = seconds > 0 ? static_cast<double>(done) / seconds : 0;
  const double left = rate > 0 ? static_cast<double>(campaign.seeds - done) / rate : 0;
  std::fprintf(stderr, "%s%llu of %llu seeds, %.0f a minute, %.0f s left%s", terminal ? "\r" : "", static_cast<unsigned long long>(done),
               static_cast<unsigned long long>(campaign.seeds), rate * 60, left, terminal ? "   " : "\n");
}

template <class T>
T* share(std::size_t count) {
  void* const memory = ::mmap(nullptr, sizeof(T) * count, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  ARMAZEM_ASSERT(memory != MAP_FAILED);
  T* const all = static_cast<T*>(memory);
  for (std::size_t i = 0; i < count; ++i) new (all + i) T();
  return all;
}

}  // namespace

CampaignResult run_campaign(const Campaign& campaign) {
  Board* const boards = share<Board>(campaign.jobs);
  Stop* const stop = share<Stop>(1);
  std::fflush(nullptr);
  std::vector<pid_t> children;
  for (unsigned job = 0; job < campaign.jobs; ++job) {
    const pid_t child = ::fork();
    ARMAZEM_ASSERT(child >= 0);
    if (child == 0) {
      run_job(campaign, job, boards[job], *stop);
      std::fflush(nullptr);
      ::_exit(0);
    }
    children.push_back(child);
  }

  const bool terminal = ::isatty(STDERR_FILENO) == 1;
  const auto begin = std::chrono::steady_clock::now();
  const auto passed = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count(); };
  CampaignResult result;
  double said = 0;
  std::size_t left = children.size();
  while (left > 0) {
    ::usleep(50'000);
    for (unsigned job = 0; job < campaign.jobs; ++job) {
      int status = 0;
      if (children[job] != 0 && ::waitpid(children[job], &status, WNOHANG) == children[job]) {
        children[job] = 0;
        --left;
        // It ended in the middle of a run: an invariant of the code was broken.
        if (status != 0 && boards[job].failed == nothing) {
          std::strncpy(boards[job].violation.data(), "broken-invariant", boards[job].violation.size() - 1);
          boards[job].failed = boards[job].current.load();
        }
      }
      stop->beyond = std::min(stop->beyond.load(), boards[job].failed.load());
    }
    result.done = 0;
    for (unsigned job = 0; job < campaign.jobs; ++job) result.done += boards[job].done;
    result.seconds = passed();
    if (campaign.progress && result.seconds - said > (terminal ? 0.5 : 15)) {
      say_progress(campaign, result.done, result.seconds, terminal);
      said = result.seconds;
    }
  }
  if (campaign.progress && terminal) std::fputs("\n", stderr);
  for (unsigned job = 0; job < campaign.jobs; ++job) {
    result.coverage.add(boards[job].coverage);
    const std::uint64_t seed = boards[job].failed;
    if (seed == nothing || (result.failure && result.failure->seed < seed)) continue;
    result.failure = Failure{seed, boards[job].violation.data()};
  }
  ::munmap(boards, sizeof(Board) * campaign.jobs);
  ::munmap(stop, sizeof(Stop));
  return result;
}

}  // namespace armazem::sim
