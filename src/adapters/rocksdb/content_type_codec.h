// The stored form of a content type: one byte, its code in the table of content_type_codec.cc, or 0 followed by varint
// length and text.
#pragma once

#include <string>
#include <string_view>

#include "adapters/byte_codec.h"

namespace armazem::rocks {

void put_content_type(std::string& out, std::string_view type);
// False: not the form of one.
[[nodiscard]] bool read_content_type(ByteReader& in, std::string& type);

}  // namespace armazem::rocks
