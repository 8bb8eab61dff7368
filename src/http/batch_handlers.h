// POST /batch: many operations in one request, each with a result of its own; not atomic.
//
// Order: writes of different keys are sent together, so that they share transactions and messages. Those of one key follow
// each other as they stand in the batch; after one that failed without a clear answer the later ones of its key are not
// tried. Reads come after all writes.
//
// Thread rule: any loop; a call stays on the loop it came from.
#pragma once

#include "core/hybrid_clock.h"
#include "http/handler.h"
#include "http/store_handlers.h"
#include "service/reader.h"
#include "service/writer.h"

namespace armazem::http {

class BatchHandlers {
 public:
  // All must outlive the handlers.
  BatchHandlers(Reader& reader, Writer& writer, HybridClock& clock, StoreHandlerOptions options) noexcept
      : reader_(reader), writer_(writer), clock_(clock), options_(options) {}

  Task<Done> handle(Request& request, Response& response);

 private:
  class Run;

  Reader& reader_;
  Writer& writer_;
  HybridClock& clock_;
  const StoreHandlerOptions options_;
};

}  // namespace armazem::http
