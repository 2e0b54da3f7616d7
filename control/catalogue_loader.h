// SPDX-License-Identifier: Apache-2.0
// The application catalogue: the shipped one is part of the program, a site's files of the same form are
// merged over it (docs/catalogue.md). Control thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "classify/policy.h"
#include "control/findings.h"
#include "control/names.h"

namespace postern::control {

enum class ApplicationKind : uint8_t { Identified, Composite, Wildcard };

struct CatalogueMember {
  std::string application;  // identified application it must be; empty: protocol and port suffice
  std::string opt_in;       // empty: always a member
  uint8_t protocol = classify::kAnyProtocol;
  std::vector<classify::PortRange> ports;
  bool bound_hosts = false;
  bool in_clear = false;
  uint32_t line = 0;
};

struct CatalogueEntry {
  std::string app_id;
  ApplicationKind kind = ApplicationKind::Composite;
  std::string parent;  // empty: none
  std::string category;
  uint8_t risk = 1;
  std::vector<std::string> depends_on;
  std::vector<IpAddress> multicast;
  std::string answers_from_any_port;  // decoder of such answers
  bool provisional = false;
  std::vector<CatalogueMember> members;
  std::vector<classify::Signature> signatures;  // without the application's id
  std::string file;
  uint32_t rank = 0, line = 0;  // files of lower rank come first
};

using Catalogue = std::map<std::string, CatalogueEntry>;  // by app_id

struct LoadedCatalogue {
  Catalogue entries;
  Findings findings;
};

LoadedCatalogue shipped_catalogue();
LoadedCatalogue load_catalogue(const std::string& path);
LoadedCatalogue parse_catalogue(std::string_view text, const std::string& file);

// Entries of `over` replace those of the same app_id; its signatures come first.
Catalogue merged(Catalogue base, Catalogue over);

// Findings about names between entries, which only the merged catalogue can tell.
Findings check_catalogue(const Catalogue& catalogue);

// What the site says of an application.
struct ApplicationBinding {
  std::vector<Prefix> servers;
  std::vector<std::string> opt_in;
};

// As a policy wants them: by ascending id, "pending" and "unidentified" first. The catalogue has been
// checked.
std::vector<classify::Application> applications_of(const Catalogue& catalogue,
                                                   const std::map<std::string, ApplicationBinding>& bindings,
                                                   Names& names);

// In the order in which one is preferred to another that fits as well.
std::vector<classify::Signature> signatures_of(const Catalogue& catalogue, Names& names);

}  // namespace postern::control
