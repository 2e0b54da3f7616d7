// SPDX-License-Identifier: Apache-2.0
#include "tls/trust_store.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <algorithm>
#include <filesystem>

#include "base/bytes.h"
#include "tls/pem_file.h"

namespace postern::tls {

namespace fs = std::filesystem;

void TrustStore::Free::operator()(x509_st* certificate) const noexcept { X509_free(certificate); }
void TrustStore::Free::operator()(X509_crl_st* crl) const noexcept { X509_CRL_free(crl); }

TrustStore::TrustStore(TrustStore&&) noexcept = default;
TrustStore& TrustStore::operator=(TrustStore&&) noexcept = default;
TrustStore::~TrustStore() = default;

Status TrustStore::read_file(const std::string& file) {
  Result<Certificates> found = tls::read_certificates(file);
  if (!found) return found.error();
  for (OwnedCertificate& next : *found) certificates_.emplace_back(next.release());
  return Ok{};
}

// Folders hold the same certificates under several names, and files of other kinds without any.
Status TrustStore::read_certificates(const std::string& path) {
  std::error_code problem;
  std::vector<std::string> files;
  if (fs::is_directory(path, problem)) {
    for (fs::directory_iterator at(path, problem), end; !problem && at != end; at.increment(problem))
      if (at->is_regular_file(problem)) files.push_back(at->path().string());
    std::sort(files.begin(), files.end());
  } else {
    files.push_back(path);
  }
  for (const std::string& file : files)
    if (const Status read = read_file(file); !read) return read.error();
  const auto before = [](const auto& a, const auto& b) { return X509_cmp(a.get(), b.get()) < 0; };
  const auto same = [](const auto& a, const auto& b) { return X509_cmp(a.get(), b.get()) == 0; };
  std::sort(certificates_.begin(), certificates_.end(), before);
  certificates_.erase(std::unique(certificates_.begin(), certificates_.end(), same), certificates_.end());
  if (certificates_.empty())
    return Error{"found no certificate, expected those of trusted roots in PEM", path};
  return Ok{};
}

Status TrustStore::read_crls(const std::string& file) {
  Result<Secret> text = read_public_file(file);
  if (!text) return text.error();
  const size_t before = crls_.size();
  const OwnedBytes from = text->reader();
  if (as_text(text->bytes()).find("-----BEGIN") == std::string_view::npos) {
    if (X509_CRL* crl = d2i_X509_CRL_bio(from.get(), nullptr)) crls_.emplace_back(crl);
  } else {
    while (X509_CRL* next = PEM_read_bio_X509_CRL(from.get(), nullptr, nullptr, nullptr))
      crls_.emplace_back(next);
  }
  ERR_clear_error();
  if (crls_.size() == before) return Error{"found no revocation list, expected one in PEM or DER", file};
  return Ok{};
}

Result<TrustStore> TrustStore::load(const Files& files) {
  TrustStore store;
  if (const Status read = store.read_certificates(files.certificates); !read) return read.error();
  for (const std::string& file : files.crls)
    if (const Status read = store.read_crls(file); !read) return read.error();
  return store;
}

}  // namespace postern::tls
