// One running server: every part, put together in the order in which they need each other, ended in the reverse order.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>

#include "app/settings.h"
#include "core/result.h"

namespace armazem {

class Node {
 public:
  // Opens the store and listens. Errors say what to do.
  static Result<std::unique_ptr<Node>> start(const Settings& settings);
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;
  // Stops without grace if that has not been done.
  ~Node();

  [[nodiscard]] std::uint16_t port() const noexcept;
  // Of --admin-listen.
  [[nodiscard]] std::optional<std::uint16_t> admin_port() const noexcept;

  // Reads the API keys again when their file has changed, or anyway; says in the log what came of it. Waits for the disk.
  void reload_keys(bool anyway);

  // Not ready from now on, and each answer closes its connection; everything is still served. Comes before `stop`.
  void drain();

  // Not ready from now on; stops accepting; requests in flight may end within the grace time; waiting writes reach the
  // disk; the store is synced and closed. Returns how many connections had to be cut.
  std::size_t stop(std::chrono::milliseconds grace);

 private:
  struct Ground;
  struct Parts;
  static void end(Parts& parts);
  explicit Node(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace armazem
