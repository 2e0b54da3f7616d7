// SPDX-License-Identifier: Apache-2.0
// What travels between workers and TLS cores: packets of adopted flows and frames for the wire, and between
// them, in the same rings and so in order, requests and reports. All of them are mbufs of a pool of their own: a
// core that hangs does not take the wires' buffers away. Rings are bounded; who finds one full counts the packet
// as lost.
#pragma once

#include <rte_mbuf.h>
#include <rte_ring.h>

#include <array>
#include <atomic>
#include <cstring>
#include <memory>
#include <type_traits>
#include <vector>

#include "base/decrypt_reason.h"
#include "classify/tls_facts.h"
#include "dataplane/burst.h"
#include "dataplane/tcp_adoption.h"

namespace postern::dataplane {

enum class TlsMessage : uint8_t {
  Packet,  // to a core: of an adopted flow, as it would leave the wire's other side
  Adopt,   // to a core: AdoptionRequest
  Abort,   // to a core: another policy drops the flow
  Forget,  // to a core: the worker has forgotten the flow
  Frame,   // to a worker: ready for `port`
  Report,  // to a worker: SessionReport
};

// Which flow of which worker a message is about. The stamp tells it from a later flow of the same record.
struct TlsTag {
  TlsMessage kind{};
  uint8_t worker = 0;
  PortIndex port;  // Packet: where it came in; Frame: where it goes out
  uint32_t flow = kNoFlow;
  uint32_t stamp = 0;
};

// In fields that drivers fill when they receive and do not read when they send.
inline void write_tag(rte_mbuf& message, const TlsTag& tag) noexcept {
  message.packet_type = static_cast<uint32_t>(tag.kind) | uint32_t{tag.worker} << 8;
  message.port = tag.port.value;
  message.hash.fdir.lo = tag.flow;
  message.hash.fdir.hi = tag.stamp;
}
inline TlsTag read_tag(const rte_mbuf& message) noexcept {
  return {static_cast<TlsMessage>(message.packet_type & 0xff), static_cast<uint8_t>(message.packet_type >> 8),
          PortIndex{static_cast<uint8_t>(message.port)}, message.hash.fdir.lo, message.hash.fdir.hi};
}

// Ethernet header with its tags, as it goes before an IP packet on the wire.
struct EthernetHeader {
  uint8_t size = 0;
  std::array<uint8_t, 22> bytes{};
  Bytes view() const noexcept { return Bytes(bytes).first(size); }
};

// Of a frame that parse took for IP: at most two tags.
inline EthernetHeader ethernet_of(Bytes frame) noexcept {
  EthernetHeader header;
  size_t size = 14;
  while (size < 22 && size + 4 <= frame.size()) {
    const uint16_t type = load_be16(&frame[size - 2]);
    if (type != 0x8100 && type != 0x88a8 && type != 0x9100) break;
    size += 4;
  }
  if (size > frame.size()) return header;
  header.size = static_cast<uint8_t>(size);
  std::memcpy(header.bytes.data(), frame.data(), size);
  return header;
}

struct AdoptionRequest {
  TcpLeg to_client, to_server;
  EthernetHeader for_client, for_server;  // until the server's and the client's own frames show them
  PortIndex client_port;                  // where the client's packets come in
  Timestamp asked = 0;
  classify::TlsFacts facts;
};

struct SessionReport {
  enum class Event : uint8_t { Opened, Ended } event{};
  DecryptReason reason{};  // of an end; None: the peers have parted in order
  bool was_open = false;   // an end after Opened
  classify::TlsFacts facts;
};

// A value as the contents of a message. The pool's buffers hold at least 2 KB.
template <typename T>
void write_body(rte_mbuf& message, const T& value) noexcept {
  static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= 1800);
  std::memcpy(rte_pktmbuf_append(&message, sizeof value), &value, sizeof value);
}
template <typename T>
T read_body(const rte_mbuf& message) noexcept {
  static_assert(std::is_trivially_copyable_v<T>);
  T value;
  std::memcpy(&value, rte_pktmbuf_mtod(&message, const void*), sizeof value);
  return value;
}

// The way to one TLS core. It sleeps in epoll when it has nothing to do; whoever puts something into its ring
// then wakes it, one system call per sleep.
struct TlsCoreLink {
  rte_ring* inbox = nullptr;  // from all workers
  std::atomic<bool> asleep{false};
  UniqueFd wake;  // eventfd
};

struct TlsLinks {
  std::vector<std::unique_ptr<TlsCoreLink>> cores;
  std::vector<rte_ring*> workers;  // to each worker, from all cores
  rte_mempool* pool = nullptr;
};

}  // namespace postern::dataplane
