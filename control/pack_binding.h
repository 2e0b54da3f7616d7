// SPDX-License-Identifier: Apache-2.0
// Gives a pack's names the meaning they have at one site: zones, applications, groups and forwardings become
// ids. What the site does not bind is an error with the pack's file:line; what will not work as the author
// hoped is a warning. Control thread.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "classify/policy.h"
#include "control/findings.h"
#include "control/names.h"
#include "control/pack_loader.h"

namespace postern::control {

// What this build can do with a flow; the rest is up to the site's exceptions.
struct Engines {
  bool tls = false;
  uint16_t profiles = classify::kAntivirus;  // classify::Profile bits
};

// Names at a site; `groups` are the tokens of packs with the directory groups they stand for.
struct SiteWords {
  std::map<std::string, Zone> zones;
  std::map<std::string, const classify::Application*> applications;
  std::map<std::string, ForwardingId> forwardings;
  std::map<std::string, std::vector<std::string>> groups;
  classify::Exceptions exceptions;
  Engines engines;
  bool inbound_inspection = false;    // the site imports certificates for it
  bool forward_proxy = false;         // the site has a CA for it
  classify::ExclusionSet exclusions;  // that the site lists something for
};

struct BoundPack {
  std::vector<classify::Rule> rules;  // one per rule of the pack
  Findings findings;
};

BoundPack bind_pack(const Pack& pack, const SiteWords& site, Names& names);

std::string_view exception_name(classify::ExceptionAction action);

}  // namespace postern::control
