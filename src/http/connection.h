// One client connection: reads requests, has them handled one after the other, writes the answers in that order.
//
// Pipelined requests are answered in order; answers gather while more requests are waiting in the buffer and leave by one
// write. A body is read straight into its string. Nothing here waits without a deadline: the owner calls `sweep` a few
// times per second, and whatever has waited too long is answered (408) or closed.
//
// Thread rule: everything on the loop that owns the socket.
#pragma once

#include <boost/intrusive/list_hook.hpp>

#include <atomic>
#include <optional>
#include <string>

#include "core/task.h"
#include "http/byte_budget.h"
#include "http/handler.h"
#include "net/io_handle.h"
#include "http/read_buffer.h"
#include "http/request_parser.h"
#include "http/server_options.h"

namespace armazem::http {

// What all connections of one loop share. Outlives them.
struct LoopContext {
  net::IoLoop& loop;
  Handler& handler;
  ByteBudget& budget;
  LoopMetrics& metrics;
  const ServerOptions& options;
  std::string date_line;  // "Date: …\r\n", renewed by the sweep
  MonotonicTime coarse_now = MonotonicClock::now();  // as of the last sweep: near enough for time-outs, and free
  bool failure_logged = false;  // since the last sweep: a storm of errors must not become a storm of log lines
  bool closing = false;   // answers carry 'Connection: close' from now on
  bool stopping = false;  // and no new request is waited for
};

class Connection : public boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
 public:
  Connection(net::FileDescriptor socket, LoopContext& context);

  // Until the client or an error or a time-out ends the connection.
  Task<void> run();
  // Answers 503 too-many-connections and closes.
  Task<void> turn_away();

  void sweep(MonotonicTime now);
  // Closes now if no request is being served; else after its answer.
  void begin_stop();
  void abort();


 private:
  enum class Phase { idle, header, body, handling, writing, lingering };

  [[nodiscard]] bool prepare_to_read();
  // Parses the header block and asks the handler; the problem that ends the request before its body is read.
  std::optional<Problem> begin_request(HeadScan scan);
  [[nodiscard]] std::optional<Problem> check_expectation() const;
  [[nodiscard]] bool wants_continue() const noexcept;
  [[nodiscard]] bool body_is_unread() const noexcept;
  Task<void> wait_for(Task<Done> handled);
  Task<void> end();

  // The three ways to take a body. A problem ends the request; `lost_` tells that the client is gone.
  Task<std::optional<Problem>> read_body();
  Task<std::optional<Problem>> read_sized_body();
  Task<std::optional<Problem>> read_chunked_body();
  // Reads and forgets the body of a refused request; false when it is too long for that.
  Task<bool> skip_body();
  Task<bool> read_more(std::string& to);

  void answer_problem(const Problem& problem);
  void finish_request();
  void log_request(std::int64_t nanoseconds) const;
  // Appends the answer to `out_`; content too large to be worth a copy stays in `response_` and the result is true.
  [[nodiscard]] bool append_answer();
  Task<void> flush_with_content();
  // Sends the content of `response_.stream` in chunks.
  Task<void> send_stream();
  [[nodiscard]] bool has_stream() const noexcept;
  void stop_stream() noexcept;
  Task<void> linger();

  void enter(Phase phase, std::chrono::milliseconds limit);
  [[nodiscard]] net::WriteAll flush();
  void flushed(const net::IoResult& result);

  net::IoHandle socket_;
  LoopContext& context_;
  ReadBuffer in_;
  std::string out_;
  Request request_;
  Response response_;
  BodyStream* streaming_ = nullptr;               // that of `response_`, while it is being sent
  ByteBudget::Share share_;
  HeadScanProgress scan_progress_;
  std::uint64_t requests_ = 0;
  std::size_t used_ = 0;                          // bytes at the front of `in_` that belong to this request
  std::optional<std::string> behind_chunks_;      // what was read behind a chunked body: the next requests
  bool body_read_ = false;                        // although the request was refused
  bool malformed_ = false;                        // the request could not be parsed: nothing behind it can be trusted
  bool keep_ = true;                              // another request may follow
  bool timed_out_ = false;
  bool lost_ = false;                             // nobody is there to read an answer
  Phase phase_ = Phase::idle;
  MonotonicTime phase_end_ = MonotonicTime::max();
};

}  // namespace armazem::http
