// SPDX-License-Identifier: Apache-2.0
#include "tls/session.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>
#include <limits>

namespace postern::tls {
namespace {

constexpr size_t kShare =
    256 * 1024;               // bytes of one call, so that a bulk transfer does not starve the others
constexpr int kTogether = 4;  // records; what one segment of the kernel's can carry

// OpenSSL takes the copy over. False: no memory.
bool set_staple(ssl_st* connection, Bytes der) noexcept {
  void* copy = OPENSSL_memdup(der.data(), der.size());
  if (copy == nullptr) return false;
  SSL_set_tlsext_status_ocsp_resp(connection, static_cast<unsigned char*>(copy),
                                  static_cast<long>(der.size()));
  return true;
}

Bytes staple_of(ssl_st* connection) noexcept {
  const unsigned char* der = nullptr;
  const long size = SSL_get_tlsext_status_ocsp_resp(connection, &der);
  return size > 0 ? Bytes(der, static_cast<size_t>(size)) : Bytes{};
}

bool waits(int error) noexcept { return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE; }

}  // namespace

void Session::Free::operator()(ssl_st* connection) const noexcept { SSL_free(connection); }

Session::Session(Setup setup)
    : hello_(std::move(setup.hello)),
      credentials_(setup.credentials),
      rooms_(setup.rooms),
      client_socket_(setup.client_socket),
      server_socket_(setup.server_socket),
      client_end_(setup.client_socket),
      server_end_(setup.server_socket),
      inspector_(std::move(setup.inspector)),
      upstream_(setup.upstream),
      key_log_(std::move(setup.key_log)) {
  server_.reset(SSL_new(setup.client_settings));
  greet_server();
}

Session::~Session() = default;

int Session::receiver_socket(Direction d) const noexcept {
  return d == Direction::ToServer ? server_socket_ : client_socket_;
}

// With the client's own words, so that the server chooses as it would have for the client.
void Session::greet_server() noexcept {
  ssl_st* server = server_.get();
  bool ok = server != nullptr && server_end_.serve(server);
  if (ok && !hello_.server_name.empty())
    ok = SSL_set_tlsext_host_name(server, hello_.server_name.c_str()) == 1;
  // 0 is success here.
  if (ok && !hello_.alpn.empty())
    ok = SSL_set_alpn_protos(server, hello_.alpn.data(), static_cast<unsigned>(hello_.alpn.size())) == 0;
  if (ok) ok = SSL_set_max_proto_version(server, std::min<int>(hello_.highest_version, TLS1_3_VERSION)) == 1;
  if (!ok) return abort(DecryptReason::ServerHandshake);
  resume_upstream();
  log_keys_of(server);
  SSL_set_connect_state(server);
}

void Session::resume_upstream() noexcept {
  if (upstream_ == nullptr) return;
  SSL_set_app_data(server_.get(), this);
  SSL_CTX_sess_set_new_cb(SSL_get_SSL_CTX(server_.get()), keep_upstream);
  UpstreamSessions::Known known = upstream_->take(hello_.scope);
  if (known.session == nullptr || SSL_set_session(server_.get(), known.session.get()) != 1) return;
  staple_ = std::move(known.ocsp);
}

// What the server has shown is in the session, but for its stapled answer.
int Session::keep_upstream(ssl_st* server, ssl_session_st* fresh) noexcept {
  auto* session = static_cast<Session*>(SSL_get_app_data(server));
  const Bytes staple = staple_of(server);
  const Bytes shown = staple.empty() ? Bytes(session->staple_) : staple;
  session->upstream_->put(session->hello_.scope,
                          {.session = std::unique_ptr<ssl_session_st, UpstreamSessions::Free>(fresh),
                           .ocsp = {shown.begin(), shown.end()}});
  return 1;
}

void Session::greet_client() noexcept {
  const bool resumed = SSL_session_reused(server_.get()) == 1;
  if (!resumed) staple_.clear();
  if (resumed && !staple_.empty() && !set_staple(server_.get(), staple_))
    return abort(DecryptReason::ServerHandshake);
  const ServerCredentials::Shown shown = credentials_.shown_to_client(hello_, server_.get());
  fault_ = shown.fault;
  if (shown.settings == nullptr) return abort(shown.reason);
  client_.reset(SSL_new(shown.settings));
  ssl_st* client = client_.get();
  const bool ok = client != nullptr && client_end_.serve(client) &&
                  SSL_set_max_proto_version(client, SSL_version(server_.get())) == 1 &&
                  SSL_set_session_id_context(client, hello_.scope.data(), hello_.scope.size()) == 1 &&
                  (shown.staple.empty() || set_staple(client, shown.staple));
  if (!ok) return abort(DecryptReason::ClientHandshake);
  SSL_set_app_data(client, this);
  log_keys_of(client);
  SSL_CTX_set_alpn_select_cb(shown.settings, choose_protocol, nullptr);
  SSL_set_accept_state(client);
  phase_ = Phase::Client;
}

// Settings are shared with sessions that have no log.
void Session::log_keys_of(ssl_st* connection) noexcept {
  if (!key_log_) return;
  SSL_set_app_data(connection, this);
  SSL_CTX_set_keylog_callback(SSL_get_SSL_CTX(connection), [](const SSL* of, const char* line) {
    const auto* session = static_cast<const Session*>(SSL_get_app_data(of));
    if (session != nullptr && session->key_log_) session->key_log_->write(line);
  });
}

int Session::choose_protocol(ssl_st* client, const unsigned char** out, unsigned char* size,
                             const unsigned char* offered, unsigned offered_size, void*) noexcept {
  const auto* session = static_cast<const Session*>(SSL_get_app_data(client));
  const unsigned char* taken = nullptr;
  unsigned taken_size = 0;
  SSL_get0_alpn_selected(session->server_.get(), &taken, &taken_size);
  if (taken_size == 0) return SSL_TLSEXT_ERR_NOACK;
  for (unsigned at = 0; at < offered_size && offered[at] < offered_size - at; at += 1u + offered[at]) {
    const Bytes name{offered + at + 1, offered[at]};
    if (!std::equal(name.begin(), name.end(), taken, taken + taken_size)) continue;
    *out = name.data();
    *size = offered[at];
    return SSL_TLSEXT_ERR_OK;
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

// True when it is finished.
bool Session::handshake(ssl_st* connection, DecryptReason blame) noexcept {
  ERR_clear_error();
  const int result = SSL_do_handshake(connection);
  if (result == 1) return true;
  const int error = SSL_get_error(connection, result);
  if (error == SSL_ERROR_WANT_X509_LOOKUP) {
    abort(DecryptReason::MutualTls);
  } else if (!waits(error)) {
    if (connection == client_.get()) note_objection(error);
    const bool told = objection_ != ClientObjection::None && objection_ != ClientObjection::Left;
    abort(told ? DecryptReason::ClientRefused : blame);
  }
  return false;
}

// Of a client that has not finished its handshake, or has said nothing since.
void Session::note_objection(int error) noexcept {
  if (error == SSL_ERROR_ZERO_RETURN || error == SSL_ERROR_SYSCALL) objection_ = ClientObjection::Left;
  if (error != SSL_ERROR_SSL) return;
  switch (ERR_GET_REASON(ERR_peek_error()) - SSL_AD_REASON_OFFSET) {
    case SSL_AD_BAD_CERTIFICATE:
      objection_ = ClientObjection::BadCertificate;
      break;
    case SSL_AD_CERTIFICATE_UNKNOWN:
      objection_ = ClientObjection::CertificateUnknown;
      break;
    case SSL_AD_UNKNOWN_CA:
      objection_ = ClientObjection::UnknownCa;
      break;
    default:
      break;
  }
}

void Session::abort(DecryptReason reason) noexcept {
  if (phase_ == Phase::Over) return;
  phase_ = Phase::Over;
  reason_ = reason;
}

void Session::expect_end() noexcept {
  client_end_.expect_end();
  server_end_.expect_end();
}

Session::Progress Session::advance() noexcept {
  client_end_.notice();
  server_end_.notice();
  if (phase_ == Phase::Server && handshake(server_.get(), DecryptReason::ServerHandshake)) greet_client();
  if (phase_ == Phase::Client && handshake(client_.get(), DecryptReason::ClientHandshake)) {
    open();
  }
  if (phase_ == Phase::Open) return carry();
  return phase_ == Phase::Over ? Progress::Over : Progress::Waiting;
}

void Session::open() noexcept {
  phase_ = Phase::Open;
  established_ = true;
  if (inspector_) inspector_->opened(protocol());
}

std::string_view Session::protocol() const noexcept {
  const unsigned char* name = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(server_.get(), &name, &size);
  return {reinterpret_cast<const char*>(name), size};
}

Session::Progress Session::carry() noexcept {
  size_t share = 0;
  for (size_t moved = 1; moved > 0 && share < kShare && phase_ == Phase::Open; share += moved)
    moved = move(Direction::ToServer) + move(Direction::ToClient);
  if (phase_ == Phase::Over) return Progress::Over;
  if (half(Direction::ToServer).told && half(Direction::ToClient).told) {
    phase_ = Phase::Over;
    return Progress::Over;
  }
  return share < kShare ? Progress::Waiting : Progress::Busy;
}

// Clear bytes that the receiver has taken.
size_t Session::move(Direction direction) noexcept {
  Half& h = half(direction);
  if (phase_ != Phase::Open || h.told) return 0;
  const uint64_t before = h.passed;
  PeerSocket& to = receiver_end(direction);
  to.gather(rooms_.sealed);
  for (int i = 0; i < kTogether && move_record(direction);) ++i;
  const PeerSocket::Outcome sent = to.flush();
  keep_rest(h);
  if (phase_ != Phase::Open) return h.passed - before;
  if (sent == PeerSocket::Outcome::Broken) broken();
  if (sent == PeerSocket::Outcome::Done && h.rest.empty() && h.ending != Ending::None) tell_end(direction);
  return h.passed - before;
}

// False: there is nothing more to move now.
bool Session::move_record(Direction direction) noexcept {
  Half& h = half(direction);
  if (h.rest.empty() && h.ending == Ending::None) read(direction);
  return phase_ == Phase::Open && !h.rest.empty() && !h.waits && write(direction);
}

// An idle session holds no clear bytes.
void Session::keep_rest(Half& h) noexcept {
  if (h.rest.empty()) {
    h.kept = {};
  } else if (h.kept.empty() || h.rest.data() < h.kept.data() ||
             h.rest.data() >= h.kept.data() + h.kept.size()) {
    h.kept.assign(h.rest.begin(), h.rest.end());
    h.rest = h.kept;
  }
}

void Session::read(Direction direction) noexcept {
  Half& h = half(direction);
  ssl_st* from = sender(direction);
  if (sender_end(direction).drained() && SSL_has_pending(from) == 0) return;
  ERR_clear_error();
  const int got = SSL_read(from, rooms_.clear.data(), static_cast<int>(rooms_.clear.size()));
  if (got > 0) {
    h.rest = Bytes(rooms_.clear).first(static_cast<size_t>(got));
    if (!inspector_) return;
    const ClearTextInspector::Ruling ruling = inspector_->inspect(direction, h.rest);
    h.waits = ruling == ClearTextInspector::Ruling::Wait;
    if (ruling == ClearTextInspector::Ruling::Block) abort(DecryptReason::ContentBlocked);
    return;
  }
  const int error = SSL_get_error(from, got);
  if (waits(error)) return;
  const bool silent =
      direction == Direction::ToServer && h.passed == 0 && half(Direction::ToClient).ending == Ending::None;
  if (silent) note_objection(error);
  if (error != SSL_ERROR_ZERO_RETURN) return broken();
  // The receiver is told in the same way, so it notices a truncation that the sender did not mean.
  h.ending = BIO_eof(SSL_get_rbio(from)) != 0 ? Ending::Cut : Ending::Closed;
}

// False: the receiver takes no more now.
bool Session::write(Direction direction) noexcept {
  Half& h = half(direction);
  ssl_st* to = receiver(direction);
  while (!h.rest.empty()) {
    ERR_clear_error();
    const int put = SSL_write(to, h.rest.data(), static_cast<int>(h.rest.size()));
    if (put <= 0) {
      if (!waits(SSL_get_error(to, put))) broken();
      return false;
    }
    h.rest = h.rest.subspan(static_cast<size_t>(put));
    h.passed += static_cast<size_t>(put);
  }
  return true;
}

void Session::tell_end(Direction direction) noexcept {
  Half& h = half(direction);
  ssl_st* to = receiver(direction);
  ERR_clear_error();
  if (h.ending == Ending::Closed) {
    const int result = SSL_shutdown(to);
    if (result < 0) {
      if (!waits(SSL_get_error(to, result))) broken();
      return;
    }
  }
  ::shutdown(receiver_socket(direction), SHUT_WR);
  h.told = true;
}

// A peer that has said its last word may leave without hearing the other's.
void Session::broken() noexcept {
  const bool last_word = half(Direction::ToServer).told || half(Direction::ToClient).told;
  abort(last_word ? DecryptReason::None : DecryptReason::PeerReset);
}

SessionFacts Session::facts() const {
  SessionFacts facts;
  facts.version = static_cast<uint16_t>(SSL_version(server_.get()));
  facts.cipher_suite = SSL_CIPHER_get_protocol_id(SSL_get_current_cipher(server_.get()));
  facts.client_resumed = SSL_session_reused(client_.get()) == 1;
  facts.server_resumed = SSL_session_reused(server_.get()) == 1;
  facts.alpn.append(protocol());
  if (X509* shown = SSL_get0_peer_certificate(server_.get()); shown != nullptr) {
    unsigned char* der = nullptr;
    const int length = i2d_X509(shown, &der);
    if (length > 0) facts.certificate.assign(der, der + length);
    OPENSSL_free(der);
  }
  return facts;
}

}  // namespace postern::tls
