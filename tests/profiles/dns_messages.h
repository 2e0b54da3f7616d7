// SPDX-License-Identifier: Apache-2.0
// Short ways to write DNS messages in tests and measurements.
#pragma once

#include <string>
#include <string_view>

#include "profiles/dns/message.h"

namespace postern::profiles::dns {

inline std::string be16(size_t value) { return {static_cast<char>(value >> 8), static_cast<char>(value)}; }
inline std::string be32(size_t value) { return be16(value >> 16 & 0xffff) + be16(value & 0xffff); }

// With the root, in the case it is written in.
inline std::string wire_name(std::string_view text) {
  std::string out;
  while (!text.empty() && text != ".") {
    const size_t dot = std::min(text.find('.'), text.size());
    out += static_cast<char>(dot);
    out += text.substr(0, dot);
    text.remove_prefix(std::min(dot + 1, text.size()));
  }
  return out + '\0';
}

struct Counts {
  size_t questions = 1, answers = 0, authorities = 0, additionals = 0;
};

inline std::string header(size_t flags, const Counts& counts, size_t id = 0x1234) {
  return be16(id) + be16(flags) + be16(counts.questions) + be16(counts.answers) + be16(counts.authorities) +
         be16(counts.additionals);
}
inline std::string question(std::string_view name, size_t type = kTypeA, size_t record_class = kClassIn) {
  return wire_name(name) + be16(type) + be16(record_class);
}
// The owner is in wire form, so that it may be a pointer.
inline std::string record(const std::string& owner, size_t type, const std::string& data,
                          size_t record_class = kClassIn, size_t ttl = 300) {
  return owner + be16(type) + be16(record_class) + be32(ttl) + be16(data.size()) + data;
}
inline std::string edns(const std::string& options = {}, size_t udp_size = 1232, size_t flags = 0) {
  return record(std::string(1, '\0'), kTypeOpt, options, udp_size, flags);
}
inline std::string option(size_t code, const std::string& value) {
  return be16(code) + be16(value.size()) + value;
}

inline std::string query(std::string_view name, size_t type = kTypeA, size_t id = 0x1234) {
  return header(0x0100, {}, id) + question(name, type);
}
inline std::string query_with(std::string_view name, const std::string& opt, size_t type = kTypeA) {
  return header(0x0100, {.additionals = 1}) + question(name, type) + opt;
}
inline const std::string kToQuestion("\xc0\x0c");

inline Name name(std::string_view text) { return Name::parse(text).value(); }
inline Message read_query(const std::string& bytes) {
  return read_message(as_bytes(bytes), classify::DnsRole::Query);
}
inline Message read_answer(const std::string& bytes) {
  return read_message(as_bytes(bytes), classify::DnsRole::Response);
}

}  // namespace postern::profiles::dns
