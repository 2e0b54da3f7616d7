// SPDX-License-Identifier: Apache-2.0
// Queries and their answers as messages, and chance, for shapes of DNS traffic. One thread.
#pragma once

#include <algorithm>
#include <random>
#include <string>
#include <string_view>

#include "perf/traffic/dns_shapes.h"

namespace postern::perf {

inline constexpr uint16_t kA = 1, kNull = 10, kPtr = 12, kMx = 15, kTxt = 16, kAaaa = 28, kSrv = 33,
                          kCname = 5, kDs = 43, kDnskey = 48, kHttps = 65, kPrivate = 65399;
inline constexpr std::string_view kLowerLetters = "abcdefghijklmnopqrstuvwxyz",
                                  kBase32 = "abcdefghijklmnopqrstuvwxyz012345", kHex = "0123456789abcdef",
                                  kLettersDigits = "abcdefghijklmnopqrstuvwxyz0123456789";

class DnsChance {
 public:
  explicit DnsChance(uint32_t seed) : engine_(seed) {}
  size_t below(size_t bound) { return engine_() % bound; }
  size_t between(size_t least, size_t most) { return least + below(most - least + 1); }
  std::string of(std::string_view alphabet, size_t count) {
    std::string out(count, ' ');
    for (char& c : out) c = alphabet[below(alphabet.size())];
    return out;
  }
  std::string bytes(size_t count) {
    std::string out(count, ' ');
    for (char& c : out) c = static_cast<char>(engine_());
    return out;
  }

 private:
  std::mt19937 engine_;
};

inline std::string wire16(size_t value) { return {static_cast<char>(value >> 8), static_cast<char>(value)}; }
inline std::string wire_of(std::string_view name) {
  std::string out;
  while (!name.empty()) {
    const size_t dot = std::min(name.find('.'), name.size());
    out += static_cast<char>(dot);
    out += name.substr(0, dot);
    name.remove_prefix(std::min(dot + 1, name.size()));
  }
  return out + '\0';
}
// Text cut into labels of at most `most` bytes, as encoders of tunnels do.
inline std::string in_labels(std::string_view text, size_t most = 57) {
  std::string out;
  for (; !text.empty(); text.remove_prefix(std::min(most, text.size()))) {
    if (!out.empty()) out += '.';
    out += text.substr(0, most);
  }
  return out;
}
inline std::string txt_of(std::string_view text) {
  std::string out;
  for (; !text.empty(); text.remove_prefix(std::min<size_t>(255, text.size()))) {
    const std::string_view piece = text.substr(0, 255);
    out += static_cast<char>(piece.size());
    out += piece;
  }
  return out;
}

// A query, and an answer with one record of `data`, or without any where it is empty.
inline DnsTalk talk(Timestamp at, uint32_t client, std::string_view name, uint16_t type,
                    const std::string& data, uint8_t rcode = 0) {
  const std::string question = wire_of(name) + wire16(type) + wire16(1);
  const std::string id = wire16(static_cast<uint16_t>(at / kMillisecond * 7 + client));
  const std::string rest(4, '\0');
  DnsTalk made{at, client, id + wire16(0x0100) + wire16(1) + wire16(0) + rest + question, {}};
  made.answer = id + wire16(0x8180u | rcode) + wire16(1) + wire16(data.empty() ? 0 : 1) + rest + question;
  if (!data.empty())
    made.answer +=
        wire16(0xc00c) + wire16(type) + wire16(1) + wire16(0) + wire16(60) + wire16(data.size()) + data;
  return made;
}

}  // namespace postern::perf
