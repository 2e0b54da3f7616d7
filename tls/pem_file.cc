// SPDX-License-Identifier: Apache-2.0
#include "tls/pem_file.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/unique_fd.h"

namespace postern::tls {
namespace {

constexpr size_t kLargestFile = 1 << 20;

Error wrong(const std::string& file, const std::string& found_and_expected) {
  return Error{found_and_expected, file};
}

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

// The first line is the passphrase.
int from_file(char* room, int size, int, void* secret) {
  if (secret == nullptr) return -1;
  const std::vector<uint8_t>& text = static_cast<Secret*>(secret)->bytes();
  const auto end = std::find_if(text.begin(), text.end(), [](uint8_t c) { return c == '\n' || c == '\r'; });
  if (end - text.begin() > size) return -1;
  std::copy(text.begin(), end, room);
  return static_cast<int>(end - text.begin());
}

}  // namespace

Result<Secret> read_public_file(const std::string& file) {
  const Result<UniqueFd> open = open_file(file);
  if (!open) return open.error();
  return contents(*open, file);
}

Result<Secret> read_private_file(const std::string& file) {
  const Result<UniqueFd> open = open_file(file);
  if (!open) return open.error();
  struct stat state {};
  if (::fstat(open->get(), &state) != 0) return wrong(file, std::strerror(errno));
  if ((state.st_mode & 077) != 0)
    return wrong(file, "found a secret that others than its owner may use, expected mode 0600 or 0400");
  return contents(*open, file);
}

Result<Certificates> read_certificates(const std::string& file) {
  Result<Secret> text = read_public_file(file);
  if (!text) return text.error();
  const OwnedBytes from = text->reader();
  Certificates found;
  while (X509* next = PEM_read_bio_X509(from.get(), nullptr, from_file, nullptr)) found.emplace_back(next);
  const unsigned long end = ERR_peek_last_error();
  ERR_clear_error();
  if (ERR_GET_LIB(end) != ERR_LIB_PEM || ERR_GET_REASON(end) != PEM_R_NO_START_LINE)
    return wrong(file, "found damage after certificate " + std::to_string(found.size()) + ", expected PEM");
  return found;
}

Result<OwnedKey> read_private_key(const std::string& file, const std::string& passphrase_file) {
  Result<Secret> text = read_private_file(file);
  if (!text) return text.error();
  Result<Secret> passphrase{Secret(0)};
  if (!passphrase_file.empty()) passphrase = read_private_file(passphrase_file);
  if (!passphrase) return passphrase.error();
  Secret* secret = passphrase_file.empty() ? nullptr : &*passphrase;
  OwnedKey key(PEM_read_bio_PrivateKey(text->reader().get(), nullptr, from_file, secret));
  ERR_clear_error();
  if (key != nullptr) return key;
  if (secret == nullptr)
    return wrong(file, "found no private key, expected one in PEM that is not encrypted");
  return wrong(
      file, "found no private key, expected one in PEM that the passphrase of " + passphrase_file + " opens");
}

}  // namespace postern::tls
