// SPDX-License-Identifier: Apache-2.0
// Certificate authorities of a site in files, as operators keep them.
#pragma once

#include <openssl/pem.h>

#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/tls/certificate_maker.h"
#include "tests/tls/session_peers.h"
#include "tls/signing_ca.h"

namespace postern::tls {

template <typename Write>
void write_file(const std::filesystem::path& path, Write write) {
  FILE* file = std::fopen(path.c_str(), "w");
  write(file);
  std::fclose(file);
}

inline void write_secret(const std::filesystem::path& path, const std::string& text) {
  write_file(path, [&](FILE* file) { std::fputs(text.c_str(), file); });
  std::filesystem::permissions(path, std::filesystem::perms(0600));
}

// `certificates`: the authority's own first, whose key it is. An empty passphrase: not encrypted.
inline SigningCa::Files write_ca(const Folder& folder, const std::vector<Issued>& certificates,
                                 const std::string& passphrase = "") {
  static int number = 0;
  const std::string base = folder.path() / ("ca" + std::to_string(number++));
  const SigningCa::Files files{base + ".crt", base + ".key", passphrase.empty() ? "" : base + ".pass"};
  write_file(files.certificate, [&](FILE* file) {
    for (const Issued& one : certificates) PEM_write_X509(file, one.get());
  });
  write_file(files.key, [&](FILE* file) {
    const EVP_CIPHER* cipher = passphrase.empty() ? nullptr : EVP_aes_256_cbc();
    PEM_write_PKCS8PrivateKey(file, certificates.front().key.get(), cipher, passphrase.data(),
                              static_cast<int>(passphrase.size()), nullptr, nullptr);
  });
  std::filesystem::permissions(files.key, std::filesystem::perms(0600));
  if (!passphrase.empty()) write_secret(files.passphrase_file, passphrase + "\n");
  return files;
}

inline std::shared_ptr<const SigningCa> load_ca(const std::vector<Issued>& certificates) {
  const Folder folder;
  return std::make_shared<const SigningCa>(
      std::move(SigningCa::load(write_ca(folder, certificates)).value()));
}

}  // namespace postern::tls
