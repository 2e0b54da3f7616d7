// SPDX-License-Identifier: Apache-2.0
#include "profiles/dns/inspector.h"

#include "profiles/dns/reverse_names.h"

namespace postern::profiles::dns {
namespace {

constexpr uint8_t kOpQuery = 0;
constexpr std::array<std::string_view, kReasons> kNames = {
    "none",       "dns_malformed", "dns_unsolicited", "dns_wrong_question",
    "dns_listed", "dns_rebinding", "dns_tunnel",      "dns_generated_name"};

// As the profile refuses what it refuses by itself.
Verdict refused(Reason reason, const Settings& settings) noexcept {
  switch (settings.refusal) {
    case Refusal::Sinkhole:
      return {Act::Answer, reason, Fault::None, {}, Reply::Sinkhole};
    case Refusal::NxDomain:
      return {Act::Answer, reason, Fault::None, {}, Reply::NxDomain};
    case Refusal::Drop:
      break;
  }
  return {Act::Drop, reason};
}

Verdict as_told(Verdict verdict, Mode mode) noexcept {
  if (mode == Mode::Alert) verdict.act = Act::Pass;
  return verdict;
}

// What a tunnel or generated name is judged by; nothing where neither can be.
struct Judged {
  bool possible = false;
  PublicSuffixes::Domain domain;
};

Judged judged_as(const Message& message, const IpAddress& client, const Settings& settings) noexcept {
  if (message.header.opcode() != kOpQuery || message.header.questions != 1) return {};
  const PublicSuffixes::Domain domain = settings.suffixes.domain_of(message.name);
  // Only the questions that reverse zones are for: others below them may carry data in hexadecimal digits.
  if (!domain.registered || (message.type == kTypePtr && is_reverse_name(message.name))) return {};
  if (settings.lookup_services.judge_question(message.name, client)) return {};
  return {true, domain};
}

}  // namespace

std::string_view reason_name(Reason reason) noexcept { return kNames[static_cast<size_t>(reason)]; }

Inspector::Inspector(uint64_t seed, const InspectorSizes& sizes)
    : transactions_(sizes.transactions, seed),
      tunnels_(sizes.tunnels, seed),
      generated_(sizes.clients, seed),
      sinkholed_(sizes.sinkholed) {}

size_t Inspector::memory() const noexcept {
  return sizeof *this + transactions_.memory() + tunnels_.memory() + generated_.memory() +
         sinkholed_.memory();
}

Verdict Inspector::by_list(const DomainPolicy::Verdict& listed, const Settings& settings) const noexcept {
  Verdict verdict{Act::Answer, Reason::Listed, Fault::None, listed, Reply::NxDomain};
  switch (settings.lists.rule(listed.rule).action) {
    case ListAction::Block:
      verdict = refused(Reason::Listed, settings);
      verdict.listed = listed;
      break;
    case ListAction::Pass:
      return {Act::Pass, Reason::None, Fault::None, listed};
    case ListAction::NxDomain:
      break;
    case ListAction::NoData:
      verdict.reply = Reply::NoData;
      break;
    case ListAction::Drop:
      verdict.act = Act::Drop;
      break;
    case ListAction::TcpOnly:
      verdict.reply = Reply::Truncated;
      break;
    case ListAction::Local:
      verdict.reply = Reply::Local;
      break;
  }
  return verdict;
}

Verdict Inspector::judge_query(const Exchange& exchange, const Settings& settings, Timestamp now) noexcept {
  // Notifications and updates name zones of their servers.
  if (message_.header.opcode() != kOpQuery) return {};
  const DomainPolicy::Verdict listed = settings.lists.judge_question(message_.name, exchange.client);
  const bool over_tcp = exchange.transport == Transport::Tcp;
  if (listed && !(over_tcp && settings.lists.rule(listed.rule).action == ListAction::TcpOnly))
    return by_list(listed, settings);
  const Judged judged = judged_as(message_, exchange.client, settings);
  if (!judged.possible) return {};
  const uint8_t skipped = judged.domain.skipped;
  if (tunnels_.query(exchange.client, message_, skipped, settings.tunnels, now))
    return refused(Reason::Tunnel, settings);
  if (judged.domain.by_registry &&
      generated_.query(exchange.client, message_.name.label(skipped), settings.generated, now))
    return refused(Reason::GeneratedName, settings);
  return {};
}

Verdict Inspector::query(const Exchange& exchange, Bytes bytes, const Settings& settings,
                         Timestamp now) noexcept {
  message_ = read_message(bytes, classify::DnsRole::Query);
  if (message_.fault != Fault::None)
    return as_told({Act::Drop, Reason::Malformed, message_.fault}, settings.mode);
  const Verdict verdict = as_told(judge_query(exchange, settings, now), settings.mode);
  if (verdict.act == Act::Pass) transactions_.ask(exchange, message_, now);
  if (verdict.act == Act::Answer && verdict.reply == Reply::Sinkhole)
    sinkholed_.remember(exchange.client, message_.name, now);
  return verdict;
}

bool Inspector::is_rebinding(const Settings& settings) const noexcept {
  if (settings.management.empty()) return false;
  for (Records records(message_); records.next() && records.section() == Records::Section::Answer;) {
    const std::optional<IpAddress> address = address_of(records);
    if (address && settings.management.find(*address)) return true;
  }
  return false;
}

Verdict Inspector::judge_answer(const Exchange& exchange, const Settings& settings, Timestamp now) noexcept {
  if (message_.header.opcode() != kOpQuery || message_.header.questions != 1) return {};
  const DomainPolicy::Verdict listed = settings.lists.judge_answer(message_, exchange.client);
  const bool over_tcp = exchange.transport == Transport::Tcp;
  if (listed && !(over_tcp && settings.lists.rule(listed.rule).action == ListAction::TcpOnly))
    return by_list(listed, settings);
  if (is_rebinding(settings) && !settings.own_names.judge_question(message_.name, exchange.client))
    return refused(Reason::Rebinding, settings);
  const Judged judged = judged_as(message_, exchange.client, settings);
  if (!judged.possible) return {};
  const uint8_t skipped = judged.domain.skipped;
  if (judged.domain.by_registry)
    generated_.answer(exchange.client, message_.name.label(skipped), message_.header.rcode(),
                      settings.generated, now);
  if (tunnels_.answer(exchange.client, message_, skipped, settings.tunnels, now))
    return refused(Reason::Tunnel, settings);
  return {};
}

Verdict Inspector::answer(const Exchange& exchange, Bytes bytes, const Settings& settings,
                          Timestamp now) noexcept {
  message_ = read_message(bytes, classify::DnsRole::Response);
  if (message_.fault != Fault::None)
    return as_told({Act::Drop, Reason::Malformed, message_.fault}, settings.mode);
  switch (transactions_.answer(exchange, message_, now)) {
    case Match::Unsolicited:
      return as_told({Act::Drop, Reason::Unsolicited}, settings.mode);
    case Match::WrongQuestion:
      return as_told({Act::Drop, Reason::WrongQuestion}, settings.mode);
    case Match::Expected:
      break;
  }
  const Verdict verdict = as_told(judge_answer(exchange, settings, now), settings.mode);
  if (verdict.act == Act::Answer && verdict.reply == Reply::Sinkhole)
    sinkholed_.remember(exchange.client, message_.name, now);
  return verdict;
}

size_t Inspector::forge(const Verdict& verdict, const Exchange& exchange, const Settings& settings,
                        std::span<uint8_t> room) const noexcept {
  const ListRule* local = verdict.reply == Reply::Local ? &settings.lists.rule(verdict.listed.rule) : nullptr;
  return forge_answer(message_, {verdict.reply, settings.sinkhole, local}, exchange.transport, room);
}

}  // namespace postern::profiles::dns
