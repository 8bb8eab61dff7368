// One running worker: the tiers, the worker's lanes, purge, and a port for health and metrics.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>

#include "app/settings.h"
#include "core/result.h"

namespace armazem {

class WorkerNode {
 public:
  // Listens and works when it returns. Errors say what to do.
  static Result<std::unique_ptr<WorkerNode>> start(const Settings& settings);
  WorkerNode(const WorkerNode&) = delete;
  WorkerNode& operator=(const WorkerNode&) = delete;
  // Stops if that has not been done.
  ~WorkerNode();

  [[nodiscard]] std::uint16_t port() const noexcept;

  // Takes no more messages, finishes the batches under way, gives the rest back to the queue.
  void stop();

 private:
  struct Parts;
  explicit WorkerNode(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace armazem
