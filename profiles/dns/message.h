// SPDX-License-Identifier: Apache-2.0
// Reads DNS queries and answers in full, in place: header, question, EDNS, and every record of a type whose
// data has names or addresses; other types are passed over. Views are valid as long as the bytes. Any thread.
#pragma once

#include <optional>

#include "classify/dns_walk.h"
#include "profiles/dns/name.h"

namespace postern::profiles::dns {

// The types that somebody here asks for by name.
inline constexpr uint16_t kTypeA = 1, kTypeNs = 2, kTypeCname = 5, kTypeSoa = 6, kTypeNull = 10,
                          kTypePtr = 12, kTypeMx = 15, kTypeTxt = 16, kTypeAaaa = 28, kTypeSrv = 33,
                          kTypeDname = 39, kTypeOpt = 41, kTypeIxfr = 251, kTypeAxfr = 252, kTypeAny = 255,
                          kTypePrivate = 65399;  // iodine's, like all from 65280
inline constexpr uint16_t kClassIn = 1, kClassAny = 255;

enum class Transport : uint8_t { Udp, Tcp };

struct Edns {
  uint16_t udp_size = 0;
  uint8_t version = 0;
  bool dnssec_ok = false;
  Bytes cookie;  // data of the option COOKIE (RFC 7873): 8, or 16 to 40 bytes where it is well-formed
};

struct Message {
  Fault fault = Fault::None;  // what follows is only there without one
  Bytes bytes;
  classify::DnsHeader header{};
  Name name;  // of the question; the root where there is none
  uint16_t type = 0, record_class = 0;
  size_t question_end = 0;
  std::optional<Edns> edns;
};

// One whole message, without the length bytes of TCP.
Message read_message(Bytes bytes, classify::DnsRole role) noexcept;

// Goes through the records of a message that was read without fault.
class Records {
 public:
  enum class Section : uint8_t { Answer, Authority, Additional };

  explicit Records(const Message& message) noexcept;
  bool next() noexcept;

  Section section() const noexcept;
  const classify::DnsRecord& record() const noexcept { return walk_.record(); }
  Bytes data() const noexcept { return bytes_.subspan(record().data, record().size); }
  Name owner() const noexcept { return read_name(bytes_, record().owner).name; }
  // Of CNAME, DNAME, NS and PTR.
  Name target() const noexcept { return read_name(bytes_, record().data).name; }

 private:
  Bytes bytes_;
  classify::DnsHeader header_;
  classify::DnsWalk walk_;
  uint32_t read_ = 0;
};

// The next message of a TCP stream, whose unread bytes begin with its two length bytes (RFC 7766): clients
// may send the next query before the answer. An incomplete one needs `size` bytes in all.
struct Frame {
  Fault fault = Fault::None;
  size_t size = 0;  // with its length bytes
  Bytes message;
};
Frame next_frame(Bytes stream) noexcept;

}  // namespace postern::profiles::dns
