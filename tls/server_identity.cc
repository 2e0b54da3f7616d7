// SPDX-License-Identifier: Apache-2.0
#include "tls/server_identity.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <algorithm>

#include "base/bytes.h"
#include "tls/pem_file.h"

namespace postern::tls {
namespace {

Error wrong(const std::string& file, const std::string& found_and_expected) {
  return Error{found_and_expected, file};
}

}  // namespace

void ServerIdentity::Free::operator()(evp_pkey_st* key) const noexcept { EVP_PKEY_free(key); }
void ServerIdentity::Free::operator()(x509_st* certificate) const noexcept { X509_free(certificate); }

ServerIdentity::ServerIdentity(ServerIdentity&&) noexcept = default;
ServerIdentity& ServerIdentity::operator=(ServerIdentity&&) noexcept = default;
ServerIdentity::~ServerIdentity() = default;

Status ServerIdentity::read_certificates(const std::string& file) {
  Result<Certificates> found = tls::read_certificates(file);
  if (!found) return found.error();
  for (OwnedCertificate& next : *found) certificates_.emplace_back(next.release());
  if (certificates_.empty())
    return wrong(file, "found no certificate, expected the server's own and its chain in PEM");
  return Ok{};
}

Status ServerIdentity::read_key(const std::string& file) {
  Result<OwnedKey> key = read_private_key(file, "");
  if (!key) return key.error();
  key_.reset(key->release());
  return Ok{};
}

Result<ServerIdentity> ServerIdentity::load(const Files& files) {
  ServerIdentity identity;
  identity.file_ = files.certificate;
  identity.servers_ = files.servers;
  if (const Status read = identity.read_certificates(files.certificate); !read) return read.error();
  if (const Status read = identity.read_key(files.key); !read) return read.error();
  const bool fits = X509_check_private_key(identity.certificates_.front().get(), identity.key_.get()) == 1;
  ERR_clear_error();
  if (!fits)
    return wrong(files.key, "found another key than that of " + files.certificate + ", expected its own");
  return identity;
}

bool ServerIdentity::is_for(const std::string& server_name, const IpAddress& server) const noexcept {
  if (!servers_.empty())
    return std::any_of(servers_.begin(), servers_.end(), [&](const Prefix& p) { return p.contains(server); });
  X509* own = certificates_.front().get();
  if (!server_name.empty())
    return X509_check_host(own, server_name.data(), server_name.size(), X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS,
                           nullptr) == 1;
  const Bytes address = server.is_v4() ? Bytes(server.bytes).subspan(12) : Bytes(server.bytes);
  return X509_check_ip(own, address.data(), address.size(), 0) == 1;
}

bool ServerIdentity::has_key_of(const x509_st* certificate) const noexcept {
  const EVP_PKEY* key = X509_get0_pubkey(certificate);
  const bool same = key != nullptr && EVP_PKEY_eq(key, key_.get()) == 1;
  ERR_clear_error();
  return same;
}

bool ServerIdentity::install(ssl_ctx_st* settings) const noexcept {
  if (SSL_CTX_use_certificate(settings, certificates_.front().get()) != 1) return false;
  if (SSL_CTX_use_PrivateKey(settings, key_.get()) != 1) return false;
  return std::all_of(certificates_.begin() + 1, certificates_.end(), [&](const Certificate& next) {
    return SSL_CTX_add1_chain_cert(settings, next.get()) == 1;
  });
}

}  // namespace postern::tls
