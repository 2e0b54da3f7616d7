// SPDX-License-Identifier: Apache-2.0
#include "control/pack_binding.h"

#include <algorithm>

#include "classify/app_ids.h"
#include "control/document.h"

namespace postern::control {
namespace {

using classify::Application;
using classify::DecryptionMode;
using classify::Member;
using classify::Rule;

// Profiles that read content; dns_security has the server name of an encrypted flow to go by.
constexpr uint16_t kContentProfiles = classify::kIps | classify::kAntivirus | classify::kSandboxing |
                                      classify::kUrlFiltering | classify::kC2Protection |
                                      classify::kFileControl | classify::kDlp;

template <typename Value>
std::string known_names(const std::map<std::string, Value>& words) {
  constexpr size_t kShown = 20;
  std::string out;
  size_t shown = 0;
  for (const auto& [name, unused] : words) {
    if (++shown > kShown) return out + ", ...";
    out += (out.empty() ? "" : ", ") + name;
  }
  return out.empty() ? "none" : out;
}

bool carries_tls(const Application& application) {
  if (application.wildcard || application.id == classify::app::kTls) return true;
  return std::any_of(application.members.begin(), application.members.end(),
                     [](const Member& m) { return m.application == classify::app::kTls; });
}

class Binder {
 public:
  Binder(const Pack& pack, const SiteWords& site, Names& names)
      : pack_(pack), site_(site), names_(names), findings_(pack.file) {}

  BoundPack bind() {
    std::vector<Rule> rules;
    for (const PackRule& rule : pack_.rules) rules.push_back(bind_rule(rule));
    warn_of_absent_profiles();
    return {std::move(rules), std::move(findings_)};
  }

 private:
  Rule bind_rule(const PackRule& from) {
    Rule rule;
    rule.id = names_.rule({pack_.id, from.app_id.text, from.index});
    rule.pack = pack_.id;
    rule.name = from.app_id.text;
    rule.index = from.index;
    rule.action = from.action;
    rule.source_zones = zones(from, from.source_zones);
    rule.destination_zones = zones(from, from.destination_zones);
    // A drop rule must not be escaped by moving to another port.
    rule.service =
        from.action == Action::Allow ? classify::Service::ApplicationDefault : classify::Service::Any;
    rule.identity = {groups(from), from.compliant};
    rule.decryption = from.decryption;
    for (const Word& exclusion : from.exclusions) {
      rule.exclusions.push_back(exclusion.text);
      if (const auto known = classify::exclusion_category(exclusion.text))
        rule.excluded_categories.add(*known);
    }
    rule.profiles = from.profiles;
    rule.antivirus = from.antivirus;
    rule.risk = from.risk;
    rule.logging = {forwarding(from), from.log_start, from.log_end};
    const Application* application = find_application(from);
    if (application != nullptr) {
      rule.application = application->id;
      warn(from, *application);
    }
    return rule;
  }

  std::vector<Zone> zones(const PackRule& rule, const std::vector<Word>& words) {
    std::vector<Zone> out;
    for (const Word& word : words) {
      const auto known = site_.zones.find(word.text);
      if (known != site_.zones.end())
        out.push_back(known->second);
      else
        findings_.error(word.line, rule.called() + ": zone " + in_quotes(word.text) +
                                       " is not bound by the site, expected one of its zones: " +
                                       known_names(site_.zones));
    }
    return out;
  }

  std::vector<std::string> groups(const PackRule& rule) {
    std::vector<std::string> out;
    for (const Word& word : rule.groups) {
      const auto known = site_.groups.find(word.text);
      if (known == site_.groups.end()) {
        findings_.error(word.line, rule.called() + ": group " + in_quotes(word.text) +
                                       " is not bound by the site, expected a key of identity.groups: " +
                                       known_names(site_.groups));
        continue;
      }
      for (const std::string& group : known->second)
        if (std::find(out.begin(), out.end(), group) == out.end()) out.push_back(group);
    }
    return out;
  }

  ForwardingId forwarding(const PackRule& rule) {
    const auto known = site_.forwardings.find(rule.forwarding.text);
    if (known != site_.forwardings.end()) return known->second;
    findings_.error(rule.forwarding.line,
                    rule.called() + ": forwarding " + in_quotes(rule.forwarding.text) +
                        " is not known to the site, expected a key of logging.forwarding: " +
                        known_names(site_.forwardings));
    return {};
  }

  const Application* find_application(const PackRule& rule) {
    const auto known = site_.applications.find(rule.app_id.text);
    if (known != site_.applications.end()) return known->second;
    findings_.error(rule.app_id.line,
                    rule.called() + ": application " + in_quotes(rule.app_id.text) +
                        " is not in the catalogue, expected one of: " + known_names(site_.applications));
    return nullptr;
  }

  void warn(const PackRule& rule, const Application& application) {
    warn_of_direction(rule);
    warn_of_unbound_hosts(rule, application);
    for (const Word& exclusion : rule.exclusions) warn_of_exclusion(rule, exclusion);
    if (rule.action != Action::Allow || !carries_tls(application)) return;
    warn_of_decryption(rule);
  }

  void warn_of_exclusion(const PackRule& rule, const Word& exclusion) {
    const auto category = classify::exclusion_category(exclusion.text);
    const std::string called = rule.called() + ": exclusion " + in_quotes(exclusion.text);
    if (!category)
      findings_.warning(exclusion.line, called + " is unknown to this build and excludes nothing");
    // Where nothing is decrypted it is a word for the log, which needs no list.
    const bool decrypts = rule.action == Action::Allow && rule.decryption != DecryptionMode::None;
    if (category && decrypts && !site_.exclusions.has(*category))
      findings_.warning(exclusion.line,
                        called + " excludes nothing, because the site has no entry for it in tls.exclude");
  }

  void warn_of_decryption(const PackRule& rule) {
    const uint16_t blind = rule.profiles & kContentProfiles;
    if (rule.decryption == DecryptionMode::None && blind != 0)
      findings_.warning(
          rule.profiles_line,
          rule.called() + ": " + profile_names(blind) +
              (rule.exclusions.empty() ? "" : " (exclusion " + rule.exclusions.front().text + ")") +
              " cannot see what is encrypted, because decryption is none: such flows are logged as not "
              "inspected");
    const bool inbound = rule.decryption == DecryptionMode::SslInboundInspection && site_.inbound_inspection;
    const bool forward = rule.decryption == DecryptionMode::SslForwardProxy && site_.forward_proxy;
    if (rule.decryption != DecryptionMode::None && !site_.engines.tls && !inbound && !forward)
      findings_.warning(rule.decryption_line,
                        rule.called() + ": demands " + std::string(decryption_name(rule.decryption)) +
                            " and this build has no TLS engine: exceptions.decryption_unavailable (" +
                            std::string(exception_name(site_.exceptions.decryption_unavailable)) +
                            ") decides on its encrypted flows");
  }

  void warn_of_unbound_hosts(const PackRule& rule, const Application& application) {
    if (application.members.empty() || !application.servers.empty()) return;
    if (!std::all_of(application.members.begin(), application.members.end(),
                     [](const Member& m) { return m.bound_hosts; }))
      return;
    findings_.warning(rule.app_id.line, rule.called() +
                                            ": the site names no servers for it in applications." +
                                            rule.app_id.text + ", so it never matches");
  }

  void warn_of_direction(const PackRule& rule) {
    const auto touches_internet = [](const std::vector<Word>& zones) {
      return std::any_of(zones.begin(), zones.end(), [](const Word& z) { return z.text == "internet"; });
    };
    const bool from_internet = touches_internet(rule.source_zones),
               to_internet = touches_internet(rule.destination_zones);
    const auto odd = [&](const std::string& what) {
      findings_.warning(rule.direction_line,
                        rule.called() + ": " + what + "; zones decide, direction is not matched on");
    };
    if (rule.direction == FlowDirection::Internal && (from_internet || to_internet))
      odd("direction is internal, yet zone internet takes part");
    if (rule.direction == FlowDirection::Inbound && to_internet)
      odd("direction is inbound, yet zone internet is a destination");
    if (rule.direction == FlowDirection::Outbound && from_internet)
      odd("direction is outbound, yet zone internet is a source");
    if (rule.direction == FlowDirection::Outbound && !to_internet && !touches_dmz(rule.destination_zones))
      odd("direction is outbound, yet no destination is internet or dmz");
    if (rule.decryption == DecryptionMode::SslForwardProxy && rule.direction != FlowDirection::Outbound)
      odd("ssl_forward_proxy is for outbound flows, direction says otherwise");
    if (rule.decryption == DecryptionMode::SslInboundInspection && rule.direction != FlowDirection::Inbound)
      odd("ssl_inbound_inspection is for inbound flows, direction says otherwise");
  }

  static bool touches_dmz(const std::vector<Word>& zones) {
    return std::any_of(zones.begin(), zones.end(), [](const Word& z) { return z.text == "dmz"; });
  }

  // Once per pack: nearly every rule asks for some profile.
  void warn_of_absent_profiles() {
    uint16_t absent = 0;
    for (const PackRule& rule : pack_.rules)
      absent |= rule.profiles & static_cast<uint16_t>(~site_.engines.profiles);
    if (absent == 0) return;
    findings_.warning(0, "pack " + pack_.id + " asks for " + profile_names(absent) +
                             " and this build has no engine for it: exceptions.inspection_unavailable (" +
                             std::string(exception_name(site_.exceptions.inspection_unavailable)) +
                             ") applies");
  }

  const Pack& pack_;
  const SiteWords& site_;
  Names& names_;
  Findings findings_;
};

}  // namespace

BoundPack bind_pack(const Pack& pack, const SiteWords& site, Names& names) {
  return Binder(pack, site, names).bind();
}

std::string_view exception_name(classify::ExceptionAction action) {
  switch (action) {
    case classify::ExceptionAction::Drop:
      return "drop";
    case classify::ExceptionAction::Pass:
      return "pass";
    case classify::ExceptionAction::Bypass:
      return "bypass";
  }
  return "drop";
}

}  // namespace postern::control
