// SPDX-License-Identifier: Apache-2.0
// What OpenSSL's server reads in a ClientHello: the naive reader that ours is compared with. Any thread.
#pragma once

#include <openssl/ssl.h>

#include <string>
#include <vector>

#include "base/bytes.h"

namespace postern::tls {

struct OpensslHello {
  bool taken = false;  // it parsed everything, extensions included
  unsigned legacy_version = 0;
  std::string suites, server_name, alpn;  // lists as on the wire, without their length
  std::vector<int> extensions;            // those OpenSSL knows, in order
};

class OpensslReader {
 public:
  OpensslReader() : settings_(SSL_CTX_new(TLS_server_method())) {
    SSL_CTX_set_min_proto_version(settings_, SSL3_VERSION);
    SSL_CTX_set_security_level(settings_, 0);
    SSL_CTX_set_client_hello_cb(settings_, on_hello, &hello_);
    SSL_CTX_set_tlsext_servername_callback(settings_, on_extensions);
    SSL_CTX_set_tlsext_servername_arg(settings_, &hello_);
  }
  ~OpensslReader() { SSL_CTX_free(settings_); }
  OpensslReader(const OpensslReader&) = delete;
  OpensslReader& operator=(const OpensslReader&) = delete;

  // `stream` with its record layer.
  OpensslHello read(std::string_view stream) {
    hello_ = {};
    SSL* server = SSL_new(settings_);
    SSL_set_bio(server, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_accept_state(server);
    BIO_write(SSL_get_rbio(server), stream.data(), static_cast<int>(stream.size()));
    SSL_do_handshake(server);
    SSL_free(server);
    return hello_;
  }

 private:
  static int on_hello(SSL* server, int*, void* argument) {
    OpensslHello& hello = *static_cast<OpensslHello*>(argument);
    hello.legacy_version = SSL_client_hello_get0_legacy_version(server);
    const unsigned char* bytes = nullptr;
    size_t size = SSL_client_hello_get0_ciphers(server, &bytes);
    hello.suites.assign(reinterpret_cast<const char*>(bytes), size);
    int* present = nullptr;
    if (SSL_client_hello_get1_extensions_present(server, &present, &size) == 1)
      hello.extensions.assign(present, present + size);
    OPENSSL_free(present);
    // Its list has no length of its own beyond the extension's.
    if (SSL_client_hello_get0_ext(server, TLSEXT_TYPE_application_layer_protocol_negotiation, &bytes,
                                  &size) == 1 &&
        size >= 2)
      hello.alpn.assign(reinterpret_cast<const char*>(bytes) + 2, size - 2);
    return SSL_CLIENT_HELLO_SUCCESS;
  }

  // Called when all extensions have been parsed, whether there is a name or not.
  static int on_extensions(SSL* server, int*, void* argument) {
    OpensslHello& hello = *static_cast<OpensslHello*>(argument);
    hello.taken = true;
    const char* name = SSL_get_servername(server, TLSEXT_NAMETYPE_host_name);
    if (name != nullptr) hello.server_name = name;
    return SSL_TLSEXT_ERR_OK;
  }

  SSL_CTX* settings_;
  OpensslHello hello_;
};

}  // namespace postern::tls
