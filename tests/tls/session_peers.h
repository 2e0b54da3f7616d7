// SPDX-License-Identifier: Apache-2.0
// A real TLS client and server at the ends of two socket pairs, with a Session between them: everything runs
// in the test's thread, in turns. Files of certificates live in a folder of their own.
#pragma once

#include <sys/socket.h>

#include <filesystem>
#include <fstream>
#include <optional>

#include "base/unique_fd.h"
#include "tests/tls/handshake_pair.h"
#include "tls/inbound_credentials.h"
#include "tls/session.h"
#include "tls/session_settings.h"

namespace postern::tls {

// A certificate for `name` and its key, in two files.
struct Imported {
  Key key;
  Certificate certificate;
  ServerIdentity::Files files;

  static Imported make(const std::filesystem::path& folder, const std::string& name, Key key);
};

class Folder {
 public:
  Folder();
  ~Folder() { std::filesystem::remove_all(path_); }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// One end: a TLS connection over its socket.
class Peer {
 public:
  Peer(SSL_CTX* settings, UniqueFd socket) : socket_(std::move(socket)), ssl_(SSL_new(settings)) {
    SSL_set_fd(ssl_.get(), socket_.get());
  }
  SSL* ssl() { return ssl_.get(); }
  int socket() const { return socket_.get(); }
  void close() { socket_ = UniqueFd(); }

  void step();  // handshake, then read what is there
  void send(std::string text) { to_send_ += std::move(text); }
  const std::string& heard() const { return heard_; }
  bool finished_handshake() const { return SSL_is_init_finished(ssl_.get()) != 0; }
  bool heard_end() const { return heard_end_; }        // close_notify
  bool heard_hangup() const { return heard_hangup_; }  // a bare end
  bool failed() const { return failed_; }

 private:
  UniqueFd socket_;
  Connection ssl_;
  std::string to_send_, heard_;
  bool heard_end_ = false, heard_hangup_ = false, failed_ = false;
};

class Exchange {
 public:
  struct Setup {
    SSL_CTX* client = nullptr;
    SSL_CTX* server = nullptr;
    std::string server_name = "bmc.lab";
    std::vector<uint8_t> alpn;
    uint16_t highest_version = TLS1_3_VERSION;
    std::unique_ptr<ClearTextInspector> inspector;
    SessionScope scope{};
    UpstreamSessions* upstream = nullptr;
    std::shared_ptr<const KeyLog> key_log;
  };
  Exchange(ServerCredentials& credentials, Setup setup);

  // Lets everybody do what it can, until nothing is expected to change any more.
  void run(int rounds = 50);
  Session& session() { return *session_; }
  Peer& client() { return *client_; }
  Peer& server() { return *server_; }
  Session::Progress progress() const { return progress_; }
  // As a TLS core does when the session is over.
  void close_sockets() {
    near_client_ = UniqueFd();
    near_server_ = UniqueFd();
  }

 private:
  OwnedSettings settings_ = new_client_settings();
  UniqueFd near_client_, near_server_;
  std::optional<Peer> client_, server_;
  std::unique_ptr<SessionRooms> rooms_ = std::make_unique<SessionRooms>();
  std::optional<Session> session_;
  Session::Progress progress_{};
};

}  // namespace postern::tls
