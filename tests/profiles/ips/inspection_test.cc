// SPDX-License-Identifier: Apache-2.0
#include "profiles/ips/inspection.h"

#include <chrono>
#include <random>

#include "profiles/ips/header_match.h"
#include "tests/profiles/ips/rules_kit.h"

namespace postern::profiles::ips {
namespace {

std::string tcp(const std::string& options, const std::string& action = "alert") {
  return action + " tcp any any -> any any (" + options + ")\n";
}
std::string udp(const std::string& options) { return "alert udp any any -> any any (" + options + ")\n"; }

TEST(Streams, FindAPatternAcrossPiecesBeforeItsLastByteLeaves) {
  RulesKit kit(tcp("content:\"attack\"; sid:1;", "drop"));
  for (const char* piece : {"a", "t", "t", "a", "c"})
    EXPECT_EQ(kit.more(piece).judgement, Judgement::Nothing);
  const Outcome last = kit.more("k");
  EXPECT_EQ(last.judgement, Judgement::Drop);
  EXPECT_EQ(RulesKit::told(last), Sids{1});
}

TEST(Streams, WaitForWhatFollowsTheFirstPattern) {
  RulesKit kit(tcp("content:\"longpattern\"; content:\"end\"; distance:10; within:5; sid:1;"));
  EXPECT_EQ(RulesKit::told(kit.more("xx longpattern 12345")), Sids{});
  EXPECT_EQ(RulesKit::told(kit.more("6789")), Sids{});
  EXPECT_EQ(RulesKit::told(kit.more("end")), Sids{1});
  EXPECT_EQ(RulesKit::told(kit.more("end")), Sids{}) << "told twice";
}

TEST(Streams, CountPlacesFromTheirBeginning) {
  RulesKit kit(tcp("flow:only_stream; content:\"abc\"; offset:4; depth:3; sid:1;"));
  EXPECT_EQ(RulesKit::told(kit.more("abc")), Sids{});
  EXPECT_EQ(RulesKit::told(kit.more("xabc")), Sids{1});
}

TEST(Streams, CountPlacesOfSegmentsToo) {
  RulesKit kit(tcp("content:\"abc\"; depth:3; sid:1;"));
  EXPECT_EQ(RulesKit::told(kit.more("xxxx")), Sids{});
  EXPECT_EQ(RulesKit::told(kit.more("abc")), Sids{1});
}

TEST(Streams, SeeAPatternAgainMuchLater) {
  RulesKit kit(tcp("content:\"needle\"; content:\"end\"; distance:0; within:3; sid:1;"));
  EXPECT_EQ(RulesKit::told(kit.more("needle, not here")), Sids{});
  const std::string filler(1'000, '.');
  for (int i = 0; i < 100; ++i) EXPECT_EQ(RulesKit::told(kit.more(filler)), Sids{});
  EXPECT_EQ(RulesKit::told(kit.more("needleend")), Sids{1});
}

TEST(Streams, FindWhatLiesAcrossAnEpoch) {
  for (size_t lead = FlowState::kEpoch - 12; lead < FlowState::kEpoch + 4; ++lead) {
    RulesKit kit(tcp("content:\"needleneedle\"; sid:1;"));
    size_t told = 0;
    const std::string text =
        std::string(lead, '.') + "needleneedle" + std::string(2 * FlowState::kEpoch, '.');
    for (size_t at = 0; at < text.size(); at += 1'024)
      told += RulesKit::told(kit.more(text.substr(at, 1'024))).size();
    EXPECT_EQ(told, 1u) << lead;
  }
}

TEST(Streams, AreOfOneDirectionEach) {
  RulesKit kit(tcp("content:\"attack\"; sid:1;"));
  kit.more("att", BufferKind::Stream, Direction::ToServer);
  EXPECT_EQ(RulesKit::told(kit.more("ack", BufferKind::Stream, Direction::ToClient)), Sids{});
  EXPECT_EQ(RulesKit::told(kit.more("ack", BufferKind::Stream, Direction::ToServer)), Sids{1});
}

TEST(Bodies, EndWhereTheMessageEnds) {
  RulesKit kit("alert http any any -> any any (http.request_body; content:\"evil\"; endswith; sid:1;)\n");
  kit.facts().app = App::Http;
  EXPECT_EQ(RulesKit::told(kit.more("ev", BufferKind::HttpRequestBody)), Sids{});
  kit.flow().end_message(Direction::ToServer);
  EXPECT_EQ(RulesKit::told(kit.inspect(BufferKind::HttpRequestBody, Direction::ToServer, "il")), Sids{});
  kit.flow().end_message(Direction::ToServer);
  EXPECT_EQ(RulesKit::told(kit.more("ev", BufferKind::HttpRequestBody)), Sids{});
  EXPECT_EQ(RulesKit::told(kit.inspect(BufferKind::HttpRequestBody, Direction::ToServer, "il")), Sids{1});
}

TEST(Judgements, FollowTheProfile) {
  using OnMatch = ProfileSettings::OnMatch;
  const auto judged = [](const std::string& action, OnMatch on_match) {
    RulesKit kit(tcp("content:\"x\"; sid:1;", action));
    kit.facts().profile.on_match = on_match;
    return kit.more("x").judgement;
  };
  EXPECT_EQ(judged("alert", OnMatch::Default), Judgement::Alert);
  EXPECT_EQ(judged("drop", OnMatch::Default), Judgement::Drop);
  EXPECT_EQ(judged("reject", OnMatch::Default), Judgement::Reject);
  EXPECT_EQ(judged("drop", OnMatch::Alert), Judgement::Alert);
  EXPECT_EQ(judged("alert", OnMatch::Block), Judgement::Drop);
  EXPECT_EQ(judged("reject", OnMatch::Block), Judgement::Reject);
  EXPECT_EQ(judged("pass", OnMatch::Block), Judgement::Pass);
}

TEST(Judgements, RespectMinSeverityOnBothSides) {
  RulesKit kit(tcp("content:\"one\"; priority:2; sid:2;", "drop") +
               tcp("content:\"one\"; priority:3; sid:3;", "drop"));
  kit.facts().profile.min_severity = Severity::Medium;
  EXPECT_EQ(RulesKit::told(kit.more("one")), Sids{2});
  kit.fresh_flow();
  kit.facts().profile.min_severity = Severity::High;
  const Outcome none = kit.more("one");
  EXPECT_EQ(RulesKit::told(none), Sids{});
  EXPECT_EQ(none.judgement, Judgement::Nothing);
}

TEST(Judgements, EndInspectionOfAFlowThatARulePasses) {
  RulesKit kit(tcp("content:\"friend\"; sid:1;", "pass") + tcp("content:\"evil\"; sid:2;", "drop"));
  EXPECT_EQ(kit.more("friend").judgement, Judgement::Pass);
  EXPECT_TRUE(kit.flow().passed());
  EXPECT_EQ(kit.more("evil").judgement, Judgement::Nothing);
  kit.fresh_flow();
  EXPECT_EQ(kit.more("evil").judgement, Judgement::Drop);
}

TEST(Judgements, StillDropWhatAThresholdDoesNotTell) {
  RulesKit kit(
      "drop udp any any -> any any (content:\"x\"; threshold:type limit,track by_src,count 1,seconds 60; "
      "sid:1;)");
  EXPECT_EQ(RulesKit::told(kit.datagram("x")), Sids{1});
  const Outcome second = kit.datagram("x");
  EXPECT_EQ(RulesKit::told(second), Sids{});
  EXPECT_EQ(second.judgement, Judgement::Drop);
}

TEST(Bounds, TellThatTooManyRulesWait) {
  // Many words in few bytes, so that the work is not what ends it.
  std::string rules, text;
  std::minstd_rand random(5);
  for (size_t i = 0; i < 130; ++i) text += static_cast<char>('a' + random() % 26);
  for (size_t i = 0; i <= FlowState::kMostWaiting; ++i)
    rules += tcp("content:\"" + text.substr(i % 120, 5 + i / 120) +
                 "\"; content:\"never\"; sid:" + std::to_string(i + 1) + ";");
  RulesKit kit(rules);
  EXPECT_EQ(kit.more(text).overload, Overload::Message);
  EXPECT_EQ(kit.inspection().counters().overload_message, 1u);
}

TEST(Bounds, TellThatABufferOfAMessageIsTooLong) {
  RulesKit kit(
      "alert http any any -> any any (http.uri; content:\"a\"; http.header; content:\"b\"; sid:1;)\n");
  kit.facts().app = App::Http;
  const std::string half(FlowState::kMostMessage / 2 + 1, 'a');
  EXPECT_EQ(kit.inspect(BufferKind::HttpUri, Direction::ToServer, half).overload, Overload::None);
  EXPECT_EQ(kit.inspect(BufferKind::HttpHeader, Direction::ToServer, half).overload, Overload::Message);
}

TEST(Bounds, EndARuleThatGoesBackForEver) {
  std::string chain = "content:\"a\"; ";
  for (int i = 0; i < 20; ++i) chain += "content:\"a\"; distance:0; ";
  RulesKit kit(udp(chain + "content:\"b\"; distance:0; within:1; sid:1;"));
  const Outcome outcome = kit.datagram(std::string(1'400, 'a') + "_b");
  EXPECT_EQ(outcome.overload, Overload::Work);
}

TEST(Bounds, EndExpressionsThatBacktrackForEver) {
  for (const char* expression :
       {"/(a+)+$b\\1/", "/(a|aa)+\\1c/", "/(.*)*\\1x/", "/(?:a?){30}a{30}\\b(z)\\1/"}) {
    RulesKit kit(udp("content:\"a\"; pcre:\"" + std::string(expression) + "\"; sid:1;"));
    ASSERT_TRUE(kit.refusals().empty()) << kit.refusals()[0].text();
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_EQ(RulesKit::told(kit.datagram(std::string(1'400, 'a'))), Sids{});
    // Generous, for the sanitizers and a busy machine; without limits it would be years.
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(2)) << expression;
  }
}

TEST(Bounds, TakeARuleThatThePatternEngineCannotCompileWithoutLosingTheOthers) {
  RulesKit kit(udp("pcre:\"/(x{1,900}y{1,900}){1,900}z/\"; sid:1;") + udp("pcre:\"/(?=ab)ab\\d/\"; sid:2;") +
               udp("content:\"good\"; sid:3;"));
  EXPECT_EQ(RulesKit::told(kit.datagram("good ab1")), (Sids{2, 3}));
}

TEST(Swap, BeginsStreamsAnewAndKeepsFlowbits) {
  const RuleSite site;
  StateNames names;
  classify::PatternCache cache;
  const auto compiled = [&](const std::string& text) {
    RuleReader reader(site, names);
    reader.read(text, "a.rules");
    return std::move(*RuleSet::compile(reader, cache));
  };
  const RuleSet first = compiled(tcp("content:\"one\"; flowbits:set,seen; sid:1;"));
  const RuleSet second = compiled(tcp("content:\"other\"; flowbits:set,other; sid:1;") +
                                  tcp("content:\"two\"; flowbits:isset,seen; sid:2;"));
  Inspection inspection = std::move(*Inspection::create(first, 1));
  FlowState flow(1);
  FlowFacts facts;
  const auto inspect = [&](std::string_view text) {
    return RulesKit::told(inspection.inspect(
        flow, facts, {BufferKind::Stream, Direction::ToServer, as_bytes(text), Input::Part::More}, 0));
  };
  EXPECT_EQ(inspect("one t"), Sids{1});
  ASSERT_TRUE(inspection.use(second));
  EXPECT_EQ(inspect("wo"), Sids{}) << "a pattern across the swap";
  EXPECT_EQ(inspect("two"), Sids{2});
}

// Without patterns, channels and candidates: every rule is asked about the datagram.
TEST(Inspection, SaysWhatAskingEveryRuleSays) {
  std::minstd_rand random(11);
  const auto word = [&](size_t most) {
    std::string text;
    for (size_t i = 1 + random() % most; i > 0; --i) text += static_cast<char>('a' + random() % 3);
    return text;
  };
  std::string rules;
  for (int sid = 1; sid <= 300; ++sid) {
    std::string options;
    for (size_t i = 1 + random() % 3; i > 0; --i) {
      options += std::string("content:") + (random() % 5 == 0 ? "!" : "") + "\"" + word(5) + "\"; ";
      if (random() % 3 == 0) options += "nocase; ";
      if (random() % 3 == 0)
        options += "distance:" + std::to_string(random() % 4) + "; ";
      else if (random() % 3 == 0)
        options += "offset:" + std::to_string(random() % 6) + "; ";
    }
    if (random() % 6 == 0) options += "pcre:\"/" + word(2) + "+" + word(2) + "/\"; ";
    rules += udp(options + "sid:" + std::to_string(sid) + ";");
  }
  RulesKit kit(rules);
  ASSERT_TRUE(kit.refusals().empty()) << kit.refusals()[0].text();
  size_t matches = 0;
  ContentMatcher matcher;
  for (int round = 0; round < 500; ++round) {
    std::string text = word(30);
    if (round % 4 == 0)
      for (char& c : text) c = random() % 2 ? c : static_cast<char>(c - 32);
    Sids naive;
    for (const Signature& signature : kit.rules().signatures()) {
      Budget budget(100'000);
      if (matcher.matches(signature.parts[0], {as_bytes(text)}, budget)) naive.insert(signature.sid);
    }
    matches += naive.size();
    kit.fresh_flow();
    const Sids told = RulesKit::told(kit.datagram(text));
    if (naive.size() > Inspection::kMostHits) continue;
    EXPECT_EQ(told, naive) << text;
  }
  EXPECT_GT(matches, 1'000u);
}

TEST(RateTable, ForgetsTheOldestNeighbourWhenItIsFullAndCountsIt) {
  RateTable table(1, 4);
  const auto key = [](uint64_t what) { return RateTable::Key{what}; };
  for (uint64_t what = 1; what <= 4; ++what) table.obtain(key(what), what, 1'000).count = 1;
  EXPECT_EQ(table.gave_way(), 0u);
  EXPECT_EQ(table.obtain(key(5), 5, 1'000).count, 0u);
  EXPECT_EQ(table.gave_way(), 1u);
  EXPECT_EQ(table.find(key(1), 5), nullptr);
  EXPECT_NE(table.find(key(2), 5), nullptr);
}

TEST(RateTable, GivesTheRoomOfWhatExpired) {
  RateTable table(1, 1);
  table.obtain({1}, 0, 10).count = 1;
  EXPECT_EQ(table.find({1}, 10), nullptr);
  EXPECT_EQ(table.obtain({2}, 10, 20).count, 0u);
  EXPECT_EQ(table.gave_way(), 0u);
}

}  // namespace
}  // namespace postern::profiles::ips
