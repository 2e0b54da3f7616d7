// SPDX-License-Identifier: Apache-2.0
#include "tshark.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>

namespace postern::tls {
namespace {

std::string be16(size_t value) { return {static_cast<char>(value >> 8), static_cast<char>(value)}; }
std::string le32(uint32_t value) {
  std::string out;
  for (int i = 0; i < 4; ++i) out += static_cast<char>(value >> (8 * i));
  return out;
}

// A capture of raw IPv4 (link type 101) with one segment, checksums left out.
std::string capture_of(const std::string& stream, Way way) {
  const bool out = way == Way::ToServer;
  const std::string client = {10, 0, 0, 1}, server = {10, 0, 0, 2};
  const std::string tcp = be16(out ? 50000 : 443) + be16(out ? 443 : 50000) +
                          std::string("\0\0\0\1\0\0\0\1", 8) + std::string("\x50\x18\xff\xff\0\0\0\0", 8);
  const std::string ip = std::string("\x45\0", 2) + be16(20 + tcp.size() + stream.size()) +
                         std::string("\0\1\0\0\x40\x06\0\0", 8) + (out ? client + server : server + client);
  const std::string packet = ip + tcp + stream;
  const uint32_t size = static_cast<uint32_t>(packet.size());
  return le32(0xa1b2c3d4) + std::string("\2\0\4\0", 4) + le32(0) + le32(0) + le32(262144) + le32(101) +
         le32(1) + le32(0) + le32(size) + le32(size) + packet;
}

}  // namespace

bool has_tshark() { return std::system("tshark --version >/dev/null 2>&1") == 0; }

std::optional<std::vector<std::string>> tshark_fields(const std::string& stream, Way way,
                                                      const std::vector<std::string>& fields) {
  char path[] = "/tmp/postern-tls-XXXXXX";
  const int file = mkstemp(path);
  if (file < 0) return std::nullopt;
  close(file);
  std::ofstream(path, std::ios::binary) << capture_of(stream, way);
  std::string command = "tshark -r " + std::string(path) + " -T fields -E separator=/t -E occurrence=a";
  for (const std::string& field : fields) command += " -e " + field;
  FILE* output = popen((command + " 2>/dev/null").c_str(), "r");
  std::string line;
  for (int c = 0; output != nullptr && (c = fgetc(output)) != EOF;) line += static_cast<char>(c);
  const bool good = output != nullptr && pclose(output) == 0;
  unlink(path);
  if (!good) return std::nullopt;
  if (!line.empty() && line.back() == '\n') line.pop_back();
  std::vector<std::string> values(1);
  for (const char c : line) {
    if (c == '\t') {
      values.emplace_back();
    } else {
      values.back() += c;
    }
  }
  return values;
}

}  // namespace postern::tls
