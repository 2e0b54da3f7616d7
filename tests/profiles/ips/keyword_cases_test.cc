// SPDX-License-Identifier: Apache-2.0
// Runs keywords.cases, whose head says how it is written, and sees to it that no keyword and no buffer is
// without a match and a near miss.
#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>

#include "profiles/ips/keyword_readers.h"
#include "profiles/ips/keywords.h"
#include "profiles/ips/text.h"
#include "tests/profiles/ips/rules_kit.h"

namespace postern::profiles::ips {
namespace {

struct Line {
  bool told = false;
  uint32_t number = 0;
  std::string steps;
};
struct Block {
  std::string rules;
  std::vector<Line> lines;
};

std::vector<Block> blocks() {
  std::ifstream file(POSTERN_IPS_CASES);
  std::vector<Block> all;
  Block block;
  uint32_t number = 0;
  for (std::string line; std::getline(file, line);) {
    ++number;
    std::string_view rest = line;
    const std::string_view word = take_word(rest);
    if (word == "rule" && !block.lines.empty()) all.push_back(std::exchange(block, {}));
    if (word == "rule") block.rules += std::string(rest) + "\n";
    if (word == "yes" || word == "no") block.lines.push_back({word == "yes", number, std::string(rest)});
  }
  all.push_back(block);
  return all;
}

RuleSite site() {
  RuleSite site;
  site.files = [](const std::string& name) -> Result<std::string> {
    if (name != "bad.lst") return Error{"no such file"};
    return std::string("ZXZpbC5leGFtcGxl\n");
  };
  return site;
}

class Steps {
 public:
  explicit Steps(RulesKit& kit) : kit_(kit) {
    const Signature& last =
        *std::max_element(kit.rules().signatures().begin(), kit.rules().signatures().end(),
                          [](const auto& a, const auto& b) { return a.line < b.line; });
    expected_ = last.sid;
    const bool tcp = (last.transports & static_cast<uint8_t>(Transport::Tcp)) != 0;
    kit_.facts().transport = tcp ? Transport::Tcp : last.transports & 2 ? Transport::Udp : Transport::Icmp;
    kit_.facts().app = last.app == App::Any ? App::Unknown : last.app;
    kit_.packet().ip_protocol = tcp ? 6 : last.transports & 2 ? 17 : 1;
  }

  bool told(std::string_view steps) {
    bool told = false;
    while (!steps.empty()) {
      const size_t end = steps.find(";;");
      told = step(trimmed(steps.substr(0, end)));
      steps = end == steps.npos ? std::string_view() : steps.substr(end + 2);
    }
    return told;
  }

 private:
  bool step(std::string_view rest) {
    std::string_view word = take_word(rest);
    const Direction direction = word.ends_with("/s") ? Direction::ToClient : Direction::ToServer;
    if (direction == Direction::ToClient) word.remove_suffix(2);
    if (word == "end") return kit_.flow().end_message(direction), false;
    if (word == "same") return kit_.fresh_flow(), false;
    if (word == "sleep") return kit_.now() += *number<uint64_t>(rest) * kSecond, false;
    if (word == "opening") return kit_.facts().phase = FlowPhase::Opening, false;
    if (word == "client") return kit_.facts().client = *IpAddress::parse(rest), false;
    if (word == "v6") return kit_.facts().client = kit_.facts().server = *IpAddress::parse("fd00::1"), false;
    if (word == "app") return kit_.facts().app = find_protocol(rest)->app, false;
    if (word == "pkt") return packet(direction, rest);
    return bytes(word, direction, rest);
  }

  bool packet(Direction direction, std::string_view rest) {
    PacketFacts& packet = kit_.packet();
    while (!rest.empty()) {
      std::string_view pair = take_word(rest);
      const std::string_view key = take_until(pair, '=');
      set(packet, key, *number<uint32_t>(pair));
    }
    return told(kit_.inspection().inspect_packet(kit_.flow(), kit_.facts(), direction, packet, kit_.now()));
  }

  static void set(PacketFacts& p, std::string_view key, uint32_t value) {
    const uint8_t byte = static_cast<uint8_t>(value);
    const uint16_t word = static_cast<uint16_t>(value);
    if (key == "ttl")
      p.ttl = byte;
    else if (key == "id")
      p.ip_id = word;
    else if (key == "tos")
      p.tos = byte;
    else if (key == "itype")
      p.icmp_type = byte;
    else if (key == "icode")
      p.icmp_code = byte;
    else if (key == "icmp_id")
      p.icmp_id = word;
    else if (key == "icmp_seq")
      p.icmp_sequence = word;
    else if (key == "seq")
      p.tcp_sequence = value;
    else if (key == "ack")
      p.tcp_ack = value;
    else if (key == "window")
      p.tcp_window = word;
    else if (key == "mss")
      p.tcp_mss = word;
    else if (key == "proto")
      p.ip_protocol = byte;
    else if (key == "flags")
      p.tcp_flags = byte;
    else if (key == "cs")
      p.client_stream = value;
    else if (key == "df")
      p.may_be_cut = value ? PacketFacts::MayBeCut::No : PacketFacts::MayBeCut::Yes;
    else
      ADD_FAILURE() << "no field " << key;
  }

  bool bytes(std::string_view name, Direction direction, std::string_view quoted) {
    const std::vector<uint8_t> content = *parse_pattern(*unquoted(quoted));
    const std::string_view text = as_text(content);
    if (name == "tcp") return told(kit_.more(text, BufferKind::Stream, direction));
    const BufferName* buffer = find_buffer(name);
    if (buffer == nullptr) return ADD_FAILURE() << "no buffer " << name, false;
    return told(kit_.inspect(buffer->kind, direction, text));
  }

  bool told(const Outcome& outcome) const { return RulesKit::told(outcome).contains(expected_); }

  RulesKit& kit_;
  uint32_t expected_ = 0;
};

TEST(KeywordCases, EveryLineIsToldAsItSays) {
  for (const Block& block : blocks())
    for (const Line& line : block.lines) {
      RulesKit kit(block.rules, site());
      ASSERT_TRUE(kit.refusals().empty())
          << "keywords.cases:" << line.number << ": " << kit.refusals()[0].text();
      EXPECT_EQ(Steps(kit).told(line.steps), line.told) << "keywords.cases:" << line.number << "\n"
                                                        << block.rules;
    }
}

TEST(KeywordCases, EveryKeywordHasAMatchAndANearMiss) {
  std::map<std::string, std::pair<bool, bool>, std::less<>> seen;
  for (const Block& block : blocks()) {
    RuleLines lines(block.rules);
    for (RuleLines::Line line = lines.next(); line.number != 0; line = lines.next()) {
      const Result<RuleText> rule = parse_rule_text(line.text);
      ASSERT_TRUE(rule) << line.text;
      for (const Option& option : rule->options)
        for (const Line& expected : block.lines)
          (expected.told ? seen[option.keyword].first : seen[option.keyword].second) = true;
    }
  }
  for (const Keyword& keyword : keywords()) {
    if (keyword.kind == KeywordKind::Refused) continue;
    const auto found = seen.find(keyword.name);
    ASSERT_NE(found, seen.end()) << keyword.name << " is in no case";
    EXPECT_TRUE(found->second.first) << keyword.name << " has no match";
    EXPECT_TRUE(found->second.second) << keyword.name << " has no near miss";
  }
}

TEST(KeywordCases, EveryBufferIsLookedAtAndNoOther) {
  for (const BufferName& buffer : buffers()) {
    if (find_buffer(buffer.name) == nullptr || buffer.kind == BufferKind::Packet) continue;
    const std::string name(buffer.name);
    const std::string look = buffer.form == BufferName::Form::Sticky ? name + "; content:\"needle\"; "
                                                                     : "content:\"needle\"; " + name + "; ";
    RulesKit kit("alert tcp any any -> any any (" + look + "sid:1;)");
    ASSERT_TRUE(kit.refusals().empty()) << kit.refusals()[0].text();
    if (!buffer.app.empty()) kit.facts().app = find_protocol(buffer.app)->app;
    kit.facts().transport = Transport::Tcp;
    const Direction direction = buffer.senders == Senders::Server ? Direction::ToClient : Direction::ToServer;
    const BufferKind other = buffer.kind == BufferKind::FtpReply ? BufferKind::HttpUri : BufferKind::FtpReply;
    EXPECT_EQ(RulesKit::told(kit.inspect(other, direction, "a needle")), Sids{}) << name;
    EXPECT_EQ(RulesKit::told(kit.inspect(buffer.kind, direction, "a needl_")), Sids{}) << name;
    kit.fresh_flow();
    EXPECT_EQ(RulesKit::told(kit.inspect(buffer.kind, direction, "a needle")), Sids{1}) << name;
  }
}

TEST(KeywordCases, WhatIsNotSupportedIsRefusedWithItsReason) {
  for (const Keyword& keyword : keywords()) {
    if (keyword.kind != KeywordKind::Refused) continue;
    const std::string value = keyword.value == Value::None ? "" : ":x";
    RulesKit kit("alert tcp any any -> any any (content:\"x\"; " + std::string(keyword.name) + value +
                 "; sid:9;)");
    ASSERT_EQ(kit.refusals().size(), 1u) << keyword.name;
    EXPECT_EQ(kit.refusals()[0].text(),
              "test.rules:1: sid 9: " + std::string(keyword.name) + ": " + std::string(keyword.note));
    EXPECT_FALSE(keyword.note.empty()) << keyword.name;
  }
}

}  // namespace
}  // namespace postern::profiles::ips
