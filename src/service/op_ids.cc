#include "service/op_ids.h"

#include <openssl/evp.h>
#include <sys/random.h>

#include <array>
#include <cstring>
#include <memory>
#include <random>

#include "core/assert.h"

namespace armazem {
namespace {

std::mt19937_64 seeded_generator() {
  std::array<std::uint32_t, 16> seed{};
  ARMAZEM_ASSERT(getrandom(seed.data(), sizeof seed, 0) == static_cast<ssize_t>(sizeof seed));
  std::seed_seq sequence(seed.begin(), seed.end());
  return std::mt19937_64(sequence);
}

class Sha256 {
 public:
  Sha256() : context_(EVP_MD_CTX_new(), &EVP_MD_CTX_free) {
    ARMAZEM_ASSERT(context_ && EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1);
  }
  // Every part goes in with its length, so that no two different requests feed the same bytes.
  void add(std::string_view part) {
    add_number(part.size());
    ARMAZEM_ASSERT(EVP_DigestUpdate(context_.get(), part.data(), part.size()) == 1);
  }
  void add_number(std::uint64_t number) { ARMAZEM_ASSERT(EVP_DigestUpdate(context_.get(), &number, sizeof number) == 1); }
  std::uint64_t first_64_bits() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int size = 0;
    ARMAZEM_ASSERT(EVP_DigestFinal_ex(context_.get(), digest.data(), &size) == 1 && size == 32);
    std::uint64_t bits = 0;
    std::memcpy(&bits, digest.data(), sizeof bits);
    return bits;
  }

 private:
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

}  // namespace

OpId RandomOpIds::next() {
  thread_local std::mt19937_64 generator = seeded_generator();
  return OpId(generator());
}

OpId digest_op_id(const IdempotentRequest& request) {
  Sha256 digest;
  digest.add(request.idempotency_key);
  digest.add_number(static_cast<std::uint64_t>(request.kind));
  digest.add(request.key);
  digest.add(request.content_type);
  digest.add(request.body);
  digest.add_number(static_cast<std::uint64_t>(request.ttl_seconds));
  return OpId(digest.first_64_bits());
}

}  // namespace armazem
