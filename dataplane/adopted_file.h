// SPDX-License-Identifier: Apache-2.0
// Which connections a TLS core has adopted, in a small mapped file that outlives the process: its successor
// cannot go on with them, and their peers, who may be waiting in silence, must hear of that. One TLS core.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "base/result.h"
#include "dataplane/tls_link.h"

namespace postern::dataplane {

class AdoptedFile {
 public:
  // What it takes to reach both peers.
  struct Entry {
    uint32_t used = 0;
    TcpEnd client, server;
    PortIndex client_port;
    EthernetHeader for_client, for_server;
  };
  static constexpr uint32_t kNone = 0xffffffff;

  AdoptedFile() = default;
  AdoptedFile(AdoptedFile&& other) noexcept;
  AdoptedFile& operator=(AdoptedFile&&) = delete;
  ~AdoptedFile();

  // Takes what an earlier process left, and begins anew with room for so many. The error names the file.
  static Result<AdoptedFile> open(const std::string& path, uint32_t entries);
  const std::vector<Entry>& left() const { return left_; }

  uint32_t add(const Entry& entry) noexcept;  // kNone: no room, or no file
  void remove(uint32_t index) noexcept;

 private:
  struct Header {
    std::array<char, 8> magic;
    uint32_t entry_size = 0, entries = 0;
  };
  Header* header_ = nullptr;  // of the mapping, null: none
  Entry* entries_ = nullptr;
  std::vector<uint32_t> free_;
  std::vector<Entry> left_;
};

}  // namespace postern::dataplane
