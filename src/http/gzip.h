// Answers made smaller for clients that understand it (RFC 9110, section 12.5.3).
#pragma once

#include <string>
#include <string_view>

#include "http/message.h"

namespace armazem::http {

// Whether content of that type and size is worth it: text of one kind or another, neither so short that nothing is gained
// nor so long that other connections of the loop would wait for it.
[[nodiscard]] bool is_worth_gzip(std::string_view content_type, std::size_t size) noexcept;

// Accept-Encoding names gzip and does not refuse it.
[[nodiscard]] bool accepts_gzip(const RequestHead& head);

// Replaces `body` and adds Content-Encoding, if `body` becomes smaller; else nothing happens and the result is false.
bool gzip_body(Response& response);

}  // namespace armazem::http
