#include "simulation/shrink.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <sstream>
#include <stdexcept>

#include "simulation/run.h"

namespace armazem::sim {
namespace {

// In a process of its own: a failing run may end the process by a broken invariant.
bool fails(const Plan& plan) {
  std::fflush(stdout);
  const pid_t child = ::fork();
  if (child == 0) {
    (void)!std::freopen("/dev/null", "w", stderr);
    Coverage coverage;
    ::_exit(run(plan, coverage, false).ok ? 0 : 1);
  }
  int status = 0;
  return child > 0 && ::waitpid(child, &status, 0) == child && status != 0;
}

// Larger parts first, then single ones, until nothing more can go.
bool leave_out_what_can_go(const Plan& plan, LeftOut& left_out, std::set<std::size_t>& from, std::size_t count) {
  bool any = false;
  for (std::size_t size = count / 2 + 1; size > 0; size /= 2) {
    for (std::size_t begin = 0; begin < count; begin += size) {
      const std::set<std::size_t> before = from;
      for (std::size_t at = begin; at < std::min(count, begin + size); ++at) from.insert(at);
      if (from.size() == before.size()) continue;
      if (fails(without(plan, left_out))) {
        any = true;
      } else {
        from = before;
      }
    }
  }
  return any;
}

}  // namespace

LeftOut LeftOut::parse(const std::string& text) {
  LeftOut left_out;
  std::istringstream parts(text);
  for (std::string part; std::getline(parts, part, ',');) {
    if (part.size() < 2 || (part[0] != 'o' && part[0] != 'f')) throw std::invalid_argument("expected o3,f0 and the like: " + part);
    (part[0] == 'o' ? left_out.operations : left_out.faults).insert(std::stoul(part.substr(1)));
  }
  return left_out;
}

std::string LeftOut::text() const {
  std::string text;
  const auto add = [&](char kind, std::size_t at) { text += (text.empty() ? "" : ",") + (kind + std::to_string(at)); };
  for (const std::size_t at : operations) add('o', at);
  for (const std::size_t at : faults) add('f', at);
  return text;
}

Plan without(Plan plan, const LeftOut& left_out) {
  Plan smaller = plan;
  smaller.operations.clear();
  smaller.faults.clear();
  for (std::size_t at = 0; at < plan.operations.size(); ++at) {
    if (!left_out.operations.contains(at)) smaller.operations.push_back(plan.operations[at]);
  }
  for (std::size_t at = 0; at < plan.faults.size(); ++at) {
    if (!left_out.faults.contains(at)) smaller.faults.push_back(plan.faults[at]);
  }
  return smaller;
}

LeftOut shrink(const Plan& plan) {
  LeftOut left_out;
  bool any = true;
  while (any) {
    any = leave_out_what_can_go(plan, left_out, left_out.faults, plan.faults.size());
    any = leave_out_what_can_go(plan, left_out, left_out.operations, plan.operations.size()) || any;
  }
  return left_out;
}

}  // namespace armazem::sim
