// SPDX-License-Identifier: Apache-2.0
#include "perf/traffic/pktgen_options.h"

#include <gtest/gtest.h>

#include "perf/traffic/trial_text.h"

namespace postern::perf {
namespace {

PktgenCommandLine parse(std::vector<const char*> words) {
  words.insert(words.begin(), "pktgen");
  return parse_pktgen(static_cast<int>(words.size()), words.data());
}

TEST(PktgenOptions, ReadsAWholeCommandLine) {
  const auto line = parse({"--rate", "1Gbps", "-s", "1518", "-f", "10000", "-z", "1.1", "-b", "-t", "2.5",
                           "--per-flow", "-c", "1", "af_packet:g0", "af_xdp:g1"});
  ASSERT_TRUE(line.options) << line.text;
  EXPECT_EQ(line.options->ports.size(), 2u);
  EXPECT_EQ(line.options->ports[1].kind, dataplane::PortSpec::Kind::AfXdp);
  EXPECT_NEAR(line.options->packets_per_second, 1e9 / (1538 * 8), 0.01);
  EXPECT_EQ(line.options->datagrams.flows, 10000u);
  EXPECT_EQ(line.options->datagrams.directions, Directions::Both);
  EXPECT_EQ(line.options->seconds, 2.5);
  EXPECT_TRUE(line.options->per_flow);
}

TEST(PktgenOptions, RefusesWithAReasonAndExitCode2) {
  for (const std::vector<const char*>& words :
       std::vector<std::vector<const char*>>{{},
                                             {"eth0"},
                                             {"ring:a", "ring:b", "ring:c"},
                                             {"-s", "63", "ring:a"},
                                             {"-s", "1519", "ring:a"},
                                             {"-f", "0", "ring:a"},
                                             {"-r", "fast", "ring:a"},
                                             {"-t", "0", "ring:a"},
                                             {"--vlan", "4095", "ring:a"},
                                             {"--replay", "x.pcap", "--connections", "ring:a"},
                                             {"--unknown", "ring:a"}}) {
    const auto line = parse(words);
    EXPECT_FALSE(line.options);
    EXPECT_EQ(line.exit_code, 2);
    EXPECT_NE(line.text, "");
  }
}

TEST(PktgenOptions, HelpIsNoError) {
  const auto line = parse({"--help"});
  EXPECT_FALSE(line.options);
  EXPECT_EQ(line.exit_code, 0);
  EXPECT_NE(line.text.find("--zipf"), std::string::npos);
}

TEST(TrialText, ReadsPhasesAndALimit) {
  const auto trial = parse_trial("100k 2 max 0.5 frames=1000", 672);
  ASSERT_TRUE(trial) << trial.error().text();
  ASSERT_EQ(trial->phases.size(), 2u);
  EXPECT_EQ(trial->phases[0].packets_per_second, 100e3);
  EXPECT_EQ(trial->phases[1].seconds, 0.5);
  EXPECT_EQ(trial->frames, 1000u);
}

TEST(TrialText, RefusesWhatIsNoTrial) {
  for (const char* line : {"", "100k", "100k 0", "100k -1", "quick 1", "100k 1 frames=0", "100k 1 max"})
    EXPECT_FALSE(parse_trial(line, 672)) << line;
}

}  // namespace
}  // namespace postern::perf
