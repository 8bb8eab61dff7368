// What travels through the queue: messages of mutations, and messages of replies. Both forms begin alike:
//
//   byte   what
//   0      kind: 'M' mutations, 'R' replies
//   1      format, 0x01
//   2..5   CRC-32C of all other bytes (0..1 and 6..end), big-endian
//   -      count, varint: 1 to message_mutations_max mutations, or 1 to replies_max replies
//   -      the mutations or replies, one after the other, and nothing behind them
//
// A mutation:
//
//   1      flags: bit 0 remove | bit 1 has expiry | bits 2..3 value form | bits 4..7 zero
//   16     version
//   -      key: varint length and text
//   -      content type: varint length and text; not in a remove
//   -      expiry in Unix milliseconds, varint; only with bit 1, never in a remove
//   -      value: varint length and bytes; not in a remove
//
// A reply:
//
//   1      verdict, 0 to 4 (core/apply.h)
//   1      flags: bits 0..1 effect | bit 2 replayed | bit 3 has version | bit 4 has current | bits 5..7 zero
//   16     version of the mutation as it was sent
//   16     version of the outcome; only with bit 3, absent when nil
//   16     current version of the outcome; only with bit 4, absent when nil
//
// Varints are LEB128, shortest form only; so there is one form for one content, and encode(decode(x)) == x.
// Conditions have no place here: a conditional write is decided by the store while its client waits, never later.
// Whatever is wrong with a body is data_damaged; it never becomes a wrong mutation.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/limits.h"
#include "core/mutation.h"
#include "core/reply.h"
#include "core/result.h"

namespace armazem {

// Replies of one call to one address; what is above goes into another message. About 400 KiB.
inline constexpr std::size_t replies_max = 8'192;
static_assert(replies_max >= limits::batch_mutations_max);

// Asserts 1 to message_mutations_max mutations, without conditions, with real versions.
[[nodiscard]] std::string encode_message(std::span<const Mutation> mutations);
[[nodiscard]] Result<std::vector<Mutation>> decode_message(std::string_view body);

// Asserts 1 to replies_max replies.
[[nodiscard]] std::string encode_replies(std::span<const Reply> replies);
[[nodiscard]] Result<std::vector<Reply>> decode_replies(std::string_view body);

}  // namespace armazem
