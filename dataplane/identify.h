// SPDX-License-Identifier: Apache-2.0
// Finds the application of a flow from its bytes in order, and finds it again when it changes: the first
// bytes tell the protocol, a TLS or QUIC hello and every HTTP request tell what runs inside. A flow's verdict
// waits for the whole hello or head. Also collects what a TLS handshake shows for the log. One worker.
#pragma once

#include <memory>

#include "classify/policy_snapshot.h"
#include "classify/tls_fingerprint.h"
#include "dataplane/adopter.h"
#include "dataplane/burst.h"
#include "dataplane/decide.h"
#include "dataplane/flow_log.h"
#include "dataplane/flow_table.h"
#include "dataplane/stream.h"
#include "dataplane/trace.h"
#include "tls/digest.h"
#include "tls/quic_protection.h"

namespace postern::dataplane {

class Identifier {
  using Layer = classify::Layer;

 public:
  // The error says what OpenSSL lacks; the constructor needs a process in which this went well.
  static Status possible();
  Identifier(FlowTable& flows, StreamTable& streams, Decider& decider, FlowLog& log, TraceRecorder& trace,
             Adopter& adopter, unsigned worker);

  struct Moment {
    const classify::PolicySnapshot& snapshot;
    Timestamp now;
  };

  // The next bytes in order of the direction that the slot came in.
  void read(Stream& stream, const Slot& slot, Bytes fresh, const Moment& at) noexcept;

  // Nobody waits for what the stream's reader could still find.
  void abandon(Stream& stream, uint32_t flow, Timestamp now) noexcept;

  // A datagram of a flow that owes its application, or may still show another one.
  void read_datagram(const Slot& slot, const Moment& at) noexcept;

 private:
  classify::Evidence evidence_of(const Slot& slot, Bytes payload) const noexcept;
  classify::Identification first_bytes(const Slot& slot, Bytes payload, const Moment& at) noexcept;
  // What runs inside `base`, from a text that one side showed.
  AppId refined(const Slot& slot, Direction shown_by, Layer layer, AppId base, std::string_view text,
                const Moment& at) noexcept;
  void start(Stream& stream, const Slot& slot, AppId base, const Moment& at) noexcept;
  void conclude(uint32_t flow, AppId application, const Moment& at,
                classify::ExclusionSet exclusions = {}) noexcept;
  // What the site leaves end to end, and that it did.
  classify::ExclusionSet exclusions_of(const Slot& slot, const classify::TlsFacts& facts,
                                       const Moment& at) const noexcept;
  void note_exclusion(uint32_t flow, classify::TlsFacts& facts, classify::ExclusionSet exclusions,
                      const Moment& at) noexcept;
  void conclude_hopeless(uint32_t flow, AppId base, Layer layer, const Moment& at) noexcept;

  void start_tls(Stream& stream, const Slot& slot, const Moment& at) noexcept;
  void read_client_hello(Stream& stream, const Slot& slot, const Moment& at) noexcept;
  void read_server_flight(Stream& stream, const Slot& slot, const Moment& at) noexcept;
  void begin_decryption(Stream& stream, const Slot& slot, const Moment& at) noexcept;
  void note_hello(classify::TlsFacts& facts, const classify::TlsClientHelloView& hello,
                  classify::Transport transport) noexcept;
  void note_flight(classify::TlsFacts& facts, const classify::TlsServerFlight& flight) noexcept;
  void finish_tls(Stream& stream, uint32_t flow, Timestamp now) noexcept;

  void start_http(Stream& stream, const Slot& slot, const Moment& at) noexcept;
  void read_http(Stream& stream, const Slot& slot, Direction direction, Bytes bytes,
                 const Moment& at) noexcept;
  void judge_request(Stream& stream, const Slot& slot, const Moment& at) noexcept;

  void read_expected(const Slot& slot, const Moment& at) noexcept;
  void read_quic(Stream& stream, const Slot& slot, const Moment& at) noexcept;

  FlowTable& flows_;
  StreamTable& streams_;
  Decider& decider_;
  FlowLog& log_;
  TraceRecorder& trace_;
  Adopter& adopter_;
  unsigned worker_;
  tls::Digests digests_;
  tls::QuicProtection quic_;
  std::unique_ptr<classify::TlsHandshakeStorage> handshake_ =
      std::make_unique<classify::TlsHandshakeStorage>();
};

}  // namespace postern::dataplane
