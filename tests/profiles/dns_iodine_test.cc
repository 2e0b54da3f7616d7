// SPDX-License-Identifier: Apache-2.0
// What the real iodine sends, as recorded in data/iodine.txt.
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <sstream>
#include <vector>

#include "perf/traffic/dns_measure.h"
#include "tests/classify/wire_bytes.h"

namespace postern::profiles::dns {
namespace {

constexpr Timestamp kStart = 1000 * kSecond;
constexpr size_t kLongQuery = 150;

std::map<std::string, perf::DnsShape> recorded() {
  std::map<std::string, perf::DnsShape> shapes;
  std::ifstream file(POSTERN_SOURCE_ROOT "/tests/profiles/data/iodine.txt");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with('#')) continue;
    std::istringstream words(line);
    std::string type, query, answer;
    Timestamp microseconds = 0;
    words >> type >> microseconds >> query >> answer;
    shapes[type].talks.push_back(
        {kStart + microseconds * kMicrosecond, 1, classify::hex(query), classify::hex(answer)});
  }
  return shapes;
}

// A name of data begins with the user's number, a digit. Before there is any, the kernel solicits a router in
// a short one.
Timestamp first_data(const perf::DnsShape& shape) {
  for (const perf::DnsTalk& talk : shape.talks)
    if (talk.query[13] == '0' && talk.query.size() > kLongQuery) return talk.at - shape.talks.front().at;
  return 0;
}

TEST(Iodine, IsCutWithinTenSecondsOfItsFirstData) {
  const Settings settings = perf::detector_settings();
  const std::map<std::string, perf::DnsShape> shapes = recorded();
  ASSERT_EQ(shapes.size(), 4u);
  for (const auto& [type, shape] : shapes) {
    const perf::DnsMeasured measured = perf::measure_shape(shape, settings);
    ASSERT_GT(first_data(shape), 0u) << type;
    ASSERT_TRUE(measured.after) << type;
    EXPECT_LT(*measured.after, first_data(shape) + 10 * kSecond) << type;
    EXPECT_EQ(measured.stopped_after_first, measured.names_after_first) << type;
    RecordProperty(type, static_cast<int>(*measured.after / kMillisecond));
  }
}

}  // namespace
}  // namespace postern::profiles::dns
