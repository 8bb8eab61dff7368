// The place of one connection: opens it, replaces it when it broke or grew old, and waits between failed attempts.
//
// Thread rule: the loop's own thread.
#pragma once

#include "adapters/postgres/connector.h"
#include "adapters/postgres/signal.h"

namespace armazem::pg {

// What a slot tells its pool.
class SlotOwner {
 public:
  [[nodiscard]] virtual bool closing() const noexcept = 0;
  virtual void opened() = 0;  // before the connection serves
  virtual void closed() = 0;
  virtual void not_opened(const Error& why) = 0;

 protected:
  ~SlotOwner() = default;
};

class Slot : private Sweepable {
 public:
  Slot(SlotOwner& owner, Connector& connector, Sweeper& sweeper, net::IoLoop& loop, std::size_t number);
  Slot(const Slot&) = delete;
  Slot& operator=(const Slot&) = delete;

  // Until the owner closes.
  Task<void> run();
  // Something is to do, or the owner closes: ends the wait between attempts and the wait for work.
  void wake();
  [[nodiscard]] bool has_connection() const noexcept { return connection_ && connection_->usable(); }

 protected:
  ~Slot() { sweeper_.remove(*this); }

  // Uses the connection until it should be replaced.
  virtual Task<void> serve() = 0;
  virtual void sweep_calls(MonotonicTime now) = 0;

  // co_await idle(): false when the connection is of no use any more or too old.
  Task<bool> idle();
  [[nodiscard]] bool worth_keeping() const noexcept;
  [[nodiscard]] Connection& connection() noexcept { return *connection_; }
  [[nodiscard]] const Session& session() const noexcept { return session_; }
  [[nodiscard]] SlotOwner& owner() noexcept { return owner_; }
  [[nodiscard]] Sweeper& sweeper() noexcept { return sweeper_; }
  // The server behind this connection is going away.
  void avoid_host() noexcept { connector_.avoid(host_); }

 private:
  void sweep(MonotonicTime now) override;
  Task<void> pause(std::chrono::milliseconds span);

  SlotOwner& owner_;
  Connector& connector_;
  Sweeper& sweeper_;
  Signal pause_over_;
  const std::size_t number_;
  MonotonicTime pause_until_ = MonotonicTime::max();
  std::unique_ptr<Connection> connection_;
  Session session_;
  std::size_t host_ = 0;
  MonotonicTime expires_at_ = MonotonicTime::max();
  bool idling_ = false;
  bool woken_ = false;
};

}  // namespace armazem::pg
