// SPDX-License-Identifier: Apache-2.0
// The facts of a handshake as lines "key=value\n", which signatures of the layer tls match with (?m) anchors
// and traces show. Order and keys are fixed: sni (lower case), alpn (a line per offered protocol), selected,
// version (the server's; before its answer the client's highest), cipher, ja3, ja3s, ja4, ech, subject,
// issuer, serial, name (a line per DNS name of the certificate), mutual_auth. What is not known has no line.
// Bytes of the peers that are not printable ASCII, and backslashes, are written \HH: no peer can forge a
// line. Any thread.
#pragma once

#include "base/text.h"
#include "classify/tls_facts.h"

namespace postern::classify {

// Room for the longest facts, a test shows; the engine looks at its first 2048 bytes.
using TlsText = FixedText<2560>;

TlsText tls_text(const TlsFacts& facts) noexcept;

}  // namespace postern::classify
