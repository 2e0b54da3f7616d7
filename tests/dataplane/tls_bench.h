// SPDX-License-Identifier: Apache-2.0
// A lane with a rule that wants every TLS flow decrypted, and the rings of one TLS core, which the test
// plays.
#pragma once

#include <sys/eventfd.h>

#include <optional>

#include "policies.h"
#include "tcp_talk.h"
#include "tests/classify/tls_hello_builder.h"

namespace postern::dataplane {

inline classify::Policy decrypt_tls(uint32_t generation = 1) {
  classify::Policy policy = wire_policy(generation);
  add_wire_rule(policy, Action::Allow, classify::app::kTls).decryption =
      classify::DecryptionMode::SslInboundInspection;
  policy.inbound_inspection = true;
  return policy;
}

inline classify::Policy proxy_tls(uint32_t generation = 1) {
  classify::Policy policy = decrypt_tls(generation);
  policy.rules.back().decryption = classify::DecryptionMode::SslForwardProxy;
  policy.inbound_inspection = false;
  policy.forward_proxy = true;
  return policy;
}

class TlsBench {
 public:
  explicit TlsBench(classify::Policy policy = decrypt_tls(), unsigned ring_size = 64) {
    static unsigned number = 0;
    const auto ring = [&](const char* name, unsigned size) {
      return rte_ring_create((name + std::to_string(number++)).c_str(), size, SOCKET_ID_ANY, RING_F_EXACT_SZ);
    };
    links.cores.push_back(std::make_unique<TlsCoreLink>());
    links.cores[0]->inbox = ring("to_core", ring_size);
    links.cores[0]->wake = UniqueFd(::eventfd(0, EFD_NONBLOCK));
    links.workers.push_back(ring("to_worker", 64));
    LaneSetup setup = lane_setup();
    setup.pipeline.tls = &links;
    lane.emplace(compiled(std::move(policy)), std::move(setup));
    links.pool = lane->buffers.pool();
  }
  ~TlsBench() {
    while (next()) continue;
    for (rte_ring* ring : {links.cores[0]->inbox, links.workers[0]}) rte_ring_free(ring);
  }

  // What the worker has put into the core's ring.
  struct Message {
    TlsTag tag;
    Octets bytes;
    std::optional<AdoptionRequest> request;
    std::optional<ClearRuling> ruling;
  };
  std::optional<Message> next() {
    void* taken = nullptr;
    if (rte_ring_dequeue(links.cores[0]->inbox, &taken) != 0) return std::nullopt;
    const Packet packet(static_cast<rte_mbuf*>(taken));
    Message message{read_tag(*packet.get()), Octets(packet.bytes().begin(), packet.bytes().end()), {}, {}};
    if (message.tag.kind == TlsMessage::Adopt) message.request = read_body<AdoptionRequest>(*packet.get());
    if (message.tag.kind == TlsMessage::Ruling) message.ruling = read_body<ClearRuling>(*packet.get());
    return message;
  }
  std::vector<Message> all() {
    std::vector<Message> messages;
    while (auto message = next()) messages.push_back(std::move(*message));
    return messages;
  }

  // What the core sends back.
  void report(const TlsTag& flow, const SessionReport& report) {
    rte_mbuf* message = rte_pktmbuf_alloc(links.pool);
    write_body(*message, report);
    TlsTag tag = flow;
    tag.kind = TlsMessage::Report;
    write_tag(*message, tag);
    lane->pipeline().take_back(&message, 1, lane->snapshot(), lane->now);
  }
  void find(const TlsTag& flow, const ClearFinding& finding) {
    rte_mbuf* message = rte_pktmbuf_alloc(links.pool);
    write_body(*message, finding);
    TlsTag tag = flow;
    tag.kind = TlsMessage::Finding;
    write_tag(*message, tag);
    lane->pipeline().take_back(&message, 1, lane->snapshot(), lane->now);
  }
  void frame(PortIndex port, const Octets& bytes) {
    rte_mbuf* message = lane->buffers.packet(bytes).release();
    write_tag(*message, {.kind = TlsMessage::Frame, .worker = 0, .port = port, .flow = 0, .stamp = 0});
    lane->pipeline().take_back(&message, 1, lane->snapshot(), lane->now);
    lane->check_accounting();
  }

  // A connection that is adopted; the tag of its flow.
  TlsTag adopt(TcpTalk& talk) {
    EXPECT_TRUE(talk.open(*lane));
    lane->receive(kFirstSide, talk.from_client(kAck | kPsh, classify::usual_hello()));
    const auto messages = all();
    EXPECT_EQ(messages.size(), 2u);
    return messages.empty() ? TlsTag{} : messages.front().tag;
  }

  TlsLinks links;
  std::optional<Lane> lane;
};

}  // namespace postern::dataplane
