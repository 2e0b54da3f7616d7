// SPDX-License-Identifier: Apache-2.0
#include "tls/peer_socket.h"

#include <openssl/bio.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

namespace postern::tls {
namespace {

struct FreeMethod {
  void operator()(BIO_METHOD* method) const noexcept { BIO_meth_free(method); }
};

bool waits() noexcept { return errno == EAGAIN; }

}  // namespace

// OpenSSL's name for a table of functions; it never changes.
const BIO_METHOD* PeerSocket::method() noexcept {
  static const std::unique_ptr<BIO_METHOD, FreeMethod> made = [] {
    std::unique_ptr<BIO_METHOD, FreeMethod> fresh(
        BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "peer"));
    const bool ok = fresh != nullptr && BIO_meth_set_read(fresh.get(), read) == 1 &&
                    BIO_meth_set_write(fresh.get(), write) == 1 &&
                    BIO_meth_set_ctrl(fresh.get(), control) == 1;
    return ok ? std::move(fresh) : nullptr;
  }();
  return made.get();
}

PeerSocket& PeerSocket::of(BIO* bio) noexcept { return *static_cast<PeerSocket*>(BIO_get_data(bio)); }

bool PeerSocket::serve(ssl_st* connection) noexcept {
  BIO* bio = method() == nullptr ? nullptr : BIO_new(method());
  if (bio == nullptr) return false;
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(connection, bio, bio);
  return true;
}

// A short read of a stream means that nothing is left (epoll(7)), unless it is the end that is left, which is
// told of by the same event as the bytes before it.
int PeerSocket::read(BIO* bio, char* room, int size) noexcept {
  PeerSocket& self = of(bio);
  BIO_clear_retry_flags(bio);
  if (self.drained_) {
    BIO_set_retry_read(bio);
    return -1;
  }
  const ssize_t got = ::recv(self.socket_, room, static_cast<size_t>(size), 0);
  self.ended_ = got == 0;
  if (got < 0 && waits()) BIO_set_retry_read(bio);
  self.drained_ = !self.ending_ && got != 0 && got < size;
  return static_cast<int>(got);
}

int PeerSocket::write(BIO* bio, const char* bytes, int size) noexcept {
  PeerSocket& self = of(bio);
  BIO_clear_retry_flags(bio);
  Bytes rest{reinterpret_cast<const uint8_t*>(bytes), static_cast<size_t>(size)};
  Outcome before = self.send_kept();
  if (self.gathering_ != nullptr && before == Outcome::Done) {
    if (self.gathered_ + rest.size() > self.gathering_->size()) before = self.send_gathered();
    if (before == Outcome::Done && rest.size() <= self.gathering_->size()) {
      std::copy(rest.begin(), rest.end(), self.gathering_->begin() + static_cast<ptrdiff_t>(self.gathered_));
      self.gathered_ += rest.size();
      return size;
    }
  }
  if (before == Outcome::Done) before = self.send(rest);
  const int taken = size - static_cast<int>(rest.size());
  if (taken > 0) return taken;
  if (before == Outcome::Waits) BIO_set_retry_write(bio);
  return -1;
}

long PeerSocket::control(BIO* bio, int what, long, void*) noexcept {
  if (what == BIO_CTRL_EOF) return of(bio).ended_ ? 1 : 0;
  return what == BIO_CTRL_FLUSH ? 1 : 0;  // a handshake's flight is never gathered
}

PeerSocket::Outcome PeerSocket::send(Bytes& bytes) noexcept {
  while (!bytes.empty()) {
    const ssize_t put = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (put < 0) return waits() ? Outcome::Waits : Outcome::Broken;
    bytes = bytes.subspan(static_cast<size_t>(put));
  }
  return Outcome::Done;
}

PeerSocket::Outcome PeerSocket::send_kept() noexcept {
  if (kept_.empty()) return Outcome::Done;
  Bytes rest = kept_;
  const Outcome outcome = send(rest);
  kept_ = std::vector<uint8_t>(rest.begin(), rest.end());
  return outcome;
}

PeerSocket::Outcome PeerSocket::flush() noexcept {
  const Outcome outcome = send_gathered();
  gathering_ = nullptr;
  return outcome;
}

PeerSocket::Outcome PeerSocket::send_gathered() noexcept {
  Outcome outcome = send_kept();
  if (gathered_ == 0) return outcome;
  Bytes rest = Bytes(*gathering_).first(gathered_);
  gathered_ = 0;
  if (outcome == Outcome::Done) outcome = send(rest);
  if (outcome == Outcome::Waits) kept_.insert(kept_.end(), rest.begin(), rest.end());
  return outcome;
}

}  // namespace postern::tls
