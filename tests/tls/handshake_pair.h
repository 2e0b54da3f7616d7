// SPDX-License-Identifier: Apache-2.0
// A TLS client and server of OpenSSL over memory, whose bytes a test can read. Owns both.
#pragma once

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>
#include <string_view>

namespace postern::tls {

template <auto Release>
struct Releases {
  template <typename T>
  void operator()(T* object) const {
    Release(object);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Releases<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Releases<X509_free>>;
using Settings = std::unique_ptr<SSL_CTX, Releases<SSL_CTX_free>>;
using SavedSession = std::unique_ptr<SSL_SESSION, Releases<SSL_SESSION_free>>;
using Connection = std::unique_ptr<SSL, Releases<SSL_free>>;

inline Key new_key() { return Key(EVP_EC_gen("P-256")); }

// Self-signed; the caller sets names and extensions and signs.
inline Certificate new_certificate(EVP_PKEY* key) {
  Certificate certificate(X509_new());
  X509_set_version(certificate.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 0x1234);
  X509_set_pubkey(certificate.get(), key);
  ASN1_TIME_set_string_X509(X509_getm_notBefore(certificate.get()), "20260102030405Z");
  ASN1_TIME_set_string_X509(X509_getm_notAfter(certificate.get()), "20560102030405Z");
  return certificate;
}

inline void add_name(X509_NAME* name, const char* attribute, std::string_view value, int type = MBSTRING_UTF8,
                     int set = 0) {
  X509_NAME_add_entry_by_txt(name, attribute, type, reinterpret_cast<const unsigned char*>(value.data()),
                             static_cast<int>(value.size()), -1, set);
}

inline void add_extension(X509* certificate, int nid, const char* value) {
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value);
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

inline std::string der_of(X509* certificate) {
  unsigned char* der = nullptr;
  const int size = i2d_X509(certificate, &der);
  std::string text(reinterpret_cast<char*>(der), static_cast<size_t>(size));
  OPENSSL_free(der);
  return text;
}

class HandshakePair {
 public:
  HandshakePair()
      : server_settings(SSL_CTX_new(TLS_server_method())), client_settings(SSL_CTX_new(TLS_client_method())) {
    key = new_key();
    certificate = new_certificate(key.get());
    add_name(X509_get_subject_name(certificate.get()), "CN", "bmc7.example.net");
    add_name(X509_get_issuer_name(certificate.get()), "CN", "bmc7.example.net");
    X509_sign(certificate.get(), key.get(), EVP_sha256());
    SSL_CTX_use_certificate(server_settings.get(), certificate.get());
    SSL_CTX_use_PrivateKey(server_settings.get(), key.get());
    SSL_CTX_set_session_id_context(server_settings.get(), reinterpret_cast<const unsigned char*>("t"), 1);
  }

  // Runs a handshake to its end or failure; afterwards to_server and to_client hold all bytes.
  void run() {
    start();
    for (int round = 0; round < 6; ++round) {
      SSL_do_handshake(client.get());
      carry(client.get(), server.get(), to_server);
      SSL_do_handshake(server.get());
      carry(server.get(), client.get(), to_client);
    }
    char byte = 0;
    SSL_read(client.get(), &byte, 1);  // takes in the tickets of TLS 1.3
  }

  // The next run resumes this one's session.
  void resume() {
    // Without a shutdown OpenSSL thinks the session is bad.
    for (SSL* end : {server.get(), client.get()})
      SSL_set_shutdown(end, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    session.reset(SSL_get1_session(client.get()));
  }

  Settings server_settings, client_settings;
  Key key;
  Certificate certificate;
  Connection server, client;
  SavedSession session;
  std::string server_name = "bmc7.example.net", to_server, to_client;

 private:
  void start() {
    server.reset(SSL_new(server_settings.get()));
    client.reset(SSL_new(client_settings.get()));
    for (SSL* end : {server.get(), client.get()})
      SSL_set_bio(end, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_accept_state(server.get());
    SSL_set_connect_state(client.get());
    if (!server_name.empty()) SSL_set_tlsext_host_name(client.get(), server_name.c_str());
    if (session) SSL_set_session(client.get(), session.get());
  }

  static void carry(SSL* from, SSL* to, std::string& copy) {
    char* data = nullptr;
    const long size = BIO_get_mem_data(SSL_get_wbio(from), &data);
    if (size <= 0) return;
    copy.append(data, static_cast<size_t>(size));
    BIO_write(SSL_get_rbio(to), data, static_cast<int>(size));
    BIO_reset(SSL_get_wbio(from));
  }
};

}  // namespace postern::tls
