// SPDX-License-Identifier: Apache-2.0
#include "dataplane/fragments.h"

#include <gtest/gtest.h>

#include <random>

#include "buffers.h"
#include "naive_fragments.h"
#include "policies.h"
#include "tcp_talk.h"

namespace postern::dataplane {
namespace {

const IpAddress kClient = ip("10.1.0.5"), kServer = ip("10.3.0.1");
const IpAddress kClient6 = ip("fd01::5"), kServer6 = ip("fd03::1");

class Table {
 public:
  explicit Table(FragmentLimits limits = {}) : fragments_(limits, counters) {}

  Outcome add(const Piece& piece, bool v4 = true, PortIndex port = {0}) {
    const IpAddress& source = v4 ? kClient : kClient6;
    const IpAddress& destination = v4 ? kServer : kServer6;
    const Octets frame = ethernet_ip(ip_packet(source, destination, 17, piece.data,
                                               {.identification = piece.identification,
                                                .offset = piece.offset,
                                                .more = piece.more,
                                                .fragment_header = true}));
    burst_.add(buffers.packet(frame), port);
    Slot& slot = burst_[0];
    const Bytes packet = slot.packet.bytes().subspan(14);
    const IpHeader header = v4 ? parse_ipv4(packet) : parse_ipv6(packet);
    EXPECT_EQ(header.reason, DropReason::None);
    fragments_.begin_burst();
    fragments_.add(slot, header, now);
    Outcome outcome{slot.fate, slot.reason, Octets(slot.segment.begin(), slot.segment.end()), 0};
    if (slot.fate == Fate::Open) {
      last_order.clear();
      uint16_t list = slot.fragments;
      for (Packet one = std::move(slot.packet); one; one = fragments_.take_next(list)) {
        ++outcome.packets;
        last_order.push_back(load_be16(one.data() + 20) & 0x1fff);
      }
    }
    const Packet rest = burst_.take(0);
    burst_.clear();
    return outcome;
  }
  uint64_t held() const { return fragments_.held(); }
  uint64_t dropped(DropReason reason) const { return counters.dropped[static_cast<size_t>(reason)].value(); }
  void expire() { fragments_.expire(now); }

  Buffers buffers{8191};
  Counters counters;
  Timestamp now = kSecond;
  std::vector<unsigned> last_order;  // offsets of the last complete datagram, IPv4

 private:
  FragmentTable fragments_;
  Burst burst_;
};

Octets random_bytes(std::mt19937_64& random, size_t count) {
  Octets bytes(count);
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
  return bytes;
}

Piece cut(const Octets& whole, size_t begin, size_t end, uint32_t identification) {
  return {identification, begin, end != whole.size(), Octets(whole.begin() + begin, whole.begin() + end)};
}

// One datagram in pieces, some twice, some contained in others, some overlapping, some with a wrong end; in
// any order.
std::vector<Piece> mess(std::mt19937_64& random, uint32_t identification) {
  const Octets whole = random_bytes(random, 16 + random() % 600);
  std::vector<Piece> pieces;
  for (size_t at = 0; at < whole.size();) {
    const size_t end = std::min(whole.size(), at + 8 * (1 + random() % 12));
    pieces.push_back(cut(whole, at, end, identification));
    at = end;
  }
  const unsigned troubles = random() % 4;
  for (unsigned i = 0; i < troubles; ++i) {
    const size_t blocks = whole.size() / 8;
    const size_t begin = random() % blocks, end = begin + 1 + random() % (blocks - begin);
    switch (random() % 8) {
      // Not shorter than a UDP header, which IPv6 wants in the first fragment.
      case 0:
        pieces.push_back({identification, begin * 8, false, random_bytes(random, 8 + random() % 64)});
        break;
      case 1:
        pieces.push_back({identification, begin * 8, true, random_bytes(random, random() % 64)});
        break;
      case 2:
      case 3:
        pieces.push_back({identification, begin * 8, true, random_bytes(random, (end - begin) * 8)});
        break;
      default:
        pieces.push_back(pieces[random() % pieces.size()]);
        break;
    }
  }
  std::shuffle(pieces.begin(), pieces.end(), random);
  return pieces;
}

TEST(Fragments, DoWhatTheObviousReassemblerDoes) {
  for (const bool v4 : {true, false}) {
    std::mt19937_64 random(v4 ? 4 : 6);
    Table table;
    NaiveFragments naive;
    uint64_t complete = 0, dropped = 0;
    for (int round = 0; round < 400; ++round) {
      // Several datagrams at once, dealt like cards.
      std::vector<Piece> pieces;
      for (uint32_t i = 0; i < 5; ++i) {
        const auto more = mess(random, static_cast<uint32_t>(round * 5 + i));
        pieces.insert(pieces.end(), more.begin(), more.end());
      }
      std::shuffle(pieces.begin(), pieces.end(), random);
      for (const Piece& piece : pieces) {
        const Outcome expected = naive.add(piece), found = table.add(piece, v4);
        ASSERT_EQ(found.fate, expected.fate)
            << "round " << round << " offset " << piece.offset << "+" << piece.data.size();
        ASSERT_EQ(found.reason, expected.reason);
        const bool whole = expected.fate == Fate::Open;
        ASSERT_EQ(whole ? found.datagram : Octets(), expected.datagram);
        ASSERT_EQ(found.packets, expected.packets);
        ASSERT_EQ(table.held(), naive.held());
        complete += found.fate == Fate::Open;
        dropped += found.fate == Fate::Drop;
      }
      ASSERT_EQ(table.dropped(DropReason::FragmentBad) + table.dropped(DropReason::FragmentOverlap),
                naive.discarded);
    }
    EXPECT_GT(complete, 500u) << "the test lost its point";
    EXPECT_GT(dropped, 500u) << "the test lost its point";
    table.now += 60 * kSecond;
    table.expire();
    EXPECT_EQ(table.held(), 0u);
    EXPECT_EQ(table.dropped(DropReason::FragmentTimeout), naive.held());
  }
}

TEST(Fragments, PutALargestDatagramTogetherInAnyOrder) {
  std::mt19937_64 random(1);
  for (const size_t size : {size_t{9}, size_t{1480}, size_t{65515}}) {
    const Octets whole = random_bytes(random, size);
    for (int round = 0; round < 5; ++round) {
      Table table;
      std::vector<Piece> pieces;
      const size_t step = std::max<size_t>(8, (size / 100 + 7) / 8 * 8);
      for (size_t at = 0; at < size; at += step)
        pieces.push_back(cut(whole, at, std::min(size, at + step), 1));
      std::shuffle(pieces.begin(), pieces.end(), random);
      for (size_t i = 0; i + 1 < pieces.size(); ++i) ASSERT_EQ(table.add(pieces[i]).fate, Fate::Taken);
      const Outcome last = table.add(pieces.back());
      ASSERT_EQ(last.fate, Fate::Open);
      EXPECT_EQ(last.datagram, whole);
      EXPECT_EQ(last.packets, pieces.size());
      EXPECT_EQ(table.held(), 0u);
      EXPECT_TRUE(std::is_sorted(table.last_order.begin(), table.last_order.end())) << "they leave in order";
    }
  }
}

TEST(Fragments, RefuseADatagramLongerThanAnyHostTakes) {
  Table table;
  const Outcome outcome = table.add({1, 65528, false, Octets(8)});
  EXPECT_EQ(outcome.reason, DropReason::FragmentBad);
  EXPECT_EQ(table.held(), 0u);
  EXPECT_EQ(table.add({1, 65528, false, Octets(7)}).fate, Fate::Taken);
}

TEST(Fragments, OfSeveralDatagramsMeetTheirOwn) {
  Table table;
  const Piece first{1, 0, true, Octets(8, 0xaa)}, last{1, 8, false, Octets(8, 0xbb)};
  const auto with = [](Piece piece, uint32_t identification) {
    piece.identification = identification;
    return piece;
  };
  EXPECT_EQ(table.add(first).fate, Fate::Taken);
  EXPECT_EQ(table.add(with(last, 2)).fate, Fate::Taken) << "another identification";
  EXPECT_EQ(table.add(last, true, PortIndex{1}).fate, Fate::Taken) << "another side";
  EXPECT_EQ(table.add(last, false).fate, Fate::Taken) << "another family";
  EXPECT_EQ(table.add(last, true, PortIndex{2}).fate, Fate::Taken) << "another wire";
  EXPECT_EQ(table.held(), 5u);
  EXPECT_EQ(table.add(last).fate, Fate::Open);
  EXPECT_EQ(table.held(), 4u);
}

TEST(Fragments, AreRefusedWhenTooManyDatagramsWait) {
  Table table({.datagrams = 3});
  for (uint32_t i = 0; i < 3; ++i) ASSERT_EQ(table.add({i, 0, true, Octets(8)}).fate, Fate::Taken);
  EXPECT_EQ(table.add({3, 0, true, Octets(8)}).reason, DropReason::FragmentsFull);
  EXPECT_EQ(table.add({1, 8, false, Octets(8)}).fate, Fate::Open) << "the known ones still complete";
  EXPECT_EQ(table.add({3, 0, true, Octets(8)}).fate, Fate::Taken);
}

TEST(Fragments, AreRefusedWhenTooManyWait) {
  Table table({.datagrams = 10, .fragments = 4});
  for (uint32_t i = 0; i < 4; ++i) ASSERT_EQ(table.add({i, 0, true, Octets(8)}).fate, Fate::Taken);
  EXPECT_EQ(table.add({0, 8, false, Octets(8)}).reason, DropReason::FragmentsFull);
  EXPECT_EQ(table.held(), 4u);
  table.now += 31 * kSecond;
  table.expire();
  EXPECT_EQ(table.held(), 0u);
  EXPECT_EQ(table.add({0, 8, false, Octets(8)}).fate, Fate::Taken);
}

TEST(Fragments, AreRefusedWhenOneDatagramHasTooMany) {
  Table table({.per_datagram = 3});
  for (size_t i = 0; i < 3; ++i) ASSERT_EQ(table.add({1, i * 8, true, Octets(8)}).fate, Fate::Taken);
  EXPECT_EQ(table.add({1, 24, false, Octets(8)}).reason, DropReason::FragmentsFull);
  EXPECT_EQ(table.add({2, 0, true, Octets(8)}).fate, Fate::Taken) << "others are not to blame";
}

TEST(Fragments, TimeOutFromTheirFirstOne) {
  Table table({.timeout = 30 * kSecond});
  table.add({1, 0, true, Octets(8)});
  table.now += 20 * kSecond;
  table.add({1, 8, true, Octets(8)});
  table.add({2, 0, true, Octets(8)});
  table.now += 9 * kSecond;
  table.expire();
  EXPECT_EQ(table.held(), 3u);
  table.now += kSecond;
  table.expire();
  EXPECT_EQ(table.held(), 1u) << "the second datagram is younger";
  EXPECT_EQ(table.dropped(DropReason::FragmentTimeout), 2u);
  table.now += 20 * kSecond;
  table.expire();
  EXPECT_EQ(table.dropped(DropReason::FragmentTimeout), 3u);
}

TEST(Fragments, MustNameTheTransportInTheFirstOfIpV6) {
  Table table;
  EXPECT_EQ(table.add({1, 0, true, Octets(0)}, false).reason, DropReason::FragmentBad);
  // Eight bytes are a whole UDP header; a TCP header needs three blocks.
  EXPECT_EQ(table.add({1, 0, true, Octets(8)}, false).fate, Fate::Taken);
  Lane lane(compiled(allow_all()));
  const Octets segment = tcp(kClient6, kServer6, {});
  const auto piece = [&](size_t begin, size_t end) {
    return ethernet_ip(ip_packet(kClient6, kServer6, 6,
                                 Octets(segment.begin() + begin, segment.begin() + end),
                                 {.offset = begin, .more = end != segment.size()}));
  };
  EXPECT_EQ(lane.verdict(kFirstSide, piece(0, 16)), DropReason::FragmentBad);
}

// Through the whole pipeline.

std::vector<Octets> frames_of(const IpAddress& source, const IpAddress& destination, const Octets& segment,
                              size_t step, const std::vector<Tag>& tags = {}) {
  std::vector<Octets> frames;
  for (size_t at = 0; at < segment.size(); at += step) {
    const size_t end = std::min(segment.size(), at + step);
    frames.push_back(
        ethernet_ip(ip_packet(source, destination, 17, Octets(segment.begin() + at, segment.begin() + end),
                              {.offset = at, .more = end != segment.size()}),
                    tags));
  }
  return frames;
}

TEST(Fragments, LeaveAsTheyCameOnceTheDatagramIsJudged) {
  for (const bool v4 : {true, false}) {
    Lane lane(compiled(allow_all()));
    const IpAddress& source = v4 ? kClient : kClient6;
    const IpAddress& destination = v4 ? kServer : kServer6;
    const auto frames =
        frames_of(source, destination, udp(source, destination, 7, 53, std::string(500, 'f')), 64);
    for (size_t i = frames.size(); i-- > 0;) {
      EXPECT_TRUE(lane.output.sent.empty());
      lane.receive(kFirstSide, frames[i]);
    }
    ASSERT_EQ(lane.output.sent.size(), frames.size());
    for (size_t i = 0; i < frames.size(); ++i) EXPECT_EQ(lane.output.sent[i].frame, frames[i]);
    lane.age(100 * kSecond);
    const auto ends = lane.records(RecordKind::FlowEnd);
    ASSERT_EQ(ends.size(), 1u);
    EXPECT_EQ(ends[0].packets[0], frames.size());
    EXPECT_EQ(ends[0].destination_port, 53);
  }
}

TEST(Fragments, AreDroppedTogetherWhenTheDatagramIsRefused) {
  Lane lane(compiled(wire_policy()));
  const auto frames = frames_of(kClient, kServer, udp(kClient, kServer, 7, 53, std::string(500, 'f')), 64);
  for (const Octets& frame : frames) lane.receive(kFirstSide, frame);
  EXPECT_EQ(lane.dropped(DropReason::PolicyDefault), frames.size());
  EXPECT_TRUE(lane.output.sent.empty());
}

TEST(Fragments, AreDroppedTogetherWhenTheChecksumIsWrong) {
  Lane lane(compiled(allow_all()));
  Octets segment = udp(kClient, kServer, 7, 53, std::string(500, 'f'));
  segment.back() ^= 1;
  const auto frames = frames_of(kClient, kServer, segment, 64);
  for (const Octets& frame : frames) lane.receive(kFirstSide, frame);
  EXPECT_EQ(lane.dropped(DropReason::BadTransportChecksum), frames.size());
}

// A host strips priority tags, so they may differ between fragments of one datagram.
TEST(Fragments, MayDifferInTheirPriorityTags) {
  for (const bool v4 : {true, false}) {
    for (const bool first_is_tagged : {true, false}) {
      Lane lane(compiled(allow_all()));
      const IpAddress& source = v4 ? kClient : kClient6;
      const IpAddress& destination = v4 ? kServer : kServer6;
      const Octets segment = udp(source, destination, 7, 53, std::string(56, 'f'));
      const std::vector<Tag> priority = {{.id = 0, .priority = 3}};
      lane.receive(kFirstSide, frames_of(source, destination, segment, 32,
                                         first_is_tagged ? priority : std::vector<Tag>{})[0]);
      lane.receive(kFirstSide, frames_of(source, destination, segment, 32,
                                         first_is_tagged ? std::vector<Tag>{} : priority)[1]);
      EXPECT_EQ(lane.dropped(), 0u);
      EXPECT_EQ(lane.output.sent.size(), 2u);
    }
  }
}

TEST(Fragments, ThatStillWaitAreGivenBackAtTheEnd) {
  Lane lane(compiled(allow_all()));  // its buffers count
  lane.receive(kFirstSide,
               frames_of(kClient, kServer, udp(kClient, kServer, 7, 53, std::string(500, 'f')), 64)[2]);
  EXPECT_EQ(lane.pipeline().held(), 1u);
}

}  // namespace
}  // namespace postern::dataplane
