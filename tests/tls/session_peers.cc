// SPDX-License-Identifier: Apache-2.0
#include "tests/tls/session_peers.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>

namespace postern::tls {
namespace {

struct Pair {
  UniqueFd near, far;
};

Pair socket_pair() {
  int ends[2] = {-1, -1};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0) std::abort();
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

}  // namespace

Folder::Folder() {
  std::string name = std::filesystem::temp_directory_path() / "postern-tls-XXXXXX";
  path_ = ::mkdtemp(name.data());
}

Imported Imported::make(const std::filesystem::path& folder, const std::string& name, Key key) {
  Imported made{std::move(key), nullptr, {}};
  made.certificate = new_certificate(made.key.get());
  X509* own = made.certificate.get();
  add_name(X509_get_subject_name(own), "CN", name);
  X509_set_issuer_name(own, X509_get_subject_name(own));
  add_extension(own, NID_subject_alt_name, ("DNS:" + name + ",IP:10.4.0.5").c_str());
  X509_sign(own, made.key.get(), EVP_sha256());
  static int number = 0;
  const std::string base = folder / std::to_string(number++);
  made.files = {base + ".crt", base + ".key", {}};
  FILE* file = std::fopen(made.files.certificate.c_str(), "w");
  PEM_write_X509(file, own);
  std::fclose(file);
  file = std::fopen(made.files.key.c_str(), "w");
  PEM_write_PrivateKey(file, made.key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  std::fclose(file);
  std::filesystem::permissions(made.files.key, std::filesystem::perms::owner_read);
  return made;
}

void Peer::step() {
  if (!socket_ || failed_) return;
  ERR_clear_error();
  if (!finished_handshake()) {
    const int result = SSL_do_handshake(ssl());
    const int error = result == 1 ? SSL_ERROR_NONE : SSL_get_error(ssl(), result);
    failed_ = error != SSL_ERROR_NONE && error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE;
    if (result != 1) return;
  }
  if (!to_send_.empty()) {
    const int put =
        SSL_write(ssl(), to_send_.data(), static_cast<int>(std::min<size_t>(to_send_.size(), 16384)));
    if (put > 0) to_send_.erase(0, static_cast<size_t>(put));
  }
  char room[16384];
  for (;;) {
    const int got = SSL_read(ssl(), room, sizeof room);
    if (got > 0) {
      heard_.append(room, static_cast<size_t>(got));
      continue;
    }
    const int error = SSL_get_error(ssl(), got);
    if (error == SSL_ERROR_ZERO_RETURN) heard_end_ = true;
    if (error == SSL_ERROR_SSL || error == SSL_ERROR_SYSCALL) heard_hangup_ = true;
    return;
  }
}

Exchange::Exchange(ServerCredentials& credentials, Setup setup) {
  Pair to_client = socket_pair(), to_server = socket_pair();
  client_.emplace(setup.client, std::move(to_client.far));
  server_.emplace(setup.server, std::move(to_server.far));
  near_client_ = std::move(to_client.near);
  near_server_ = std::move(to_server.near);
  if (!setup.server_name.empty()) SSL_set_tlsext_host_name(client_->ssl(), setup.server_name.c_str());
  if (!setup.alpn.empty())
    SSL_set_alpn_protos(client_->ssl(), setup.alpn.data(), static_cast<unsigned>(setup.alpn.size()));
  SSL_set_connect_state(client_->ssl());
  SSL_set_accept_state(server_->ssl());
  session_.emplace(Session::Setup{.hello = {.server_name = setup.server_name,
                                            .alpn = setup.alpn,
                                            .highest_version = setup.highest_version,
                                            .server = *IpAddress::parse("10.4.0.5"),
                                            .scope = setup.scope},
                                  .credentials = credentials,
                                  .client_settings = settings_.get(),
                                  .rooms = *rooms_,
                                  .client_socket = near_client_.get(),
                                  .server_socket = near_server_.get(),
                                  .inspector = std::move(setup.inspector),
                                  .upstream = setup.upstream,
                                  .key_log = std::move(setup.key_log)});
}

void Exchange::run(int rounds) {
  for (int i = 0; i < rounds; ++i) {
    client_->step();
    server_->step();
    if (near_client_) progress_ = session_->advance();
  }
}

}  // namespace postern::tls
