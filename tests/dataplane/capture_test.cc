// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <vector>

#include "dataplane/capture_reader.h"
#include "dataplane/capture_writer.h"

namespace postern::dataplane {
namespace {

using Octets = std::vector<uint8_t>;

enum class Order { Little, Big };

// Builds capture files byte by byte, in either byte order.
class Builder {
 public:
  explicit Builder(Order order) : order_(order) {}

  Builder& u8(unsigned v) {
    bytes_.push_back(static_cast<uint8_t>(v));
    return *this;
  }
  Builder& u16(unsigned v) { return number(v, 2); }
  Builder& u32(uint64_t v) { return number(v, 4); }
  Builder& u64(uint64_t v) { return number(v, 8); }
  Builder& raw(const Octets& more) {
    bytes_.insert(bytes_.end(), more.begin(), more.end());
    return *this;
  }
  Builder& padded(const Octets& more) {
    raw(more);
    for (size_t n = more.size(); n % 4 != 0; ++n) u8(0);
    return *this;
  }
  Builder& block(uint32_t type, const Builder& body) {
    const auto length = static_cast<uint32_t>(body.bytes_.size() + 12);
    return u32(type).u32(length).raw(body.bytes_).u32(length);
  }

  Builder& section() {
    return block(0x0a0d0d0a, Builder(order_).u32(0x1a2b3c4d).u16(1).u16(0).u64(~uint64_t{0}));
  }
  Builder& interface(unsigned link, const std::string& name, const Builder& options) {
    Builder body(order_);
    body.u16(link).u16(0).u32(0);
    if (!name.empty()) body.u16(2).u16(static_cast<unsigned>(name.size())).padded({name.begin(), name.end()});
    return block(1, body.raw(options.bytes_).u32(0));
  }
  Builder& interface(unsigned link, const std::string& name) {
    return interface(link, name, Builder(order_));
  }
  Builder& packet(uint32_t interface, uint64_t ticks, const Octets& data, size_t wire_length = 0) {
    return block(6, Builder(order_)
                        .u32(interface)
                        .u32(ticks >> 32)
                        .u32(ticks & 0xffffffff)
                        .u32(data.size())
                        .u32(wire_length != 0 ? wire_length : data.size())
                        .padded(data));
  }
  Builder& pcap_header(uint32_t magic, unsigned link) {
    return u32(magic).u16(2).u16(4).u32(0).u32(0).u32(262144).u32(link);
  }
  Builder& pcap_packet(uint32_t seconds, uint32_t fraction, const Octets& data, size_t wire_length = 0) {
    return u32(seconds)
        .u32(fraction)
        .u32(data.size())
        .u32(wire_length != 0 ? wire_length : data.size())
        .raw(data);
  }

  const Octets& bytes() const { return bytes_; }
  Order order() const { return order_; }

 private:
  Builder& number(uint64_t v, int width) {
    for (int i = 0; i < width; ++i) u8(v >> 8 * (order_ == Order::Little ? i : width - 1 - i) & 0xff);
    return *this;
  }

  Order order_;
  Octets bytes_;
};

struct Seen {
  Octets frame;
  Timestamp time = 0;
  std::string interface;
  uint32_t interface_id = 0, wire_length = 0;
  bool truncated = false;
};

struct Reading {
  std::vector<Seen> frames;
  std::string error;
};

Reading read_all(const std::string& path) {
  Reading reading;
  Result<CaptureReader> reader = CaptureReader::open(path);
  if (!reader) return {{}, reader.error().text()};
  for (;;) {
    Result<std::optional<CapturedFrame>> next = reader->next();
    if (!next) {
      reading.error = next.error().text();
      return reading;
    }
    if (!*next) return reading;
    const CapturedFrame& f = **next;
    reading.frames.push_back({{f.frame.begin(), f.frame.end()},
                              f.time,
                              std::string(f.interface),
                              f.interface_id,
                              f.wire_length,
                              f.truncated()});
  }
}

const Octets kFrame = {2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, 8, 0x08, 0x00, 0x45, 1, 2};
const Octets kIpv4 = {0x45, 1, 2, 3};
const Octets kIpv6 = {0x60, 1, 2, 3};

Octets synthetic(unsigned type, const Octets& payload) {
  Octets frame(14 + payload.size());
  std::copy_n(kSyntheticDestination, 6, frame.begin());
  std::copy_n(kSyntheticSource, 6, frame.begin() + 6);
  frame[12] = static_cast<uint8_t>(type >> 8);
  frame[13] = static_cast<uint8_t>(type);
  std::copy(payload.begin(), payload.end(), frame.begin() + 14);
  return frame;
}

class Capture : public testing::Test {
 protected:
  void SetUp() override {
    path_ = testing::TempDir() + testing::UnitTest::GetInstance()->current_test_info()->name() + ".capture";
  }
  void TearDown() override { std::filesystem::remove(path_); }
  Reading read(const Octets& file) {
    std::ofstream(path_, std::ios::binary)
        .write(reinterpret_cast<const char*>(file.data()), static_cast<std::streamsize>(file.size()));
    return read_all(path_);
  }
  std::string path_;
};

TEST_F(Capture, WhatTheWriterWroteTheReaderReads) {
  Result<CaptureWriter> writer = CaptureWriter::create(path_);
  ASSERT_TRUE(writer);
  const uint32_t it = writer->interface("front:it"), bmc = writer->interface("back:bmc");
  EXPECT_EQ(writer->interface("front:it"), it);
  writer->write(it, 1'767'225'600'123'456'789, Bytes(kFrame));
  writer->write(bmc, 5, Bytes(kFrame).first(15), "dropped: policy_rule");
  const Bytes parts[] = {Bytes(kFrame).first(3), Bytes(kFrame).subspan(3)};
  writer->write(it, 6, parts);
  EXPECT_EQ(writer->packets(), 3u);
  ASSERT_TRUE(writer->close());

  const Reading reading = read_all(path_);
  EXPECT_EQ(reading.error, "");
  ASSERT_EQ(reading.frames.size(), 3u);
  EXPECT_EQ(reading.frames[0].frame, kFrame);
  EXPECT_EQ(reading.frames[0].time, 1'767'225'600'123'456'789u);
  EXPECT_EQ(reading.frames[0].interface, "front:it");
  EXPECT_EQ(reading.frames[1].interface, "back:bmc");
  EXPECT_EQ(reading.frames[1].interface_id, bmc);
  EXPECT_EQ(reading.frames[1].frame, Octets(kFrame.begin(), kFrame.begin() + 15));
  EXPECT_EQ(reading.frames[2].frame, kFrame);
}

TEST_F(Capture, WriterReportsFullDiskAtFlush) {
  Result<CaptureWriter> writer = CaptureWriter::create("/dev/full");
  ASSERT_TRUE(writer);
  writer->write(writer->interface("w:a"), 0, Bytes(kFrame));
  const Status status = writer->flush();
  ASSERT_FALSE(status);
  EXPECT_NE(status.error().text().find("/dev/full: capture is incomplete: No space left"), std::string::npos)
      << status.error().text();
  EXPECT_FALSE(writer->close());
}

TEST_F(Capture, WriterRefusesMissingFolder) {
  const Result<CaptureWriter> writer = CaptureWriter::create("/nonexistent/out.pcap");
  ASSERT_FALSE(writer);
  EXPECT_EQ(writer.error().text(), "/nonexistent/out.pcap: cannot be written: No such file or directory");
}

TEST_F(Capture, ReadsBothByteOrders) {
  for (Order order : {Order::Little, Order::Big}) {
    Builder file(order);
    file.section().interface(1, "w:a").packet(0, 1'000'001, kFrame);
    const Reading reading = read(file.bytes());
    EXPECT_EQ(reading.error, "");
    ASSERT_EQ(reading.frames.size(), 1u);
    EXPECT_EQ(reading.frames[0].frame, kFrame);
    EXPECT_EQ(reading.frames[0].time, 1'000'001'000u);
    EXPECT_EQ(reading.frames[0].interface, "w:a");
  }
}

TEST_F(Capture, ASecondSectionMayChangeByteOrderAndInterfaces) {
  Builder first(Order::Little), second(Order::Big);
  first.section().interface(1, "one").interface(1, "two").packet(1, 1, kFrame);
  second.section().interface(1, "three").packet(0, 2, kFrame);
  Octets file = first.bytes();
  file.insert(file.end(), second.bytes().begin(), second.bytes().end());
  const Reading reading = read(file);
  EXPECT_EQ(reading.error, "");
  ASSERT_EQ(reading.frames.size(), 2u);
  EXPECT_EQ(reading.frames[0].interface, "two");
  EXPECT_EQ(reading.frames[0].interface_id, 1u);
  EXPECT_EQ(reading.frames[1].interface, "three");
  EXPECT_EQ(reading.frames[1].interface_id, 2u);
}

TEST_F(Capture, TimeResolutionAndOffsetAreHonoured) {
  const auto one = [this](unsigned resolution, uint64_t ticks, uint64_t offset) {
    Builder options(Order::Little), file(Order::Little);
    options.u16(9).u16(1).padded({static_cast<uint8_t>(resolution)}).u16(14).u16(8).u64(offset);
    const Reading reading = read(file.section().interface(1, "", options).packet(0, ticks, kFrame).bytes());
    return reading.frames.empty() ? ~Timestamp{0} : reading.frames[0].time;
  };
  EXPECT_EQ(one(9, 1'234'567'891, 0), 1'234'567'891u);
  EXPECT_EQ(one(3, 1'500, 10), 11'500'000'000u);
  EXPECT_EQ(one(12, 1'500, 0), 1u);
  EXPECT_EQ(one(0, 7, 0), 7'000'000'000u);
  EXPECT_EQ(one(0x80 | 10, 1536, 0), 1'500'000'000u);
  EXPECT_EQ(one(0x80 | 63, uint64_t{3} << 62, 0), 1'500'000'000u);
  EXPECT_EQ(one(6, 5'000'000, static_cast<uint64_t>(-2)), 3'000'000'000u);
}

TEST_F(Capture, ImpossibleTimesAreDamage) {
  Builder options(Order::Little), file(Order::Little);
  options.u16(9).u16(1).padded({0});
  const Reading reading =
      read(file.section().interface(1, "", options).packet(0, ~uint64_t{0}, kFrame).bytes());
  EXPECT_EQ(reading.error, path_ + ": packet 1: has an impossible time");
}

TEST_F(Capture, SimpleAndOldPacketBlocksAreRead) {
  Builder file(Order::Little);
  file.section().interface(1, "w:a").packet(0, 9, kFrame);
  file.block(3, Builder(Order::Little).u32(kFrame.size()).padded(kFrame));
  file.block(2,
             Builder(Order::Little).u16(0).u16(3).u32(0).u32(10).u32(kFrame.size()).u32(99).padded(kFrame));
  const Reading reading = read(file.bytes());
  EXPECT_EQ(reading.error, "");
  ASSERT_EQ(reading.frames.size(), 3u);
  EXPECT_EQ(reading.frames[1].frame, kFrame);
  EXPECT_EQ(reading.frames[1].time, 9'000u);
  EXPECT_EQ(reading.frames[2].time, 10'000u);
  EXPECT_TRUE(reading.frames[2].truncated);
  EXPECT_EQ(reading.frames[2].wire_length, 99u);
}

TEST_F(Capture, UnknownBlocksAndOptionsAreSkipped) {
  Builder options(Order::Little), file(Order::Little);
  options.u16(4).u16(8).u64(0).u16(2988).u16(5).padded({1, 2, 3, 4, 5});
  file.section().block(0x0bad, Builder(Order::Little).raw(Octets(9000))).interface(1, "w:a", options);
  file.block(5, Builder(Order::Little).u32(0).u64(0)).packet(0, 1, kFrame);
  const Reading reading = read(file.bytes());
  EXPECT_EQ(reading.error, "");
  EXPECT_EQ(reading.frames.size(), 1u);
}

TEST_F(Capture, ADamagedTailGivesTheGoodPacketsThenAnError) {
  Builder file(Order::Little);
  file.section().interface(1, "w:a").packet(0, 1, kFrame).packet(0, 2, kFrame).packet(0, 3, kFrame);
  for (size_t cut = 1; cut < 40; ++cut) {
    Octets damaged = file.bytes();
    damaged.erase(damaged.end() - static_cast<std::ptrdiff_t>(cut), damaged.end());
    const Reading reading = read(damaged);
    EXPECT_EQ(reading.frames.size(), 2u) << cut;
    EXPECT_EQ(reading.error.find(path_ + ": packet 3: "), 0u) << reading.error;
  }
}

TEST_F(Capture, AnErrorStays) {
  Builder file(Order::Little);
  file.section().interface(1, "w:a").packet(5, 1, kFrame).packet(0, 2, kFrame);
  std::ofstream(path_, std::ios::binary)
      .write(reinterpret_cast<const char*>(file.bytes().data()),
             static_cast<std::streamsize>(file.bytes().size()));
  Result<CaptureReader> reader = CaptureReader::open(path_);
  ASSERT_TRUE(reader);
  for (int i = 0; i < 2; ++i) {
    const auto next = reader->next();
    ASSERT_FALSE(next);
    EXPECT_EQ(next.error().message, "packet 1: names interface 5, which the section does not describe");
  }
}

TEST_F(Capture, LyingLengthsAreErrors) {
  const auto error_of = [this](const Builder& tail) {
    Builder file(Order::Little);
    return read(file.section().interface(1, "w:a").raw(tail.bytes()).bytes()).error;
  };
  const Builder empty(Order::Little);
  EXPECT_NE(error_of(Builder(Order::Little).u32(6).u32(8)).find("block length 8 is impossible"),
            std::string::npos);
  EXPECT_NE(error_of(Builder(Order::Little).u32(6).u32(0xfffffff0)).find("expected at most"),
            std::string::npos);
  EXPECT_NE(error_of(Builder(Order::Little).u32(77).u32(0xfffffff0)).find("block is cut"), std::string::npos);
  EXPECT_NE(
      error_of(Builder(Order::Little).block(6, Builder(Order::Little).u32(0).u32(0).u32(0).u32(100).u32(100)))
          .find("has more bytes than its block"),
      std::string::npos);
  EXPECT_NE(
      error_of(Builder(Order::Little).block(1, Builder(Order::Little).u16(1).u16(0).u32(0).u16(2).u16(9)))
          .find("interface option is cut"),
      std::string::npos);
  EXPECT_NE(error_of(Builder(Order::Little).block(1, empty)).find("interface description is cut"),
            std::string::npos);
  EXPECT_NE(error_of(Builder(Order::Little).block(6, empty)).find("packet block is cut"), std::string::npos);
}

TEST_F(Capture, ManyInterfacesAreRefused) {
  Builder file(Order::Little);
  file.section();
  for (uint32_t i = 0; i <= kMaxInterfaces; ++i) file.interface(1, "w:a");
  EXPECT_NE(read(file.bytes()).error.find("more than 4096 interfaces"), std::string::npos);
}

TEST_F(Capture, AJumboFrameOf65549BytesIsRead) {
  Octets jumbo = kFrame;
  jumbo.resize(65549, 0x5a);
  Builder file(Order::Little);
  const Reading reading = read(file.section().interface(1, "w:a").packet(0, 1, jumbo).bytes());
  ASSERT_EQ(reading.frames.size(), 1u);
  EXPECT_EQ(reading.frames[0].frame, jumbo);
}

TEST_F(Capture, ReadsPcapWithMicrosecondsAndNanosecondsInBothByteOrders) {
  for (Order order : {Order::Little, Order::Big}) {
    for (const auto& [magic, time] :
         {std::pair{0xa1b2c3d4u, 7'000'005'000u}, {0xa1b23c4du, 7'000'000'005u}}) {
      Builder file(order);
      const Reading reading = read(file.pcap_header(magic, 1).pcap_packet(7, 5, kFrame, 2000).bytes());
      EXPECT_EQ(reading.error, "");
      ASSERT_EQ(reading.frames.size(), 1u);
      EXPECT_EQ(reading.frames[0].frame, kFrame);
      EXPECT_EQ(reading.frames[0].time, time);
      EXPECT_EQ(reading.frames[0].interface, "");
      EXPECT_TRUE(reading.frames[0].truncated);
      EXPECT_EQ(reading.frames[0].wire_length, 2000u);
    }
  }
}

TEST_F(Capture, ADamagedPcapTailGivesTheGoodPacketsThenAnError) {
  Builder file(Order::Little);
  Octets damaged =
      file.pcap_header(0xa1b2c3d4, 1).pcap_packet(1, 0, kFrame).pcap_packet(2, 0, kFrame).bytes();
  damaged.erase(damaged.end() - 3, damaged.end());
  const Reading reading = read(damaged);
  EXPECT_EQ(reading.frames.size(), 1u);
  EXPECT_EQ(reading.error.find(path_ + ": packet 2: "), 0u) << reading.error;
}

struct LinkCase {
  const char* name;
  unsigned link;
  Octets captured, expected;
};

class LinkTypes : public Capture, public testing::WithParamInterface<LinkCase> {
 protected:
  void SetUp() override { path_ = testing::TempDir() + "link_" + GetParam().name + ".capture"; }
};

Octets joined(Octets head, const Octets& tail) {
  head.insert(head.end(), tail.begin(), tail.end());
  return head;
}

TEST_P(LinkTypes, BecomeEthernetFromPcapngAndPcap) {
  Builder ng(Order::Little), classic(Order::Little);
  ng.section().interface(GetParam().link, "w:a").packet(0, 1, GetParam().captured);
  classic.pcap_header(0xa1b2c3d4, GetParam().link).pcap_packet(1, 0, GetParam().captured);
  for (const Builder* file : {&ng, &classic}) {
    const Reading reading = read(file->bytes());
    EXPECT_EQ(reading.error, "");
    ASSERT_EQ(reading.frames.size(), 1u);
    EXPECT_EQ(reading.frames[0].frame, GetParam().expected);
  }
}

const Octets kCooked = {0, 4, 0, 1, 0, 6, 2, 0, 0, 0, 0, 7, 0, 0};               // up to the protocol
const Octets kCooked2 = {0, 0, 0, 0, 0, 2, 0, 1, 4, 6, 2, 0, 0, 0, 0, 7, 0, 0};  // after the protocol

INSTANTIATE_TEST_SUITE_P(
    Capture, LinkTypes,
    testing::Values(
        LinkCase{"ethernet", 1, kFrame, kFrame}, LinkCase{"raw_ipv4", 101, kIpv4, synthetic(0x0800, kIpv4)},
        LinkCase{"raw_ipv6", 101, kIpv6, synthetic(0x86dd, kIpv6)},
        LinkCase{"raw_bsd", 12, kIpv6, synthetic(0x86dd, kIpv6)},
        LinkCase{"raw_openbsd", 14, kIpv4, synthetic(0x0800, kIpv4)},
        LinkCase{"raw_empty", 101, {}, synthetic(0x0800, {})},
        LinkCase{"ipv4", 228, kIpv4, synthetic(0x0800, kIpv4)},
        LinkCase{"ipv6", 229, kIpv6, synthetic(0x86dd, kIpv6)},
        LinkCase{"null_little", 0, joined({2, 0, 0, 0}, kIpv4), synthetic(0x0800, kIpv4)},
        LinkCase{"null_big", 0, joined({0, 0, 0, 30}, kIpv6), synthetic(0x86dd, kIpv6)},
        LinkCase{"null_unknown", 0, joined({99, 0, 0, 0}, kIpv6), synthetic(0xffff, kIpv6)},
        LinkCase{"loop", 108, joined({0, 0, 0, 2}, kIpv4), synthetic(0x0800, kIpv4)},
        LinkCase{"cooked", 113, joined(kCooked, joined({0x08, 0x00}, kIpv4)), synthetic(0x0800, kIpv4)},
        LinkCase{"cooked_vlan", 113, joined(kCooked, {0x81, 0x00, 0, 5, 0x08, 0x00, 0x45}),
                 synthetic(0x8100, {0, 5, 0x08, 0x00, 0x45})},
        LinkCase{"cooked_llc", 113, joined(kCooked, {0, 4, 0x42, 0x42, 3}), synthetic(3, {0x42, 0x42, 3})},
        LinkCase{"cooked2", 276, joined({0x86, 0xdd}, joined(kCooked2, kIpv6)), synthetic(0x86dd, kIpv6)},
        LinkCase{"cooked_cut", 113, {0, 4, 0, 1}, {}}, LinkCase{"null_cut", 0, {2, 0}, {}}),
    [](const auto& test) { return std::string(test.param.name); });

TEST_F(Capture, CaptureLengthsStayRightBehindASyntheticHeader) {
  Builder file(Order::Little);
  const Reading reading = read(file.section().interface(101, "w:a").packet(0, 1, kIpv4, 1000).bytes());
  ASSERT_EQ(reading.frames.size(), 1u);
  EXPECT_EQ(reading.frames[0].wire_length, 1014u);
  EXPECT_TRUE(reading.frames[0].truncated);
}

TEST_F(Capture, UnsupportedLinkTypesSayWhatIsExpected) {
  Builder ng(Order::Little), classic(Order::Little);
  ng.section().interface(127, "wlan0").interface(1, "w:a").packet(1, 1, kFrame).packet(0, 2, kFrame);
  const Reading reading = read(ng.bytes());
  EXPECT_EQ(reading.frames.size(), 1u);
  EXPECT_EQ(reading.error.find(path_ + ": packet 2: link type 127 is not supported; expected Ethernet (1)"),
            0u)
      << reading.error;
  EXPECT_EQ(read(classic.pcap_header(0xa1b2c3d4, 105).bytes()).error.find(path_ + ": link type 105 is not"),
            0u);
}

TEST_F(Capture, WhatIsNoCaptureIsRefused) {
  EXPECT_EQ(read({}).error.find(path_ + ": is not a capture: "), 0u);
  EXPECT_EQ(read(Octets(100, 'x')).error.find(path_ + ": is not a capture: "), 0u);
  EXPECT_EQ(read_all("/nonexistent.pcap").error,
            "/nonexistent.pcap: cannot be read: No such file or directory");
  EXPECT_EQ(read_all("/").error, "/: cannot be read: Is a directory");
}

TEST_F(Capture, NoByteOfAFileCrashesTheReader) {
  Builder file(Order::Little);
  Builder options(Order::Little);
  options.u16(9).u16(1).padded({9});
  file.section().interface(1, "w:a", options).interface(113, "cooked").packet(0, 1, kFrame);
  file.packet(1, 2, joined(kCooked, joined({8, 0}, kIpv4)));
  file.block(3, Builder(Order::Little).u32(kFrame.size()).padded(kFrame));
  size_t frames = 0;
  for (size_t at = 0; at < file.bytes().size(); ++at) {
    for (const unsigned value : {0u, 1u, 0x7fu, 0x80u, 0xffu}) {
      Octets mutated = file.bytes();
      mutated[at] = static_cast<uint8_t>(value);
      frames += read(mutated).frames.size();
    }
  }
  EXPECT_GT(frames, file.bytes().size());  // most mutations leave most packets readable
}

}  // namespace
}  // namespace postern::dataplane
