#include "adapters/redis/tls_stream.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace armazem::redis {
namespace {

constexpr std::size_t chunk_bytes = std::size_t{16} << 10;  // one TLS record

std::string openssl_reason() {
  const unsigned long code = ::ERR_get_error();
  if (code == 0) return "unknown reason";
  std::array<char, 256> text{};
  ::ERR_error_string_n(code, text.data(), text.size());
  ::ERR_clear_error();
  return text.data();
}

bool is_address(const std::string& host) {
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  return ::inet_pton(AF_INET, host.c_str(), bytes.data()) == 1 || ::inet_pton(AF_INET6, host.c_str(), bytes.data()) == 1;
}

// The certificate must carry the host; a name is also sent as SNI.
bool expect_host(SSL* session, const std::string& host) {
  if (is_address(host)) return ::X509_VERIFY_PARAM_set1_ip_asc(::SSL_get0_param(session), host.c_str()) == 1;
  return ::SSL_set1_host(session, host.c_str()) == 1 && ::SSL_set_tlsext_host_name(session, host.c_str()) == 1;
}

}  // namespace

Result<std::unique_ptr<TlsContext>> TlsContext::make(const std::string& ca_file) {
  ::ERR_clear_error();
  std::unique_ptr<TlsContext> context(new TlsContext(::SSL_CTX_new(::TLS_client_method())));
  if (!context->context_) return fail(ErrorCode::internal, "no TLS context: " + openssl_reason());
  ::SSL_CTX_set_min_proto_version(context->get(), TLS1_2_VERSION);
  ::SSL_CTX_set_verify(context->get(), SSL_VERIFY_PEER, nullptr);
  const bool trusted = ca_file.empty()
                           ? ::SSL_CTX_set_default_verify_paths(context->get()) == 1
                           : ::SSL_CTX_load_verify_locations(context->get(), ca_file.c_str(), nullptr) == 1;
  if (!trusted) {
    return fail(ErrorCode::precondition,
                "cannot read the certificate authorities '" + ca_file + "': " + openssl_reason());
  }
  return context;
}

Task<Result<std::unique_ptr<ByteStream>>> TlsStream::connect(const TlsContext& context, net::IoHandle& handle,
                                                             const std::string& host) {
  SSL* const session = ::SSL_new(context.get());
  if (session == nullptr) co_return fail(ErrorCode::internal, "no TLS session: " + openssl_reason());
  std::unique_ptr<TlsStream> stream(new TlsStream(session, handle));
  ::SSL_set_bio(session, ::BIO_new(::BIO_s_mem()), ::BIO_new(::BIO_s_mem()));
  ::SSL_set_connect_state(session);
  if (!expect_host(session, host)) co_return fail(ErrorCode::internal, "TLS: no host to verify in '" + host + "'");
  const Result<void> shaken = co_await stream->shake_hands();
  if (!shaken) co_return fail(shaken.error());
  std::unique_ptr<ByteStream> done = std::move(stream);
  co_return done;
}

Task<Result<void>> TlsStream::shake_hands() {
  while (true) {
    ::ERR_clear_error();
    const int done = ::SSL_do_handshake(session_.get());
    const int wanted = done == 1 ? SSL_ERROR_NONE : ::SSL_get_error(session_.get(), done);
    std::string why = wanted == SSL_ERROR_NONE || wanted == SSL_ERROR_WANT_READ ? std::string() : openssl_reason();
    if (const long verified = ::SSL_get_verify_result(session_.get()); !why.empty() && verified != X509_V_OK) {
      why = ::X509_verify_cert_error_string(verified);
    }
    if (const int error = co_await send_pending(); error != 0 && why.empty()) why = std::strerror(error);
    if (!why.empty()) co_return fail(ErrorCode::unavailable, "TLS: " + why);
    if (done == 1) co_return Result<void>();
    if (const int error = co_await receive_more(); error != 0) {
      co_return fail(ErrorCode::unavailable,
                     "TLS: " + std::string(error == net::end_of_stream ? "the node hung up" : std::strerror(error)));
    }
  }
}

// What OpenSSL wants to be sent. Taken out before the send begins, so that reader and writer do not send it twice.
Task<int> TlsStream::send_pending() {
  char* data = nullptr;
  const long size = BIO_get_mem_data(::SSL_get_wbio(session_.get()), &data);
  if (size <= 0) co_return 0;
  const std::string bytes(data, static_cast<std::size_t>(size));
  (void)BIO_reset(::SSL_get_wbio(session_.get()));
  net::WriteAll write(handle_, bytes, {});
  const net::IoResult sent = co_await write;
  co_return sent.error;
}

Task<int> TlsStream::receive_more() {
  std::array<char, chunk_bytes> bytes;
  net::ReadSome read(handle_, bytes);
  const net::IoResult got = co_await read;
  if (got.error == 0) ::BIO_write(::SSL_get_rbio(session_.get()), bytes.data(), static_cast<int>(got.bytes));
  co_return got.error;
}

Task<net::IoResult> TlsStream::read_some(std::span<char> buffer) {
  net::IoResult result;
  while (true) {
    ::ERR_clear_error();
    const int got = ::SSL_read(session_.get(), buffer.data(), static_cast<int>(buffer.size()));
    if (got > 0) {
      result.bytes = static_cast<std::size_t>(got);
      co_return result;
    }
    // An answer of ours to a message of the protocol (a key update) goes out with the next write.
    const int wanted = ::SSL_get_error(session_.get(), got);
    if (wanted == SSL_ERROR_WANT_READ) {
      result.error = co_await receive_more();
    } else {
      result.error = wanted == SSL_ERROR_ZERO_RETURN ? net::end_of_stream : EPROTO;
    }
    if (result.error != 0) co_return result;
  }
}

Task<net::IoResult> TlsStream::write_all(std::string_view bytes) {
  net::IoResult result;
  for (std::size_t at = 0; at < bytes.size();) {
    ::ERR_clear_error();
    const auto piece = static_cast<int>(std::min(bytes.size() - at, std::size_t{1} << 20));
    const int taken = ::SSL_write(session_.get(), bytes.data() + at, piece);
    if (taken <= 0) {  // a memory BIO takes everything, so this is an error
      result.error = EPROTO;
      co_return result;
    }
    at += static_cast<std::size_t>(taken);
    result.error = co_await send_pending();
    if (result.error != 0) co_return result;
  }
  result.bytes = bytes.size();
  co_return result;
}

}  // namespace armazem::redis
