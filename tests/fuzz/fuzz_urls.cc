// The URLs of the tiers: understood or refused, and what is refused never shows the password.
//
// Input: one byte that chooses the tier and where the password stands, then what follows it in the URL.
#include <cstddef>
#include <cstdint>
#include <string>

#include "adapters/postgres/target.h"
#include "adapters/rabbitmq/url.h"
#include "adapters/redis/redis_options.h"
#include "core/assert.h"

using namespace armazem;

namespace {

constexpr std::string_view password = "Zx9-never-to-be-seen";

template <class T>
void check(const Result<T>& parsed) {
  if (!parsed) ARMAZEM_ASSERT(parsed.error().message.find(password) == std::string::npos);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  // The fuzzer learns the password and writes it where none belongs.
  if (rest.find(password) != std::string::npos) return 0;
  const std::string login = (data[0] & 1) != 0 ? "user:" + std::string(password) + "@" : "";
  switch (data[0] / 2 % 4) {
    case 0: check(rabbit::parse_url("amqp://" + login + rest)); break;
    case 1: check(parse_redis_url("redis://" + login + rest)); break;
    case 2: {
      const auto target = pg::parse_target("postgres://" + login + rest);
      check(target);
      if (target) ARMAZEM_ASSERT(target->host_names().find(password) == std::string::npos || login.empty());
      break;
    }
    default:
      check(rabbit::parse_url(rest));
      check(parse_redis_url(rest));
      check(pg::parse_target(rest));
      break;
  }
  return 0;
}
