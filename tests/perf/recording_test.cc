// SPDX-License-Identifier: Apache-2.0
#include "perf/traffic/recording.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <vector>

#include "perf/traffic/connections.h"
#include "perf/traffic/pcap_file.h"

namespace postern::perf {
namespace {

class RecordingTest : public testing::Test {
 protected:
  void TearDown() override { std::filesystem::remove(path_); }

  static Frame one_of(FrameSource& source, std::array<uint8_t, kFrameRoom>& room) {
    Frame frame{.room = room.data()};
    EXPECT_EQ(source.make(std::span(&frame, 1)), 1u);
    return frame;
  }
  void write(size_t packets) const {
    auto file = PcapFile::create(path_);
    ASSERT_TRUE(file);
    Connections source({.flows = 10, .open = 3});
    std::array<uint8_t, kFrameRoom> room;
    for (size_t i = 0; i < packets; ++i) {
      const Frame frame = one_of(source, room);
      file->write(kSecond + i, Bytes(frame.room, frame.length));
    }
    ASSERT_TRUE(file->close());
  }

  std::string path_ = testing::TempDir() + "recording_test_" + std::to_string(getpid()) + ".pcap";
};

TEST_F(RecordingTest, MakesTheFramesOfACaptureOnTheSidesTheyCameFrom) {
  write(200);
  auto recording = Recording::read(path_, 1);
  ASSERT_TRUE(recording) << recording.error().text();
  EXPECT_EQ(recording->frames(), 200u);
  Connections source({.flows = 10, .open = 3});
  std::array<uint8_t, kFrameRoom> expected_room, room;
  for (int i = 0; i < 200; ++i) {
    const Frame expected = one_of(source, expected_room), frame = one_of(*recording, room);
    EXPECT_EQ(frame.side, expected.side);
    EXPECT_EQ(as_text({frame.room, frame.length}), as_text({expected.room, expected.length}));
  }
}

TEST_F(RecordingTest, EndsAfterItsLoops) {
  write(10);
  auto recording = Recording::read(path_, 3);
  ASSERT_TRUE(recording);
  std::array<uint8_t, kFrameRoom> room;
  for (int i = 0; i < 30; ++i) one_of(*recording, room);
  Frame frame{.room = room.data()};
  EXPECT_EQ(recording->make(std::span(&frame, 1)), 0u);
}

TEST_F(RecordingTest, RefusesACaptureWithoutPackets) {
  write(0);
  EXPECT_FALSE(Recording::read(path_, 1));
}

}  // namespace
}  // namespace postern::perf
