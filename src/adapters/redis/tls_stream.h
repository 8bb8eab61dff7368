// TLS on a socket of ours: OpenSSL over memory BIOs, so that waiting stays the loop's.
//
// Thread rule: a context from any thread once made; a stream as ByteStream.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>

#include "adapters/redis/byte_stream.h"
#include "core/result.h"

namespace armazem::redis {

class TlsContext {
 public:
  // `ca_file`: PEM with the authorities to trust; empty: the system's. precondition: it cannot be read.
  static Result<std::unique_ptr<TlsContext>> make(const std::string& ca_file);
  [[nodiscard]] SSL_CTX* get() const noexcept { return context_.get(); }

 private:
  struct Free {
    void operator()(SSL_CTX* context) const noexcept { ::SSL_CTX_free(context); }
  };
  explicit TlsContext(SSL_CTX* context) noexcept : context_(context) {}
  std::unique_ptr<SSL_CTX, Free> context_;
};

class TlsStream final : public ByteStream {
 public:
  // Shakes hands; the certificate must be valid for `host`, name or address. unavailable: the message says why.
  static Task<Result<std::unique_ptr<ByteStream>>> connect(const TlsContext& context, net::IoHandle& handle,
                                                           const std::string& host);

  Task<net::IoResult> read_some(std::span<char> buffer) override;
  Task<net::IoResult> write_all(std::string_view bytes) override;

 private:
  struct Free {
    void operator()(SSL* session) const noexcept { ::SSL_free(session); }
  };
  TlsStream(SSL* session, net::IoHandle& handle) noexcept : session_(session), handle_(handle) {}

  Task<Result<void>> shake_hands();
  Task<int> send_pending();
  Task<int> receive_more();

  std::unique_ptr<SSL, Free> session_;
  net::IoHandle& handle_;
};

}  // namespace armazem::redis
