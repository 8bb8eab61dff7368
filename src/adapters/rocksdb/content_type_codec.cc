#include "adapters/rocksdb/content_type_codec.h"

#include <algorithm>
#include <array>

#include "core/limits.h"

namespace armazem::rocks {
namespace {

// Code = position + 1. Stored codes never change: append only.
constexpr std::array<std::string_view, 12> content_types = {"application/json",
                                                            "text/plain; charset=utf-8",
                                                            "application/octet-stream",
                                                            "text/plain",
                                                            "text/plain;charset=UTF-8",
                                                            "application/x-www-form-urlencoded",
                                                            "text/html",
                                                            "text/html; charset=utf-8",
                                                            "application/xml",
                                                            "image/png",
                                                            "image/jpeg",
                                                            "application/x-protobuf"};
constexpr char spelled_out = 0;

}  // namespace

void put_content_type(std::string& out, std::string_view type) {
  const auto known = std::ranges::find(content_types, type);
  if (known != content_types.end()) {
    out.push_back(static_cast<char>(known - content_types.begin() + 1));
    return;
  }
  out.push_back(spelled_out);
  put_varint(out, type.size());
  out.append(type);
}

bool read_content_type(ByteReader& in, std::string& type) {
  const std::uint8_t code = in.byte();
  if (!in.ok() || code > content_types.size()) return false;
  if (code != spelled_out) {
    type = content_types[code - std::size_t{1}];
    return true;
  }
  const std::uint64_t size = in.varint();
  if (!in.ok() || size > limits::content_type_bytes_max) return false;
  type = in.take(size);
  return in.ok();
}

}  // namespace armazem::rocks
