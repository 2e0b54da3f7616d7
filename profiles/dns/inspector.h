// SPDX-License-Identifier: Apache-2.0
// The profile dns_security over single messages: whole datagrams, or messages of a stream (next_frame). What
// it knows lives here, bounded, and belongs to one worker; the operator's words come with every call and may
// change between calls.
#pragma once

#include <array>

#include "profiles/dns/domain_policy.h"
#include "profiles/dns/forged_answer.h"
#include "profiles/dns/generated_names.h"
#include "profiles/dns/public_suffixes.h"
#include "profiles/dns/sinkholed_names.h"
#include "profiles/dns/transactions.h"
#include "profiles/dns/tunnel_detector.h"

namespace postern::profiles::dns {

enum class Refusal : uint8_t { Sinkhole, NxDomain, Drop };
enum class Mode : uint8_t { Alert, Block };

// Immutable while a worker uses it.
struct Settings {
  Mode mode = Mode::Block;
  Refusal refusal = Refusal::Sinkhole;
  Sinkhole sinkhole = Sinkhole::documentation();
  DomainPolicy lists;
  DomainPolicy lookup_services;  // domains whose names are questions with hashes in them: no tunnels
  DomainPolicy own_names;        // may have addresses of the management zone
  PrefixRules management;        // others may not
  PublicSuffixes suffixes;
  TunnelThresholds tunnels;
  GeneratedThresholds generated;
};

enum class Reason : uint8_t {
  None,
  Malformed,  // Verdict::fault says how
  Unsolicited,
  WrongQuestion,
  Listed,  // Verdict::listed says where
  Rebinding,
  Tunnel,
  GeneratedName,
  Count,
};
inline constexpr size_t kReasons = static_cast<size_t>(Reason::Count);
std::string_view reason_name(Reason reason) noexcept;  // as in logs

enum class Act : uint8_t {
  Pass,
  Drop,
  Answer,  // the message goes no further; forge() makes what its client gets
};

struct Verdict {
  Act act = Act::Pass;
  Reason reason = Reason::None;  // with Act::Pass: only told
  Fault fault = Fault::None;
  DomainPolicy::Verdict listed;
  Reply reply = Reply::Sinkhole;  // of Act::Answer
};

struct InspectorSizes {
  size_t transactions = 65536, tunnels = 8192, clients = 4096, sinkholed = 4096;
};

class Inspector {
 public:
  explicit Inspector(uint64_t seed, const InspectorSizes& sizes = {});

  // The message is read until the next call.
  Verdict query(const Exchange& exchange, Bytes bytes, const Settings& settings, Timestamp now) noexcept;
  Verdict answer(const Exchange& exchange, Bytes bytes, const Settings& settings, Timestamp now) noexcept;
  // After Act::Answer: the bytes for the client in `room` of kForgedRoom; 0: larger local data, so drop.
  size_t forge(const Verdict& verdict, const Exchange& exchange, const Settings& settings,
               std::span<uint8_t> room) const noexcept;

  const Message& message() const noexcept { return message_; }  // the last one
  const SinkholedNames& sinkholed() const noexcept { return sinkholed_; }
  size_t memory() const noexcept;

 private:
  Verdict judge_query(const Exchange& exchange, const Settings& settings, Timestamp now) noexcept;
  Verdict judge_answer(const Exchange& exchange, const Settings& settings, Timestamp now) noexcept;
  Verdict by_list(const DomainPolicy::Verdict& listed, const Settings& settings) const noexcept;
  bool is_rebinding(const Settings& settings) const noexcept;

  Message message_;
  Transactions transactions_;
  TunnelDetector tunnels_;
  GeneratedNames generated_;
  SinkholedNames sinkholed_;
};

}  // namespace postern::profiles::dns
