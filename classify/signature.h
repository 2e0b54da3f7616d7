// SPDX-License-Identifier: Apache-2.0
// One way to recognise an application, as a catalogue writes it: a pattern, a decoder, or a pattern that a
// decoder confirms. Plain values. Control thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/ids.h"
#include "classify/port_range.h"

namespace postern::classify {

// What the bytes are that a signature looks at.
enum class Layer : uint8_t {
  Tcp,   // the first bytes of a direction
  Udp,   // one datagram
  Icmp,  // one message, ICMP and ICMPv6
  Http,  // the head of a request, in the form of http_text (profiles/http_requests.h)
  Tls,   // what a handshake shows, in the form of tls_text (classify/tls_text.h)
};
inline constexpr size_t kLayers = 5;

enum class Sender : uint8_t { Client, Server, Either };

// How far the bytes alone are believed.
enum class Confidence : uint8_t {
  Low,     // only on the signature's ports
  Medium,  // on any port, unless a stronger signature may still fit
  High,    // on any port
};

struct Signature {
  AppId application;
  Layer layer = Layer::Tcp;
  Sender sender = Sender::Client;
  std::string pattern;  // Hyperscan's PCRE, `.` matches every byte; empty: the decoder alone
  bool nocase = false;
  std::string decoder;     // name in classify/decoders; empty: the pattern suffices
  uint16_t min_bytes = 1;  // a stream shorter than this may still fit the pattern
  Confidence confidence = Confidence::High;
  std::vector<PortRange> ports;  // of the server, hints: preferred there; needed when confidence is Low
  bool bound_hosts = false;      // the server must be bound to the application by the site
  std::string file;              // where it is written, for errors
  uint32_t line = 0;
};

}  // namespace postern::classify
