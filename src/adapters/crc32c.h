// CRC-32C (Castagnoli; RFC 3720, appendix B.4): eight bytes a step by table, about 1.5 GB/s, on any processor.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>

namespace armazem {

// Of the parts as if they were one text.
[[nodiscard]] std::uint32_t crc32c(std::initializer_list<std::string_view> parts) noexcept;

}  // namespace armazem
