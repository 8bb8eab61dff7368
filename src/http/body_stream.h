// The content of an answer that is made while it is sent: a long list, the events of a watch.
//
// Pull: the connection asks for the next piece when the last one has left, so memory is one piece per reader, however
// slow it is. Sent in chunks (RFC 9112, section 7.1).
//
// Thread rule: the connection's loop. The stream is destroyed there, too, never while `next` runs.
#pragma once

#include <string>

#include "core/result.h"
#include "core/task.h"

namespace armazem::http {

class BodyStream {
 public:
  virtual ~BodyStream() = default;

  // The next piece; an empty one is the end. An error cuts the connection: its client sees that the content is incomplete.
  // May wait as long as it likes, until `stop`.
  virtual Task<Result<std::string>> next() = 0;

  // The client is gone or the server stops: a stream that has no end of its own ends, and a `next` that waits for something
  // to happen returns soon. Must not resume a coroutine before it returns.
  virtual void stop() noexcept = 0;
};

}  // namespace armazem::http
