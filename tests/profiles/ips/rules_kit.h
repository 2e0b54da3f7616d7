// SPDX-License-Identifier: Apache-2.0
// Rules compiled from text, and a flow to try them on, for tests. One thread.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>

#include "profiles/ips/inspection.h"

namespace postern::profiles::ips {

class RulesKit {
 public:
  explicit RulesKit(const std::string& rules, RuleSite site = {}) : site_(std::move(site)) {
    RuleReader reader(site_, names_);
    reader.read(rules, "test.rules");
    refusals_ = reader.refusals();
    Result<RuleSet> compiled = RuleSet::compile(reader, cache_);
    EXPECT_TRUE(compiled) << (compiled ? "" : compiled.error().text());
    rules_ = std::make_unique<RuleSet>(std::move(*compiled));
    refusals_ = reader.refusals();
    Result<Inspection> made = Inspection::create(*rules_, 7);
    EXPECT_TRUE(made);
    inspection_ = std::make_unique<Inspection>(std::move(*made));
    facts_.client = *IpAddress::parse("10.1.0.1");
    facts_.server = *IpAddress::parse("10.2.0.1");
    facts_.client_port = 40000;
    facts_.server_port = 80;
    facts_.phase = FlowPhase::Established;
  }

  const std::vector<Refusal>& refusals() const { return refusals_; }
  const RuleSet& rules() const { return *rules_; }
  Inspection& inspection() { return *inspection_; }
  FlowFacts& facts() { return facts_; }
  PacketFacts& packet() { return packet_; }
  FlowState& flow() { return flow_; }
  Timestamp& now() { return now_; }
  void fresh_flow() { flow_.reset(++flows_); }

  Outcome inspect(BufferKind kind, Direction direction, std::string_view bytes,
                  Input::Part part = Input::Part::Last) {
    packet_.payload_size = static_cast<uint32_t>(bytes.size());
    // Bytes of their own, so that a read past the end is seen.
    const std::vector<uint8_t> exact(bytes.begin(), bytes.end());
    return inspection_->inspect(flow_, facts_, {kind, direction, exact, part, &packet_}, now_);
  }
  Outcome more(std::string_view bytes, BufferKind kind = BufferKind::Stream,
               Direction direction = Direction::ToServer) {
    return inspect(kind, direction, bytes, Input::Part::More);
  }
  Outcome datagram(std::string_view bytes) {
    facts_.transport = Transport::Udp;
    return inspect(BufferKind::Packet, Direction::ToServer, bytes);
  }

  static std::set<uint32_t> told(const Outcome& outcome) {
    std::set<uint32_t> sids;
    for (const Hit& hit : outcome.hits)
      if (hit.told == Hit::Told::Yes) sids.insert(hit.signature->sid);
    return sids;
  }

 private:
  RuleSite site_;
  StateNames names_;
  classify::PatternCache cache_;
  std::vector<Refusal> refusals_;
  std::unique_ptr<RuleSet> rules_;
  std::unique_ptr<Inspection> inspection_;
  FlowFacts facts_;
  PacketFacts packet_;
  FlowState flow_{1};
  uint64_t flows_ = 1;
  Timestamp now_ = 1'000 * kSecond;
};

using Sids = std::set<uint32_t>;

}  // namespace postern::profiles::ips
