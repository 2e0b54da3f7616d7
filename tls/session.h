// SPDX-License-Identifier: Apache-2.0
// One decrypted session: two TLS connections over two connected sockets, whose clear bytes go from one to the
// other past an inspector. The server's handshake comes first; the client is answered with its version and
// protocol, never with more or less than the server took. The sockets stay the caller's. One TLS core.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "base/ids.h"
#include "base/text.h"
#include "tls/clear_text.h"
#include "tls/key_log.h"
#include "tls/peer_socket.h"
#include "tls/server_credentials.h"

namespace postern::tls {

// What the handshakes led to, for the log.
struct SessionFacts {
  uint16_t version = 0, cipher_suite = 0;
  FixedText<32> alpn;
  std::vector<uint8_t> certificate;  // the server's own, DER
  bool client_resumed = false, server_resumed = false;
};

// What a client does about the certificate that it was shown: an alert that says it, or it leaves without a
// byte. Pinned programs do either.
enum class ClientObjection : uint8_t { None, BadCertificate, CertificateUnknown, UnknownCa, Left };
// Where sessions of a core put what they move, one after the other.
struct SessionRooms {
  std::array<uint8_t, 16384> clear;  // bytes of the largest record
  PeerSocket::Gathering sealed;
};

class Session {
 public:
  struct Setup {
    SessionHello hello;
    ServerCredentials& credentials;                 // outlives the handshakes
    ssl_ctx_st* client_settings = nullptr;          // of new_client_settings; outlives the session
    SessionRooms& rooms;                            // outlives the session
    int client_socket = -1, server_socket = -1;     // non-blocking
    std::unique_ptr<ClearTextInspector> inspector;  // may be null
    UpstreamSessions* upstream = nullptr;           // null: no session with servers goes on
    std::shared_ptr<const KeyLog> key_log;          // null, but where the site asks for one
  };
  explicit Session(Setup setup);
  ~Session();

  enum class Progress : uint8_t {
    Waiting,  // for its sockets
    Busy,     // has had its share; call again
    Over,     // see `reason`: None is an orderly end, everything else asks for resets
  };
  // Does what can be done now. For any event of its sockets, which are told of by edges.
  Progress advance() noexcept;
  void expect_end() noexcept;  // the event said that a peer speaks no more
  void abort(DecryptReason reason) noexcept;
  // The inspector's answer for bytes that wait; call `advance` afterwards.
  void pass(Direction direction) noexcept { half(direction).waits = false; }

  bool holds(Direction direction) const noexcept { return half(direction).waits; }

  bool established() const noexcept { return phase_ == Phase::Open || established_; }
  DecryptReason reason() const noexcept { return reason_; }
  uint64_t bytes(Direction direction) const noexcept { return half(direction).passed; }  // clear ones
  SessionFacts facts() const;                                 // of an established session
  CertificateFault fault() const noexcept { return fault_; }  // of the server's certificates
  ClientObjection objection() const noexcept { return objection_; }

 private:
  enum class Phase : uint8_t { Server, Client, Open, Over };
  enum class Ending : uint8_t { None, Closed, Cut };  // by close_notify, or by a bare FIN
  struct Free {
    void operator()(ssl_st* connection) const noexcept;
  };
  using Connection = std::unique_ptr<ssl_st, Free>;
  struct Half {
    Bytes rest;                 // clear bytes that the receiver has not taken yet
    std::vector<uint8_t> kept;  // has them between two calls of `advance`
    Ending ending{};
    bool told = false;   // the receiver knows of the end
    bool waits = false;  // for the inspector's answer
    uint64_t passed = 0;
  };

  Half& half(Direction d) noexcept { return halves_[static_cast<size_t>(d)]; }
  const Half& half(Direction d) const noexcept { return halves_[static_cast<size_t>(d)]; }
  ssl_st* sender(Direction d) const noexcept {
    return d == Direction::ToServer ? client_.get() : server_.get();
  }
  ssl_st* receiver(Direction d) const noexcept { return sender(other(d)); }
  PeerSocket& receiver_end(Direction d) noexcept {
    return d == Direction::ToServer ? server_end_ : client_end_;
  }
  const PeerSocket& sender_end(Direction d) const noexcept {
    return d == Direction::ToServer ? client_end_ : server_end_;
  }
  int receiver_socket(Direction d) const noexcept;

  void greet_server() noexcept;
  void greet_client() noexcept;
  void resume_upstream() noexcept;
  void note_objection(int error) noexcept;
  static int keep_upstream(ssl_st* server, ssl_session_st* fresh) noexcept;
  bool handshake(ssl_st* connection, DecryptReason blame) noexcept;
  void open() noexcept;
  std::string_view protocol() const noexcept;  // that the server took
  void log_keys_of(ssl_st* connection) noexcept;
  static int choose_protocol(ssl_st*, const unsigned char** out, unsigned char* size,
                             const unsigned char* offered, unsigned offered_size, void* session) noexcept;
  Progress carry() noexcept;
  size_t move(Direction direction) noexcept;
  bool move_record(Direction direction) noexcept;
  void keep_rest(Half& half) noexcept;
  void read(Direction direction) noexcept;
  bool write(Direction direction) noexcept;
  void tell_end(Direction direction) noexcept;
  void broken() noexcept;

  SessionHello hello_;
  ServerCredentials& credentials_;
  SessionRooms& rooms_;
  int client_socket_, server_socket_;
  PeerSocket client_end_, server_end_;  // of the connections below
  std::unique_ptr<ClearTextInspector> inspector_;
  UpstreamSessions* upstream_;
  std::vector<uint8_t> staple_;  // of the session that goes on with the server
  std::shared_ptr<const KeyLog> key_log_;
  Connection client_, server_;
  std::array<Half, 2> halves_;  // by Direction
  Phase phase_ = Phase::Server;
  DecryptReason reason_{};
  CertificateFault fault_{};
  ClientObjection objection_{};
  bool established_ = false;
};

}  // namespace postern::tls
