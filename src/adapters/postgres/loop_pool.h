// The connections of one I/O loop, and the calls that wait for them.
//
// A read connection answers gets; a write connection is lent to one call at a time. Both are opened at once and kept;
// nothing grows under load: calls wait, up to a bound, and then are refused. While no connection of a kind is open and the
// last attempt to open one failed, calls are refused at once, with the reason.
//
// Thread rule: the loop's own thread, except `load` and `write_capacity`. Constructed anywhere, before anything runs.
#pragma once

#include "adapters/postgres/read_slot.h"
#include "adapters/postgres/write_slot.h"
#include "core/task_scope.h"

namespace armazem::pg {

class LoopPool final : private SlotOwner {
 public:
  struct Size {
    std::size_t read_connections;
    std::size_t write_connections;
  };
  LoopPool(net::IoLoop& loop, Size size, std::size_t number, const Target& target, const PostgresOptions& options,
           net::Resolver& resolver, Counters& counters, const TimeSource& time);

  void start();
  // Refuses calls from now on, fails those that wait or only read, lets writes end for a moment, closes everything.
  Task<void> close();
  [[nodiscard]] bool closing() const noexcept override { return closing_; }

  Task<Result<std::optional<Record>>> get(std::string_view key, Deadline deadline);
  Task<Result<Lease>> borrow(Deadline deadline);

  // Held by a call as long as it uses the pool: `close` waits for it.
  class Visit {
   public:
    explicit Visit(LoopPool& pool) noexcept : pool_(pool) { ++pool_.visits_; }
    Visit(const Visit&) = delete;
    Visit& operator=(const Visit&) = delete;
    ~Visit() { pool_.left(); }

   private:
    LoopPool& pool_;
  };

  [[nodiscard]] net::IoLoop& loop() noexcept { return loop_; }
  [[nodiscard]] Connector& connector() noexcept { return connector_; }
  [[nodiscard]] MonotonicTime now() const noexcept { return sweeper_.now(); }
  // No round trip takes longer.
  [[nodiscard]] MonotonicTime latest(Deadline deadline) const noexcept;
  // Why no connection can be made, or none is open yet.
  [[nodiscard]] std::optional<Error> trouble() const;
  [[nodiscard]] const std::string& server() const noexcept { return connector_.server(); }

  // Calls that hold or wait for a write connection, or are on their way here to do so.
  [[nodiscard]] std::atomic<std::size_t>& load() noexcept { return load_; }
  [[nodiscard]] std::size_t write_capacity() const noexcept { return writers_.size(); }

 private:
  void opened() override;
  void closed() override;
  void not_opened(const Error& why) override;
  [[nodiscard]] std::optional<Error> refusal(std::size_t open) const;
  template <class Slots>
  static std::size_t open_in(const Slots& slots) noexcept;
  void left();

  net::IoLoop& loop_;
  Counters& counters_;
  const MonotonicClock::duration patience_;
  Sweeper sweeper_;
  Connector connector_;
  GetQueue gets_;
  BorrowQueue borrows_;
  std::vector<std::unique_ptr<ReadSlot>> readers_;
  std::vector<std::unique_ptr<WriteSlot>> writers_;
  TaskScope slots_running_;
  TaskScope sweeper_running_;
  Signal all_left_;
  std::size_t visits_ = 0;
  std::atomic<std::size_t> load_{0};
  std::optional<Error> trouble_;
  bool closing_ = false;
};

}  // namespace armazem::pg
