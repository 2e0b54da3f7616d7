// SPDX-License-Identifier: Apache-2.0
// Files of certificates and keys as operators keep them. Control thread. Errors name the file, what was found
// and what was expected. What was read is wiped from memory when it is not needed any more.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "tls/openssl_objects.h"

namespace postern::tls {

// Contents that are wiped when nobody needs them any more.
class Secret {
 public:
  explicit Secret(size_t size) : bytes_(size) {}
  Secret(Secret&&) noexcept = default;
  Secret& operator=(Secret&& other) noexcept {
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~Secret() { OPENSSL_cleanse(bytes_.data(), bytes_.size()); }
  std::vector<uint8_t>& bytes() { return bytes_; }
  OwnedBytes reader() { return OwnedBytes(BIO_new_mem_buf(bytes_.data(), static_cast<int>(bytes_.size()))); }

 private:
  std::vector<uint8_t> bytes_;
};

Result<Secret> read_public_file(const std::string& file);
Result<Secret> read_private_file(const std::string& file);  // mode 0600 or 0400, nothing wider

using Certificates = std::vector<OwnedCertificate>;
Result<Certificates> read_certificates(const std::string& file);  // may be none
// PEM; encrypted only where a passphrase is in a file of its own (its first line).
Result<OwnedKey> read_private_key(const std::string& file, const std::string& passphrase_file);

}  // namespace postern::tls
