// SPDX-License-Identifier: Apache-2.0
// Builds ClientHellos as clients send them, for tests.
#pragma once

#include <algorithm>

#include "wire_bytes.h"

namespace postern::classify {

inline std::string extension(size_t type, const std::string& body) {
  return be16(type) + be16(body.size()) + body;
}

inline std::string server_name(const std::string& name) {
  const std::string entry = '\0' + be16(name.size()) + name;
  return extension(0, be16(entry.size()) + entry);
}

inline const std::string kAlpnH2Http11 = extension(16, hex("000c 02 6832 08 687474702f312e31"));
inline const std::string kVersions13And12 = extension(43, hex("06 0a0a 0304 0303"));

inline std::string hello_body(const std::string& extensions) {
  return hex("0303") + std::string(32, 'r') + hex("20") + std::string(32, 's') + hex("0006 1301 1302 c02f") +
         hex("01 00") + (extensions.empty() ? "" : be16(extensions.size()) + extensions);
}

inline std::string handshake(const std::string& body) { return hex("01") + be24(body.size()) + body; }
inline std::string record(const std::string& content) {
  return hex("16 0301") + be16(content.size()) + content;
}

inline std::string client_hello(const std::string& extensions) {
  return record(handshake(hello_body(extensions)));
}

// The same hello cut into records of `size` bytes.
inline std::string in_records(const std::string& message, size_t size) {
  std::string out;
  for (size_t at = 0; at < message.size(); at += size) out += record(message.substr(at, size));
  return out;
}

inline std::string usual_hello() {
  return client_hello(server_name("bmc7.example.net") + kAlpnH2Http11 + kVersions13And12);
}

}  // namespace postern::classify
