// SPDX-License-Identifier: Apache-2.0
#include "tls/server_identity.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/bytes.h"
#include "base/unique_fd.h"
#include "tls/openssl_objects.h"

namespace postern::tls {
namespace {

constexpr size_t kLargestFile = 1 << 20;

Error wrong(const std::string& file, const std::string& found_and_expected) {
  return Error{found_and_expected, file};
}

// Contents that are wiped when nobody needs them any more.
class Secret {
 public:
  explicit Secret(size_t size) : bytes_(size) {}
  Secret(Secret&&) = default;
  ~Secret() { OPENSSL_cleanse(bytes_.data(), bytes_.size()); }
  std::vector<uint8_t>& bytes() { return bytes_; }

 private:
  std::vector<uint8_t> bytes_;
};

Result<UniqueFd> open_file(const std::string& file) {
  UniqueFd open(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!open) return wrong(file, std::string(std::strerror(errno)) + ", expected a PEM file");
  return open;
}

Result<Secret> contents(const UniqueFd& open, const std::string& file) {
  Secret secret(kLargestFile);
  size_t size = 0;
  ssize_t got = 0;
  while (size < kLargestFile && (got = ::read(open.get(), &secret.bytes()[size], kLargestFile - size)) > 0)
    size += static_cast<size_t>(got);
  if (got < 0) return wrong(file, std::string(std::strerror(errno)) + ", expected a PEM file");
  if (size == kLargestFile) return wrong(file, "found more than 1 MB, expected a PEM file");
  secret.bytes().resize(size);
  return secret;
}

OwnedBytes reader(std::vector<uint8_t>& bytes) {
  return OwnedBytes(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
}

int no_passphrase(char*, int, int, void*) { return -1; }

}  // namespace

void ServerIdentity::Free::operator()(evp_pkey_st* key) const noexcept { EVP_PKEY_free(key); }
void ServerIdentity::Free::operator()(x509_st* certificate) const noexcept { X509_free(certificate); }

ServerIdentity::ServerIdentity(ServerIdentity&&) noexcept = default;
ServerIdentity& ServerIdentity::operator=(ServerIdentity&&) noexcept = default;
ServerIdentity::~ServerIdentity() = default;

Status ServerIdentity::read_certificates(const std::string& file) {
  const Result<UniqueFd> open = open_file(file);
  if (!open) return open.error();
  Result<Secret> text = contents(*open, file);
  if (!text) return text.error();
  const OwnedBytes from = reader(text->bytes());
  while (X509* next = PEM_read_bio_X509(from.get(), nullptr, no_passphrase, nullptr))
    certificates_.emplace_back(next);
  ERR_clear_error();  // the end of the file is one
  if (certificates_.empty())
    return wrong(file, "found no certificate, expected the server's own and its chain in PEM");
  return Ok{};
}

Status ServerIdentity::read_key(const std::string& file) {
  const Result<UniqueFd> open = open_file(file);
  if (!open) return open.error();
  struct stat state {};
  if (::fstat(open->get(), &state) != 0) return wrong(file, std::strerror(errno));
  if ((state.st_mode & 077) != 0)
    return wrong(file, "found a private key that others than its owner may use, expected mode 0600 or 0400");
  Result<Secret> text = contents(*open, file);
  if (!text) return text.error();
  key_.reset(PEM_read_bio_PrivateKey(reader(text->bytes()).get(), nullptr, no_passphrase, nullptr));
  ERR_clear_error();
  if (key_ == nullptr) return wrong(file, "found no private key, expected one in PEM that is not encrypted");
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
