// SPDX-License-Identifier: Apache-2.0
#include "tls/session_settings.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

namespace postern::tls {
namespace {

SSL_CTX* new_settings(const SSL_METHOD* method) noexcept {
  constexpr size_t kReadAhead = 64 * 1024;  // several records for one system call
  constexpr long kSessionLife = 3600;       // seconds
  SSL_CTX* settings = SSL_CTX_new(method);
  ERR_clear_error();
  if (settings == nullptr) return nullptr;
  SSL_CTX_set_min_proto_version(settings, TLS1_2_VERSION);
  SSL_CTX_set_options(settings,
                      SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_session_cache_mode(settings, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_timeout(settings, kSessionLife);
  SSL_CTX_set_mode(settings, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                 SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_read_ahead(settings, 1);
  SSL_CTX_set_default_read_buffer_len(settings, kReadAhead);
  return settings;
}

// What the session has set, where the client has asked for it.
int staple(SSL* client, void*) {
  const unsigned char* answer = nullptr;
  return SSL_get_tlsext_status_ocsp_resp(client, &answer) > 0 ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

// The server asks who the client is, and we have no answer: the handshake stops (SSL_ERROR_WANT_X509_LOOKUP).
int no_certificate(SSL*, X509**, EVP_PKEY**) { return -1; }

// Instead of a chain that nobody asks for: ServerCredentials judges, before the client hears a byte.
int judged_later(X509_STORE_CTX*, void*) { return 1; }

}  // namespace

void FreeSettings::operator()(ssl_ctx_st* settings) const noexcept { SSL_CTX_free(settings); }

OwnedSettings new_server_settings() noexcept {
  OwnedSettings owned(new_settings(TLS_server_method()));
  if (owned == nullptr) return nullptr;
  SSL_CTX_set_num_tickets(owned.get(), 1);
  SSL_CTX_set_tlsext_status_cb(owned.get(), staple);
  return owned;
}

OwnedSettings new_client_settings() noexcept {
  OwnedSettings owned(new_settings(TLS_client_method()));
  SSL_CTX* settings = owned.get();
  if (settings == nullptr) return nullptr;
  SSL_CTX_set_client_cert_cb(settings, no_certificate);
  // UpstreamSessions keeps them, where there is one.
  SSL_CTX_set_session_cache_mode(settings, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_set_tlsext_status_type(settings, TLSEXT_STATUSTYPE_ocsp);  // servers staple only when asked
  SSL_CTX_set_verify(settings, SSL_VERIFY_NONE, nullptr);
  SSL_CTX_set_cert_verify_callback(settings, judged_later, nullptr);
  return owned;
}

}  // namespace postern::tls
