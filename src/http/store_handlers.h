// GET, HEAD, PUT and DELETE of values: from a checked request to the use cases and back.
//
// Thread rule: any loop; a call stays on the loop it came from.
#pragma once

#include <chrono>
#include <optional>
#include <variant>

#include "http/handler.h"
#include "service/reader.h"
#include "service/writer.h"

namespace armazem::http {

struct StoreHandlerOptions {
  std::size_t value_bytes_max = limits::value_bytes_default;
  std::chrono::milliseconds read_timeout{5'000};
};

class StoreHandlers {
 public:
  StoreHandlers(Reader& reader, Writer& writer, StoreHandlerOptions options) noexcept
      : reader_(reader), writer_(writer), options_(options) {}

  // GET and HEAD. Ready without a coroutine when the store has the record in memory.
  Task<Done> read(Request& request, Response& response);
  // PUT /store/{key}, PUT /store and DELETE.
  Task<Done> write(Request& request, Response& response);

 private:
  Task<Done> read_later(Task<Result<ReadAnswer>> pending, Request& request, Response& response);
  [[nodiscard]] std::variant<WriteRequest, Problem> make_put(Request& request) const;
  [[nodiscard]] std::variant<WriteRequest, Problem> make_put_from_json(Request& request) const;

  Reader& reader_;
  Writer& writer_;
  const StoreHandlerOptions options_;
};

}  // namespace armazem::http
