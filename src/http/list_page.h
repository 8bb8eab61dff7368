// What both forms of a list, the page and the stream, are made of.
#pragma once

#include <string>
#include <string_view>

#include "http/message.h"
#include "service/lister.h"

namespace armazem::http {

[[nodiscard]] ListRequest list_request(const ListQuery& query);

// With its value, in base64 or without, as the query says.
void append_entry(std::string& out, const ScanEntry& entry, const ListQuery& query);

// `,"next":"…"`
void append_next(std::string& out, std::string_view prefix, std::string_view after);

}  // namespace armazem::http
