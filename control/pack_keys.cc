// SPDX-License-Identifier: Apache-2.0
#include "control/pack_keys.h"

#include <unordered_set>

namespace postern::control {
namespace {

constexpr Spelling kSpellings[] = {
    {"action", "action"},
    {"allow_list", "allow_list"},
    {"antivirus", "antivirus"},
    {"app_id", "app_id"},
    {"application", "application"},
    {"attacker_goal", "attacker_goal"},
    {"authors", "authors"},
    {"block_categories", "block_categories"},
    {"c2_protection", "c2_protection"},
    {"category", "category"},
    {"credential_phishing", "credential_phishing"},
    {"data_patterns", "data_patterns"},
    {"decryption", "decryption"},
    {"depends_on", "depends_on"},
    {"description", "description"},
    {"destination", "destination"},
    {"device_posture", "device_posture"},
    {"direction", "direction"},
    {"dlp", "dlp"},
    {"dns_security", "dns_security"},
    {"email", "email"},
    {"en", "en"},
    {"enabled", "enabled"},
    {"endpoints", "endpoints"},
    {"exclusions", "exclusions"},
    {"file_control", "file_control"},
    {"file_types", "file_types"},
    {"forwarding", "forwarding"},
    {"fr", "fr"},
    {"id", "id"},
    {"identity", "identity"},
    {"ips", "ips"},
    {"key_controls", "key_controls"},
    {"log_end", "log_end"},
    {"log_start", "log_start"},
    {"logging", "logging"},
    {"min_severity", "min_severity"},
    {"mitre_attack", "mitre_attack"},
    {"mode", "mode"},
    {"name", "name"},
    {"org", "org"},
    {"product", "product"},
    {"publisher", "publisher"},
    {"rationale", "rationale"},
    {"references", "references"},
    {"retrieved", "retrieved"},
    {"risk", "risk"},
    {"rules", "rules"},
    {"sandboxing", "sandboxing"},
    {"schema_version", "schema_version"},
    {"security_profiles", "security_profiles"},
    {"sinkhole", "sinkhole"},
    {"source", "source"},
    {"summary", "summary"},
    {"tactic", "tactic"},
    {"technique_id", "technique_id"},
    {"threat_model", "threat_model"},
    {"title", "title"},
    {"trust_tier", "trust_tier"},
    {"uncategorized_action", "uncategorized_action"},
    {"url", "url"},
    {"url_filtering", "url_filtering"},
    {"user_groups", "user_groups"},
    {"vendor", "vendor"},
    {"version", "version"},
    {"zones", "zones"},
};

std::string_view our_spelling(std::string_view written, std::span<const Spelling> spellings) {
  for (const Spelling& s : spellings)
    if (s.written == written) return s.ours;
  return written;
}

Status respell(Node& node, const std::string& file, std::span<const Spelling> spellings) {
  std::unordered_set<std::string_view> seen;
  for (Node::Entry& entry : node.entries) {
    if (is_authors_own(entry.key)) continue;
    const std::string_view ours = our_spelling(entry.key, spellings);
    if (!seen.insert(ours).second)
      return Error{"key " + in_quotes(entry.key) + " says the same as an earlier key; expected one of them",
                   file, entry.line};
    if (entry.key != ours) entry.key = ours;
    if (Status status = respell(entry.value, file, spellings); !status) return status;
  }
  for (Node& item : node.items)
    if (Status status = respell(item, file, spellings); !status) return status;
  return Ok{};
}

}  // namespace

std::span<const Spelling> kit_spellings() { return kSpellings; }

bool is_authors_own(std::string_view key) { return key.starts_with("x_"); }

Result<Document> in_our_spelling(Document document, std::span<const Spelling> spellings) {
  if (Status status = respell(document.root, document.file, spellings); !status) return status.error();
  return document;
}

}  // namespace postern::control
