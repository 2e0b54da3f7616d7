// SPDX-License-Identifier: Apache-2.0
// A peer's socket as OpenSSL sees it. Records can be gathered and then go out in one piece, which the
// kernel's TCP carries for the price of one; and a socket that gave less than was asked for is not asked
// again before the next event. The socket stays the caller's. One TLS core.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "base/bytes.h"

struct bio_st;
struct bio_method_st;
struct ssl_st;

namespace postern::tls {

class PeerSocket {
 public:
  // Where records are gathered: four of the largest. All sessions of a core take turns with one.
  using Gathering = std::array<uint8_t, size_t{68} * 1024>;

  explicit PeerSocket(int socket) noexcept : socket_(socket) {}
  PeerSocket(const PeerSocket&) = delete;
  PeerSocket& operator=(const PeerSocket&) = delete;

  // The connection reads and writes here from now on, and ends before this does. False: no memory.
  bool serve(ssl_st* connection) noexcept;

  bool drained() const noexcept { return drained_; }  // nothing to read before the next event
  void notice() noexcept { drained_ = false; }        // an event: there may be something to read
  void expect_end() noexcept { ending_ = true; }      // the peer has said its last word: read until it comes

  enum class Outcome : uint8_t { Done, Waits, Broken };
  // What is written between the two goes out together. After `Waits` the rest goes with the next `flush`.
  void gather(Gathering& gathering) noexcept { gathering_ = &gathering; }
  Outcome flush() noexcept;

 private:
  static const bio_method_st* method() noexcept;
  static PeerSocket& of(bio_st* bio) noexcept;
  static int read(bio_st* bio, char* room, int size) noexcept;
  static int write(bio_st* bio, const char* bytes, int size) noexcept;
  static long control(bio_st* bio, int what, long number, void* argument) noexcept;

  Outcome send(Bytes& bytes) noexcept;  // leaves what the socket did not take
  Outcome send_kept() noexcept;
  Outcome send_gathered() noexcept;

  int socket_;
  bool drained_ = false, ending_ = false, ended_ = false;
  Gathering* gathering_ = nullptr;
  size_t gathered_ = 0;
  std::vector<uint8_t> kept_;  // that the socket had no room for
};

}  // namespace postern::tls
