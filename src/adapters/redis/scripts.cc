#include "adapters/redis/scripts.h"

#include <openssl/evp.h>

#include <array>

#include "core/assert.h"

namespace armazem::redis {
namespace {

// after(a, i, b, j, n): are the n bytes of a from i on greater than those of b from j on? same(…): are they equal?
// Positions in Lua begin with 1: in an entry the version is 2..17 and the epoch 18..25, in a lease the epoch is 2..9.
constexpr std::string_view prelude = R"lua(
local function after(a, i, b, j, n)
  for k = 0, n - 1 do
    local x, y = string.byte(a, i + k), string.byte(b, j + k)
    if x ~= y then return x > y end
  end
  return false
end
local function same(a, i, b, j, n)
  return string.sub(a, i, i + n - 1) == string.sub(b, j, j + n - 1)
end
local key = KEYS[1]
local now = redis.call('GETRANGE', key, 0, 24)
local is_entry = #now == 25 and string.byte(now, 1) == 69
local is_lease = #now == 17 and string.byte(now, 1) == 76
)lua";

constexpr std::string_view lease_text = R"lua(
local lease, ttl = ARGV[1], ARGV[2]
if is_entry and same(now, 18, lease, 2, 8) then return redis.call('GET', key) end
if is_lease and same(now, 2, lease, 2, 8) then return 0 end
redis.call('SET', key, lease, 'PX', ttl)
return 1
)lua";

constexpr std::string_view fill_text = R"lua(
local lease, entry, ttl = ARGV[1], ARGV[2], ARGV[3]
if now ~= lease then return 0 end
redis.call('SET', key, entry, 'PX', ttl)
return 1
)lua";

constexpr std::string_view put_text = R"lua(
local entry, ttl = ARGV[1], ARGV[2]
if is_entry and not after(entry, 18, now, 18, 8) and not after(entry, 2, now, 2, 16) then return 0 end
redis.call('SET', key, entry, 'PX', ttl)
return 1
)lua";

constexpr std::string_view replace_only_text = R"lua(
local entry, ttl = ARGV[1], ARGV[2]
if is_entry and same(now, 18, entry, 18, 8) then
  if not after(entry, 2, now, 2, 16) then return 0 end
  redis.call('SET', key, entry, 'PX', ttl)
  return 1
end
if #now == 0 then return 0 end
redis.call('DEL', key)
return 2
)lua";

constexpr std::string_view remove_older_text = R"lua(
local header = ARGV[1]
if #now == 0 then return 0 end
if is_entry and same(now, 18, header, 18, 8) and not after(header, 2, now, 2, 16) then return 0 end
redis.call('DEL', key)
return 2
)lua";

std::string sha1_hex(std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  ARMAZEM_ASSERT(::EVP_Digest(text.data(), text.size(), digest.data(), &size, ::EVP_sha1(), nullptr) == 1);
  constexpr std::string_view digits = "0123456789abcdef";
  std::string hex;
  for (unsigned i = 0; i < size; ++i) {
    hex.push_back(digits[digest[i] >> 4]);
    hex.push_back(digits[digest[i] & 0xF]);
  }
  return hex;
}

Script script(std::string_view text) { return Script(std::string(prelude) + std::string(text)); }

}  // namespace

Script::Script(std::string text) : text_(std::move(text)), sha_(sha1_hex(text_)) {}

const Scripts& scripts() {
  static const Scripts all{script(lease_text), script(fill_text), script(put_text), script(replace_only_text),
                           script(remove_older_text)};
  return all;
}

}  // namespace armazem::redis
