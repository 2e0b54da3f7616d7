// SPDX-License-Identifier: Apache-2.0
// A server's certificate, its chain and its private key as the operator imported them. Immutable; read by
// the control thread, used by any.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/result.h"

struct evp_pkey_st;
struct ssl_ctx_st;
struct x509_st;

namespace postern::tls {

class ServerIdentity {
 public:
  struct Files {
    std::string certificate;      // PEM, the server's own first, then its chain
    std::string key;              // PEM, not encrypted, readable by its owner alone
    std::vector<Prefix> servers;  // where it is shown whatever name is asked for; empty: by its names
  };
  // The error names the file and what was expected of it.
  static Result<ServerIdentity> load(const Files& files);
  ServerIdentity(ServerIdentity&&) noexcept;
  ServerIdentity& operator=(ServerIdentity&&) noexcept;
  ~ServerIdentity();

  // Whether a client that asks this server for this name (empty: none) expects this certificate.
  bool is_for(const std::string& server_name, const IpAddress& server) const noexcept;
  bool has_key_of(const x509_st* certificate) const noexcept;

  // Makes a server show it. False: OpenSSL has no memory.
  bool install(ssl_ctx_st* settings) const noexcept;

  const std::string& file() const { return file_; }

 private:
  struct Free {
    void operator()(evp_pkey_st* key) const noexcept;
    void operator()(x509_st* certificate) const noexcept;
  };
  using Certificate = std::unique_ptr<x509_st, Free>;

  ServerIdentity() = default;
  Status read_certificates(const std::string& file);
  Status read_key(const std::string& file);

  std::string file_;
  std::vector<Certificate> certificates_;
  std::unique_ptr<evp_pkey_st, Free> key_;
  std::vector<Prefix> servers_;
};

using ServerIdentities = std::vector<ServerIdentity>;

}  // namespace postern::tls
