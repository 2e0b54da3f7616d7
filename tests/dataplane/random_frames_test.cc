// SPDX-License-Identifier: Apache-2.0
// Whatever comes in is sent, dropped by name or held, and nothing is lost: random bytes and damaged frames,
// in numbers. POSTERN_RANDOM_FRAMES says how many.
#include <gtest/gtest.h>

#include <random>

#include "lane.h"
#include "policies.h"
#include "sample_frames.h"

namespace postern::dataplane {
namespace {

unsigned frames_wanted() {
  const char* text = std::getenv("POSTERN_RANDOM_FRAMES");
  return text != nullptr ? static_cast<unsigned>(std::strtoul(text, nullptr, 10)) : 1'000'000;
}

class Chaos {
 public:
  explicit Chaos(uint64_t seed) : random_(seed) {}

  Octets frame() {
    if (random_() % 4 == 0) return noise();
    Octets frame = samples_[random_() % samples_.size()];
    if (random_() % 4 == 0) return frame;
    const unsigned changes = 1 + static_cast<unsigned>(random_() % 3);
    for (unsigned i = 0; i < changes && !frame.empty(); ++i) damage(frame);
    if (random_() % 2 == 0) repair(frame);
    return frame;
  }

 private:
  Octets noise() {
    Octets frame(random_() % 200);
    for (uint8_t& byte : frame) byte = static_cast<uint8_t>(random_());
    return frame;
  }
  void damage(Octets& frame) {
    const size_t at = random_() % frame.size();
    switch (random_() % 6) {
      case 0:
        frame.resize(at);
        break;
      case 1:
        frame.insert(frame.end(), random_() % 40, static_cast<uint8_t>(random_()));
        break;
      case 2:
        frame.erase(frame.begin() + static_cast<std::ptrdiff_t>(at));
        break;
      case 3:
        frame[at] ^= static_cast<uint8_t>(1u << random_() % 8);
        break;
      default:
        frame[at] = static_cast<uint8_t>(random_());
        break;
    }
  }
  // So that damage behind the checksums is reached as well.
  static void repair(Octets& frame) {
    if (frame.size() < 34 || load_be16(&frame[12]) != 0x0800) return;
    const size_t header = (frame[14] & 15u) * 4;
    if (header < 20 || frame.size() < 14 + header) return;
    store_be16(&frame[24], 0);
    store_be16(
        &frame[24],
        slow_checksum(slow_sum(Octets(frame.begin() + 14, frame.begin() + 14 + static_cast<long>(header)))));
    const size_t total = load_be16(&frame[16]), offset = frame[23] == 6 ? 16 : frame[23] == 17 ? 6 : 2;
    if (total < header + offset + 2 || 14 + total > frame.size()) return;
    Octets segment(frame.begin() + 14 + static_cast<long>(header),
                   frame.begin() + 14 + static_cast<long>(total));
    store_be16(&segment[offset], 0);
    seal(segment, offset, IpAddress::from_v4(&frame[26]), IpAddress::from_v4(&frame[30]), frame[23]);
    std::copy(segment.begin(), segment.end(), frame.begin() + 14 + static_cast<long>(header));
  }

  std::mt19937_64 random_;
  std::vector<Octets> samples_ = sample_frames();
};

void play(Lane& lane, unsigned frames, uint64_t seed) {
  Chaos chaos(seed);
  std::mt19937_64 random(seed);
  lane.output.keep = false;
  std::vector<Lane::In> burst;
  for (unsigned i = 0; i < frames; i += static_cast<unsigned>(burst.size())) {
    burst.clear();
    const size_t size = 1 + random() % Burst::kCapacity;
    while (burst.size() < size)
      burst.emplace_back(PortIndex{static_cast<uint8_t>(random() % 2)}, chaos.frame());
    lane.receive_burst(burst);
    lane.records();
    if (random() % 50 == 0) lane.age(kSecond * (random() % 40));
    if (testing::Test::HasFailure()) return;
  }
  EXPECT_GT(lane.counters.sent.value(), frames / 20) << "the test lost its point";
  lane.age(100'000 * kSecond);
  EXPECT_EQ(lane.pipeline().held(), 0u);
  EXPECT_EQ(lane.pipeline().flows().size(), 0u);
  EXPECT_EQ(lane.counters.flows_created.value(), lane.counters.flows_ended.value());
  EXPECT_EQ(lane.pipeline().tracker().half_open(), 0u);
}

TEST(RandomFrames, AreAllAccountedFor) {
  LaneSetup setup = lane_setup(256);
  setup.pipeline.fragments = {.datagrams = 16, .fragments = 64, .per_datagram = 8};
  Lane lane(compiled(allow_all()), std::move(setup));
  play(lane, frames_wanted() / 2, 1);
}

TEST(RandomFrames, AreAllAccountedForWhereEveryExceptionPasses) {
  using classify::ExceptionAction;
  classify::Policy policy = allow_only(classify::app::kDns);
  policy.pending.packets = 2;
  policy.exceptions = {ExceptionAction::Pass, ExceptionAction::Pass, ExceptionAction::Pass,
                       ExceptionAction::Pass, ExceptionAction::Pass, ExceptionAction::Pass,
                       ExceptionAction::Pass};
  Wire wire;
  wire.vlan_map = {{5, 105}};
  LaneSetup setup = lane_setup(64);
  setup.pipeline = PipelineSetup::from({wire});
  setup.pipeline.flows = 64;
  setup.pipeline.max_frame = 180;
  setup.pipeline.fragments = {.datagrams = 4, .fragments = 8, .per_datagram = 4};
  Lane lane(compiled(std::move(policy)), std::move(setup));
  lane.output.room = 20;
  play(lane, frames_wanted() / 2, 2);
}

TEST(RandomFrames, CutAtEveryLengthAreAccountedFor) {
  Lane lane(compiled(allow_all()));
  for (const Octets& sample : sample_frames())
    for (size_t length = 0; length <= sample.size(); ++length)
      lane.receive(kFirstSide, Octets(sample.begin(), sample.begin() + static_cast<std::ptrdiff_t>(length)));
  EXPECT_GT(lane.dropped(DropReason::Truncated), 1000u);
}

}  // namespace
}  // namespace postern::dataplane
