// SPDX-License-Identifier: Apache-2.0
#include "dataplane/capture_reader.h"

#include <pcap/pcap.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <variant>
#include <vector>

namespace postern::dataplane {
namespace {

// Registered link types, and the values libpcap uses in memory for two of them.
enum class Link : uint16_t {
  Null = 0,
  Ethernet = 1,
  RawBsd = 12,
  RawOpenBsd = 14,
  Raw = 101,
  Loop = 108,
  LinuxCooked = 113,
  Ipv4 = 228,
  Ipv6 = 229,
  LinuxCooked2 = 276,
};

constexpr bool supported(Link link) {
  switch (link) {
    case Link::Null:
    case Link::Ethernet:
    case Link::RawBsd:
    case Link::RawOpenBsd:
    case Link::Raw:
    case Link::Loop:
    case Link::LinuxCooked:
    case Link::Ipv4:
    case Link::Ipv6:
    case Link::LinuxCooked2:
      return true;
  }
  return false;
}

std::string unsupported(unsigned link) {
  return "link type " + std::to_string(link) +
         " is not supported; expected Ethernet (1), raw IP (12, 14, 101, 228, 229), Linux cooked (113, 276) "
         "or loopback (0, 108)";
}

constexpr uint16_t kIpv4Type = 0x0800, kIpv6Type = 0x86dd, kReservedType = 0xffff;
constexpr size_t kEthernetHeader = 14;

// One packet as a source found it; `data` is good until the source's next call.
struct RawPacket {
  Bytes data;
  uint32_t wire_length = 0;
  Timestamp time = 0;
  Link link{};
  std::string_view interface;
  uint32_t interface_id = 0;
};

// The ethertype that stands for a link-layer header of `header` bytes; for 802.2 frames of a cooked capture
// it is the length, as on the wire. std::nullopt: the header itself is cut.
struct LinkHeader {
  size_t header = 0;
  uint16_t type = 0;
};

LinkHeader raw_ip(Bytes packet) {
  return {0, !packet.empty() && packet[0] >> 4 == 6 ? kIpv6Type : kIpv4Type};
}

// The address family is in the byte order of the machine that captured (NULL) or in network order (LOOP); the
// number of IPv6 depends on the system.
std::optional<LinkHeader> loopback(Bytes packet) {
  if (packet.size() < 4) return std::nullopt;
  uint32_t family = load_be32(packet.data());
  if (family > 0xffff) family = __builtin_bswap32(family);
  constexpr uint32_t kInet = 2, kInet6Linux = 10, kInet6Bsd = 24, kInet6FreeBsd = 28, kInet6Darwin = 30;
  switch (family) {
    case kInet:
      return LinkHeader{4, kIpv4Type};
    case kInet6Linux:
    case kInet6Bsd:
    case kInet6FreeBsd:
    case kInet6Darwin:
      return LinkHeader{4, kIpv6Type};
    default:
      return LinkHeader{4, kReservedType};
  }
}

std::optional<LinkHeader> cooked(Bytes packet, size_t header, size_t protocol_at) {
  if (packet.size() < header) return std::nullopt;
  constexpr uint16_t kSmallestEthertype = 0x0600, kLlc = 0x0004;
  const uint16_t protocol = load_be16(packet.data() + protocol_at);
  if (protocol >= kSmallestEthertype) return LinkHeader{header, protocol};
  const size_t rest = packet.size() - header;
  if (protocol == kLlc && rest < kSmallestEthertype) return LinkHeader{header, static_cast<uint16_t>(rest)};
  return LinkHeader{header, kReservedType};
}

std::optional<LinkHeader> link_header(Link link, Bytes packet) {
  switch (link) {
    case Link::LinuxCooked:
      return cooked(packet, 16, 14);
    case Link::LinuxCooked2:
      return cooked(packet, 20, 0);
    case Link::Null:
    case Link::Loop:
      return loopback(packet);
    case Link::Ipv4:
      return LinkHeader{0, kIpv4Type};
    case Link::Ipv6:
      return LinkHeader{0, kIpv6Type};
    default:
      return raw_ip(packet);
  }
}

struct CloseFile {
  void operator()(std::FILE* file) const noexcept { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

struct EndOfFile {};
using Step = std::variant<RawPacket, EndOfFile, std::string>;  // string: what is damaged

}  // namespace

class CaptureReader::Source {
 public:
  virtual ~Source() = default;
  virtual Step next() = 0;
};

namespace {

class PcapSource : public CaptureReader::Source {
 public:
  static Result<std::unique_ptr<CaptureReader::Source>> open(const std::string& path, File file) {
    char why[PCAP_ERRBUF_SIZE] = {};
    pcap_t* opened = pcap_fopen_offline_with_tstamp_precision(file.get(), PCAP_TSTAMP_PRECISION_NANO, why);
    if (!opened) return Error{std::string("is not a capture: ") + why + "; expected pcap or pcapng", path};
    file.release();  // pcap_close closes it
    std::unique_ptr<PcapSource> source(new PcapSource(opened));
    if (!supported(source->link_)) return Error{unsupported(static_cast<unsigned>(source->link_)), path};
    return std::unique_ptr<CaptureReader::Source>(std::move(source));
  }
  ~PcapSource() override { pcap_close(pcap_); }

  Step next() override {
    pcap_pkthdr* header = nullptr;
    const u_char* data = nullptr;
    const int got = pcap_next_ex(pcap_, &header, &data);
    if (got == PCAP_ERROR_BREAK) return EndOfFile{};
    if (got != 1) return std::string(pcap_geterr(pcap_));
    if (header->caplen > kMaxCapturedBytes)
      return "has " + std::to_string(header->caplen) + " bytes; expected at most " +
             std::to_string(kMaxCapturedBytes);
    const int64_t seconds = header->ts.tv_sec,
                  nanoseconds = header->ts.tv_usec;  // unit: asked for when opened
    if (seconds < 0 || nanoseconds < 0 || nanoseconds >= static_cast<int64_t>(kSecond))
      return std::string("has an impossible time");
    return RawPacket{.data = {data, header->caplen},
                     .wire_length = header->len,
                     .time = static_cast<Timestamp>(seconds) * kSecond + static_cast<Timestamp>(nanoseconds),
                     .link = link_};
  }

 private:
  explicit PcapSource(pcap_t* opened) : pcap_(opened), link_(static_cast<Link>(pcap_datalink(opened))) {}
  pcap_t* pcap_;
  Link link_;
};

// Strict about lengths (each block states its own twice), lenient about block types and options it does not
// know.
class PcapngSource : public CaptureReader::Source {
 public:
  explicit PcapngSource(File file) : file_(std::move(file)), body_(new uint8_t[kMaxBody]) {}

  Step next() override {
    while (true) {
      uint8_t head[8];
      const size_t got = std::fread(head, 1, sizeof head, file_.get());
      if (got == 0 && !std::ferror(file_.get())) return EndOfFile{};
      if (got != sizeof head) return std::string("block header is cut");
      const uint32_t type = load32(head);
      std::optional<Step> step = block(type, head);
      if (step) return std::move(*step);
    }
  }

 private:
  static constexpr uint32_t kSectionHeader = 0x0a0d0d0a, kInterface = 1, kOldPacket = 2, kSimplePacket = 3,
                            kEnhancedPacket = 6;
  static constexpr uint32_t kMaxBody = kMaxCapturedBytes + 65536;  // packet and options

  struct Interface {
    Link link{};
    uint32_t snap_length = 0;
    std::string name;
    uint8_t resolution = 6;  // if_tsresol
    int64_t offset_seconds = 0;
  };

  uint16_t load16(const uint8_t* p) const {
    uint16_t v;
    std::memcpy(&v, p, sizeof v);
    return swapped_ ? __builtin_bswap16(v) : v;
  }
  uint32_t load32(const uint8_t* p) const {
    uint32_t v;
    std::memcpy(&v, p, sizeof v);
    return swapped_ ? __builtin_bswap32(v) : v;
  }

  // std::nullopt: nothing to yield, read on.
  std::optional<Step> block(uint32_t type, const uint8_t* head) {
    if (type == kSectionHeader) return section(head + 4);
    const uint32_t length = load32(head + 4);
    if (length < 12 || length % 4 != 0) return "block length " + std::to_string(length) + " is impossible";
    const uint32_t body = length - 12;
    const bool known =
        type == kInterface || type == kOldPacket || type == kSimplePacket || type == kEnhancedPacket;
    if (!known) return skip(body, length);
    if (body > kMaxBody)
      return "block of " + std::to_string(length) + " bytes; expected at most " + std::to_string(kMaxBody);
    if (std::fread(body_.get(), 1, body, file_.get()) != body || !ends_with(length))
      return std::string("block is cut");
    const Bytes bytes(body_.get(), body);
    if (type == kInterface) return describe(bytes);
    if (type == kSimplePacket) return simple_packet(bytes);
    return packet(bytes, type);
  }

  std::optional<Step> skip(uint32_t body, uint32_t length) {
    uint8_t waste[4096];
    for (uint32_t left = body; left > 0;) {
      const size_t want = std::min<size_t>(left, sizeof waste);
      if (std::fread(waste, 1, want, file_.get()) != want) return std::string("block is cut");
      left -= static_cast<uint32_t>(want);
    }
    if (!ends_with(length)) return std::string("block is cut");
    return std::nullopt;
  }

  bool ends_with(uint32_t length) {
    uint8_t again[4];
    return std::fread(again, 1, sizeof again, file_.get()) == sizeof again && load32(again) == length;
  }

  std::optional<Step> section(const uint8_t* length_bytes) {
    uint8_t magic[4];
    if (std::fread(magic, 1, sizeof magic, file_.get()) != sizeof magic)
      return std::string("section header is cut");
    swapped_ = false;
    constexpr uint32_t kMagic = 0x1a2b3c4d;
    if (load32(magic) == __builtin_bswap32(kMagic))
      swapped_ = true;
    else if (load32(magic) != kMagic)
      return std::string("section header without byte order magic");
    const uint32_t length = load32(length_bytes);
    if (length < 28 || length % 4 != 0 || length > kMaxBody)
      return std::string("section header has an impossible length");
    const uint32_t body = length - 16;
    if (std::fread(body_.get(), 1, body, file_.get()) != body || !ends_with(length))
      return std::string("section header is cut");
    if (load16(body_.get()) != 1)
      return "pcapng version " + std::to_string(load16(body_.get())) + "; expected 1";
    first_id_ += static_cast<uint32_t>(interfaces_.size());
    interfaces_.clear();
    return std::nullopt;
  }

  std::optional<Step> describe(Bytes body) {
    if (body.size() < 8) return std::string("interface description is cut");
    if (interfaces_.size() == kMaxInterfaces)
      return "has more than " + std::to_string(kMaxInterfaces) + " interfaces";
    Interface added{.link = static_cast<Link>(load16(body.data())), .snap_length = load32(body.data() + 4)};
    for (Bytes rest = body.subspan(8); rest.size() >= 4;) {
      const uint16_t code = load16(rest.data()), length = load16(rest.data() + 2);
      const size_t padded = (size_t{length} + 3) & ~size_t{3};
      rest = rest.subspan(4);
      if (padded > rest.size()) return std::string("interface option is cut");
      if (code == 0) break;
      if (!option(added, code, rest.first(length)))
        return "interface option " + std::to_string(code) + " is malformed";
      rest = rest.subspan(padded);
    }
    interfaces_.push_back(std::move(added));
    return std::nullopt;
  }

  bool option(Interface& of, uint16_t code, Bytes value) const {
    constexpr uint16_t kName = 2, kResolution = 9, kOffset = 14;
    if (code == kName) {
      const std::string_view text = as_text(value);
      of.name = text.substr(0, text.find('\0'));  // some writers count a terminating zero
    }
    if (code == kResolution) {
      if (value.size() != 1) return false;
      of.resolution = value[0];
      return (value[0] & 0x80) != 0 ? (value[0] & 0x7f) < 64 : value[0] < 20;
    }
    if (code == kOffset) {
      if (value.size() != 8) return false;
      uint64_t v;
      std::memcpy(&v, value.data(), sizeof v);
      of.offset_seconds = static_cast<int64_t>(swapped_ ? __builtin_bswap64(v) : v);
    }
    return true;
  }

  // Enhanced and old packet blocks differ in the width of the interface id only (the old one counts drops
  // beside it).
  Step packet(Bytes body, uint32_t type) {
    if (body.size() < 20) return std::string("packet block is cut");
    const uint32_t id = type == kOldPacket ? load16(body.data()) : load32(body.data());
    const uint64_t ticks = uint64_t{load32(body.data() + 4)} << 32 | load32(body.data() + 8);
    const uint32_t captured = load32(body.data() + 12), original = load32(body.data() + 16);
    if (id >= interfaces_.size())
      return "names interface " + std::to_string(id) + ", which the section does not describe";
    if (captured > body.size() - 20) return std::string("has more bytes than its block");
    const std::optional<Timestamp> time = nanoseconds(ticks, interfaces_[id]);
    if (!time) return std::string("has an impossible time");
    last_time_ = *time;
    return yield(id, body.subspan(20, captured), original);
  }

  Step simple_packet(Bytes body) {
    if (body.size() < 4) return std::string("packet block is cut");
    if (interfaces_.empty()) return std::string("simple packet before any interface description");
    const uint32_t original = load32(body.data()), snap = interfaces_[0].snap_length;
    uint32_t captured = original;
    if (snap != 0) captured = std::min(captured, snap);
    if (captured > body.size() - 4) return std::string("has more bytes than its block");
    return yield(0, body.subspan(4, captured), original);
  }

  Step yield(uint32_t id, Bytes data, uint32_t original) const {
    const Interface& from = interfaces_[id];
    if (!supported(from.link)) return unsupported(static_cast<unsigned>(from.link));
    if (data.size() > kMaxCapturedBytes)
      return "has " + std::to_string(data.size()) + " bytes; expected at most " +
             std::to_string(kMaxCapturedBytes);
    return RawPacket{.data = data,
                     .wire_length = original,
                     .time = last_time_,
                     .link = from.link,
                     .interface = from.name,
                     .interface_id = first_id_ + id};
  }

  static std::optional<Timestamp> nanoseconds(uint64_t ticks, const Interface& of) {
    uint64_t seconds = 0, rest = 0;
    if ((of.resolution & 0x80) != 0) {
      const unsigned bits = of.resolution & 0x7f;
      seconds = ticks >> bits;
      uint64_t fraction = bits == 0 ? 0 : ticks & ((uint64_t{1} << bits) - 1);
      const unsigned kept = std::min(bits, 34u);  // 2^34 times 10^9 fits in 64 bits
      rest = (fraction >> (bits - kept)) * kSecond >> kept;
    } else {
      uint64_t unit = 1;
      for (unsigned i = 0; i < of.resolution; ++i) unit *= 10;
      seconds = ticks / unit;
      rest = unit > kSecond ? ticks % unit / (unit / kSecond) : ticks % unit * (kSecond / unit);
    }
    uint64_t whole = 0, sum = 0;
    if (__builtin_add_overflow(seconds, of.offset_seconds, &whole)) return std::nullopt;
    if (__builtin_mul_overflow(whole, kSecond, &sum) || __builtin_add_overflow(sum, rest, &sum))
      return std::nullopt;
    return sum;
  }

  File file_;
  std::unique_ptr<uint8_t[]> body_;
  std::vector<Interface> interfaces_;
  uint32_t first_id_ = 0;
  Timestamp last_time_ = 0;
  bool swapped_ = false;
};

}  // namespace

CaptureReader::CaptureReader(std::string path, std::unique_ptr<Source> source)
    : path_(std::move(path)),
      source_(std::move(source)),
      ethernet_(new uint8_t[kEthernetHeader + kMaxCapturedBytes]) {}
CaptureReader::CaptureReader(CaptureReader&&) noexcept = default;
CaptureReader& CaptureReader::operator=(CaptureReader&&) noexcept = default;
CaptureReader::~CaptureReader() = default;

Result<CaptureReader> CaptureReader::open(const std::string& path) {
  File file(std::fopen(path.c_str(), "rbe"));
  if (!file) return Error{std::string("cannot be read: ") + std::strerror(errno), path};
  uint8_t magic[4] = {};
  const size_t got = std::fread(magic, 1, sizeof magic, file.get());
  if (std::ferror(file.get())) return Error{std::string("cannot be read: ") + std::strerror(errno), path};
  if (std::fseek(file.get(), 0, SEEK_SET) != 0) return Error{"is a pipe; expected a file", path};

  constexpr uint8_t kPcapng[4] = {0x0a, 0x0d, 0x0d, 0x0a};
  if (got == sizeof magic && std::memcmp(magic, kPcapng, sizeof magic) == 0)
    return CaptureReader(path, std::make_unique<PcapngSource>(std::move(file)));
  Result<std::unique_ptr<Source>> source = PcapSource::open(path, std::move(file));
  if (!source) return source.error();
  return CaptureReader(path, std::move(*source));
}

Error CaptureReader::damage(std::string message) const {
  return Error{"packet " + std::to_string(packets_ + 1) + ": " + message, path_};
}

Result<std::optional<CapturedFrame>> CaptureReader::next() {
  if (failed_) return *failed_;
  Step step = source_->next();
  if (std::holds_alternative<EndOfFile>(step)) return std::optional<CapturedFrame>{};
  if (std::string* message = std::get_if<std::string>(&step)) {
    failed_ = damage(std::move(*message));
    return *failed_;
  }
  const RawPacket& raw = std::get<RawPacket>(step);
  ++packets_;
  constexpr uint32_t kLongest = 1u << 30;  // room for the synthetic header
  const uint32_t wire_length = std::clamp(raw.wire_length, static_cast<uint32_t>(raw.data.size()), kLongest);
  CapturedFrame out{.frame = raw.data,
                    .wire_length = wire_length,
                    .time = raw.time,
                    .interface = raw.interface,
                    .interface_id = raw.interface_id};
  if (raw.link == Link::Ethernet) return std::optional(out);

  const std::optional<LinkHeader> link = link_header(raw.link, raw.data);
  if (!link) {
    out.frame = {};
    return std::optional(out);
  }
  const Bytes payload = raw.data.subspan(link->header);
  std::memcpy(ethernet_.get(), kSyntheticDestination, 6);
  std::memcpy(ethernet_.get() + 6, kSyntheticSource, 6);
  store_be16(ethernet_.get() + 12, link->type);
  if (!payload.empty()) std::memcpy(ethernet_.get() + kEthernetHeader, payload.data(), payload.size());
  out.frame = Bytes(ethernet_.get(), kEthernetHeader + payload.size());
  out.wire_length = out.wire_length - static_cast<uint32_t>(link->header) + kEthernetHeader;
  return std::optional(out);
}

}  // namespace postern::dataplane
