// SPDX-License-Identifier: Apache-2.0
// The parts of a site file, read one by one for site_loader.cc; nobody else includes this. Every reader notes
// mistakes in `findings` and returns what it could make of the rest. Control thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "control/catalogue_loader.h"
#include "control/findings.h"
#include "control/map_reader.h"
#include "control/names.h"
#include "control/pack_binding.h"
#include "control/site.h"

namespace postern::control {

struct WiresSection {
  std::vector<Wire> wires;  // ids are positions
};
WiresSection read_wires(MapReader& site, Findings& findings);

struct ZonesSection {
  std::vector<classify::ZoneBinding> bindings;
  std::map<std::string, Zone> names;
};
ZonesSection read_zones(MapReader& site, const std::vector<Wire>& wires, Names& names, Findings& findings);

std::map<std::string, ApplicationBinding> read_applications(MapReader& site, const Catalogue& catalogue,
                                                            Findings& findings);

struct IdentitySection {
  std::map<std::string, std::vector<std::string>> groups;  // token of a pack to directory groups
  std::vector<classify::Subject> subjects;
};
IdentitySection read_identity(MapReader& site, Names& names, Findings& findings);

struct LoggingSection {
  std::string directory;
  std::vector<ForwardingProfile> profiles;
  std::map<std::string, ForwardingId> names;
  classify::Logging default_rule;
  uint32_t stats_seconds = 10;
};
LoggingSection read_logging(MapReader& site, Names& names, Findings& findings);

struct RulesSection {
  std::vector<classify::Rule> before, after;
};
RulesSection read_rules(MapReader& site, const SiteWords& words, Names& names, Findings& findings);

struct TlsSection {
  dataplane::TlsSetup setup;
  std::vector<classify::ExclusionEntry> exclusions;
  classify::EchAnswer ech{};
};
// Paths are relative to the site file. The files are read and checked; no section, no threads.
TlsSection read_tls(MapReader& site, const std::string& site_file, Findings& findings);

// The parts of it with readers of their own.
std::optional<tls::ForwardCredentials::Setup> read_forward_proxy(MapReader& tls, const std::string& site_file,
                                                                 Findings& findings);
std::vector<classify::ExclusionEntry> read_exclusions(MapReader& tls, const std::string& site_file,
                                                      Findings& findings);
// Files are relative to the site file.
std::vector<profiles::ByteSignature> read_antivirus(MapReader& site, const std::string& site_file,
                                                    Findings& findings);

classify::Exceptions read_exceptions(MapReader& site, Findings& findings);
classify::PendingBudget read_pending(MapReader& site, Findings& findings);
classify::Timeouts read_timeouts(MapReader& site, Findings& findings);

}  // namespace postern::control
