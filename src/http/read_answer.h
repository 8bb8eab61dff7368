// What a read finds, as an answer.
#pragma once

#include <optional>

#include "core/result.h"
#include "http/message.h"
#include "service/reader.h"

namespace armazem::http {

void answer_read(const Request& request, Result<ReadAnswer> found, Response& response);

// "ETag: …" as a complete header line.
void add_etag(Response& response, const Version& version);
// Echoes a well-formed X-Request-Id.
void echo_request_id(const RequestHead& head, Response& response);

}  // namespace armazem::http
