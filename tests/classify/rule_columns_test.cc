// SPDX-License-Identifier: Apache-2.0
// Sixteen lines at once say what each of them says alone.
#include "classify/rule_columns.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace postern::classify {
namespace {

using Line = RuleColumns::Line;

bool fits(const Line& line, V4Bits source, V4Bits destination) {
  return ((source ^ line.source) & line.source_mask).zero() &&
         ((destination ^ line.destination) & line.destination_mask).zero();
}

bool fits(const Line& line, uint8_t protocol, uint16_t port) {
  return (line.protocol == kAnyProtocol || line.protocol == protocol) && line.ports.contains(port);
}

RuleColumns columns_of(const std::vector<Line>& lines) {
  RuleColumns columns;
  for (size_t i = 0; i < lines.size(); ++i) columns.set(i, lines[i]);
  return columns;
}

TEST(RuleColumns, SayOfRandomPacketsWhatEachLineSays) {
  std::mt19937 random(3);
  // Few values, so that all fields fit often and fail alone.
  const auto bits = [&random] {
    return V4Bits{static_cast<uint32_t>(0x0a000000u + (random() % 3 << 16) + random() % 2)};
  };
  const auto mask = [&random] { return V4Bits::mask(random() % 2 ? 16 : 32 * (random() % 2)); };
  size_t fitting = 0;
  for (int round = 0; round < 500; ++round) {
    std::vector<Line> lines(RuleColumns::kRules);
    for (Line& line : lines) {
      line = {bits(), mask(), bits(), mask(), {}, static_cast<uint8_t>(random() % 3)};
      const uint32_t first = random() % 5;
      line.ports = {static_cast<uint16_t>(first), static_cast<uint16_t>(first + random() % 4)};
    }
    const RuleColumns columns = columns_of(lines);
    for (int packet = 0; packet < 50; ++packet) {
      const V4Bits source = bits(), destination = bits();
      const auto protocol = static_cast<uint8_t>(random() % 4);
      const auto port = static_cast<uint16_t>(random() % 8);
      uint32_t all = 0, service = 0;
      for (size_t i = 0; i < lines.size(); ++i) {
        service |= uint32_t{fits(lines[i], protocol, port)} << i;
        all |= uint32_t{fits(lines[i], protocol, port) && fits(lines[i], source, destination)} << i;
      }
      ASSERT_EQ(columns.fitting(protocol, port), service);
      ASSERT_EQ(columns.fitting_narrow(source, destination, protocol, port), all);
      if (RuleColumns::kWide) {
        ASSERT_EQ(columns.fitting_wide(source, destination, protocol, port), all);
      }
      fitting += all != 0;
    }
  }
  EXPECT_GT(fitting, 1000u);
}

TEST(RuleColumns, KnowTheEdgesOfEveryPortRange) {
  const PortRange ranges[] = {{0, 0}, {0, 65535}, {65535, 65535}, {1, 65535}, {0, 65534}, {32767, 32768}};
  std::vector<Line> lines;
  for (const PortRange& range : ranges) lines.push_back({.ports = range});
  const RuleColumns columns = columns_of(lines);
  for (const uint32_t port : {0u, 1u, 2u, 32766u, 32767u, 32768u, 32769u, 65533u, 65534u, 65535u})
    for (size_t i = 0; i < lines.size(); ++i)
      EXPECT_EQ((columns.fitting(kTcp, static_cast<uint16_t>(port)) >> i & 1) != 0,
                ranges[i].contains(static_cast<uint16_t>(port)))
          << "range " << i << ", port " << port;
}

}  // namespace
}  // namespace postern::classify
