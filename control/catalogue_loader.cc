// SPDX-License-Identifier: Apache-2.0
#include "control/catalogue_loader.h"

#include <algorithm>

#include "classify/app_ids.h"
#include "classify/decoders/decoders.h"
#include "control/document.h"
#include "control/embedded_text.h"
#include "control/map_reader.h"
#include "control/signature_reader.h"
#include "control/transport.h"

namespace postern::control {
namespace {

using classify::Application;
using classify::Member;

constexpr Choice<ApplicationKind> kKinds[] = {{"identified", ApplicationKind::Identified},
                                              {"composite", ApplicationKind::Composite},
                                              {"wildcard", ApplicationKind::Wildcard}};

constexpr std::string_view kReserved = "unidentified";
constexpr size_t kMostEntries = 4000;  // ids have 12 bits, and entries that went keep theirs

std::string snake_name(MapReader& map, std::string_view key, Findings& findings) {
  constexpr std::string_view kExpected = "a lower-case name (a-z, 0-9, _)";
  const Node* node = map.require(key, kExpected);
  if (node == nullptr) return {};
  if (node->is_scalar() && is_snake_name(node->text)) return node->text;
  findings.error(node->line,
                 std::string(key) + ": found " + node->found() + ", expected " + std::string(kExpected));
  return {};
}

CatalogueMember read_member(const Node& node, const std::string& app_id, ApplicationKind kind,
                            Findings& findings) {
  MapReader map(&node, "member of " + app_id, findings);
  CatalogueMember member{.line = map.line()};
  if (kind == ApplicationKind::Composite) {
    member.application = map.text("application").value_or("");
    member.opt_in = map.text("opt_in").value_or("");
    member.bound_hosts = map.flag("bound_hosts", false);
    member.in_clear = map.flag("in_clear", false);
  }
  member.protocol = read_protocol(map, findings);
  member.ports = read_ports(map, "ports", member.protocol, findings);
  map.finish();
  return member;
}

std::vector<IpAddress> read_multicast(MapReader& map, Findings& findings) {
  std::vector<IpAddress> out;
  for (const Node& item : map.list("multicast", "multicast addresses", EmptyList::Refused)) {
    const auto text = as_text(item);
    const auto address = text ? IpAddress::parse(*text) : std::nullopt;
    if (address && address->is_multicast())
      out.push_back(*address);
    else
      findings.error(item.line, "multicast: found " + item.found() + ", expected a multicast address");
  }
  return out;
}

CatalogueEntry read_entry(const Node& node, Findings& findings) {
  MapReader map(&node, "application", findings);
  CatalogueEntry entry;
  entry.file = findings.file();
  entry.line = map.line();
  entry.app_id = snake_name(map, "app_id", findings);
  if (!map.has("kind"))
    findings.error(map.line(), "application: no key \"kind\", expected identified, composite or wildcard");
  entry.kind = map.choice<ApplicationKind>("kind", kKinds, ApplicationKind::Composite);
  entry.category = snake_name(map, "category", findings);
  if (!map.has("risk"))
    findings.error(map.line(), "application: no key \"risk\", expected a number from 1 to 5");
  entry.risk = static_cast<uint8_t>(map.integer("risk", {1, 5}, 5));
  entry.depends_on = map.names("depends_on", "app_ids", EmptyList::Fine);
  if (entry.kind != ApplicationKind::Wildcard) {
    entry.multicast = read_multicast(map, findings);
    for (const Node& item : map.list("members", "members", EmptyList::Refused))
      entry.members.push_back(read_member(item, entry.app_id, entry.kind, findings));
  }
  if (entry.kind == ApplicationKind::Identified) {
    entry.parent = map.text("parent").value_or("");
    entry.signatures = read_signatures(map, entry.app_id, findings);
    entry.answers_from_any_port = read_decoder(map, "answers_from_any_port", findings);
    entry.provisional = map.flag("provisional", false);
  }
  const bool needs_members = entry.kind != ApplicationKind::Wildcard && entry.parent.empty();
  if (needs_members && !map.has("members"))
    findings.error(map.line(), "application: no key \"members\", expected a list of members");
  map.finish();
  return entry;
}

LoadedCatalogue read_catalogue(const Result<Document>& document, const std::string& file) {
  LoadedCatalogue loaded{{}, Findings(file)};
  if (!document) {
    loaded.findings.error(document.error());
    return loaded;
  }
  MapReader root(&document->root, "catalogue", loaded.findings);
  if (!root.has("catalogue"))
    loaded.findings.error(root.line(), "no key \"catalogue\", expected the version of the form: 1");
  root.integer("catalogue", {1, 1}, 1);
  for (const Node& node : root.list("applications", "applications", EmptyList::Fine)) {
    CatalogueEntry entry = read_entry(node, loaded.findings);
    const auto [at, is_new] = loaded.entries.emplace(entry.app_id, entry);
    if (!is_new && !entry.app_id.empty())
      loaded.findings.error(entry.line, "application " + in_quotes(entry.app_id) + " is already on line " +
                                            std::to_string(at->second.line) + ", expected each app_id once");
  }
  root.finish();
  return loaded;
}

void check_member(const Catalogue& catalogue, const CatalogueEntry& entry, const CatalogueMember& member,
                  Findings& findings) {
  if (member.application.empty()) {
    if (entry.kind == ApplicationKind::Composite && member.protocol == classify::kAnyProtocol)
      findings.error(
          {"member of " + entry.app_id + " has neither application nor protocol, expected one at least",
           entry.file, member.line});
    return;
  }
  const auto known = catalogue.find(member.application);
  if (known == catalogue.end() || known->second.kind != ApplicationKind::Identified)
    findings.error({"member of " + entry.app_id + ": found application " + in_quotes(member.application) +
                        ", expected an identified application such as tls or dns",
                    entry.file, member.line});
}

bool is_fixed(const std::string& app_id) {
  return std::any_of(classify::app::kFixed.begin(), classify::app::kFixed.end(),
                     [&](const auto& fixed) { return fixed.second == app_id; });
}

void check_parent(const Catalogue& catalogue, const CatalogueEntry& entry, Findings& findings) {
  size_t steps = 0;
  for (const CatalogueEntry* at = &entry; !at->parent.empty(); ++steps) {
    const auto parent = catalogue.find(at->parent);
    if (parent == catalogue.end() || parent->second.kind != ApplicationKind::Identified) {
      // The entry that names it is the one to blame.
      if (at == &entry)
        findings.error({"application " + in_quotes(entry.app_id) + ": found parent " +
                            in_quotes(entry.parent) + ", expected another identified application",
                        entry.file, entry.line});
      return;
    }
    at = &parent->second;
    if (at == &entry || steps > catalogue.size()) {
      findings.error({"application " + in_quotes(entry.app_id) +
                          " is its own parent through others, expected parents without a circle",
                      entry.file, entry.line});
      return;
    }
  }
}

void check_signatures(const Catalogue& catalogue, const CatalogueEntry& entry, Findings& findings) {
  if (entry.kind != ApplicationKind::Identified || !entry.signatures.empty()) return;
  const bool has_children = std::any_of(catalogue.begin(), catalogue.end(), [&](const auto& other) {
    return other.second.parent == entry.app_id;
  });
  if (!has_children)
    findings.error({"application " + in_quotes(entry.app_id) +
                        " is identified and nothing recognises it, expected a list of signatures, or kind "
                        "composite",
                    entry.file, entry.line});
}

// An entry without members has those of its parent. Wrong parents are told by check_catalogue.
const std::vector<CatalogueMember>& members_of(const Catalogue& catalogue, const CatalogueEntry& entry) {
  const CatalogueEntry* at = &entry;
  for (size_t steps = 0; at->members.empty() && steps < catalogue.size(); ++steps) {
    const auto parent = catalogue.find(at->parent);
    if (parent == catalogue.end()) break;
    at = &parent->second;
  }
  return at->members;
}

Application application_of(const Catalogue& catalogue, const CatalogueEntry& entry,
                           const ApplicationBinding& binding, Names& names) {
  Application out;
  out.id = names.application(entry.app_id);
  out.name = entry.app_id;
  out.parent = names.application(entry.parent);
  out.category = entry.category;
  out.risk = entry.risk;
  out.depends_on = entry.depends_on;
  out.composite = entry.kind == ApplicationKind::Composite;
  out.wildcard = entry.kind == ApplicationKind::Wildcard;
  out.servers = binding.servers;
  out.multicast = entry.multicast;
  out.answers = classify::decoders::find(entry.answers_from_any_port);
  out.provisional = entry.provisional;
  for (const CatalogueMember& member : members_of(catalogue, entry)) {
    const bool wanted = member.opt_in.empty() || std::find(binding.opt_in.begin(), binding.opt_in.end(),
                                                           member.opt_in) != binding.opt_in.end();
    if (!wanted) continue;
    Member& added = out.members.emplace_back();
    if (entry.kind == ApplicationKind::Identified)
      added.application = out.id;
    else if (!member.application.empty())
      added.application = names.application(member.application);
    added.protocol = member.protocol;
    added.ports = member.ports;
    added.bound_hosts = member.bound_hosts;
    added.in_clear = member.in_clear;
  }
  return out;
}

}  // namespace

LoadedCatalogue parse_catalogue(std::string_view text, const std::string& file) {
  return read_catalogue(parse_document(text, file), file);
}

LoadedCatalogue load_catalogue(const std::string& path) { return read_catalogue(read_document(path), path); }

LoadedCatalogue shipped_catalogue() {
  LoadedCatalogue all{{}, Findings("shipped catalogue")};
  uint32_t rank = 0;
  for (const EmbeddedFile& file : shipped_catalogues()) {
    LoadedCatalogue one = parse_catalogue(file.text, "shipped " + std::string(file.name));
    all.findings.merge(std::move(one.findings));
    for (auto& [app_id, entry] : one.entries) {
      entry.rank = rank;
      const auto [at, is_new] = all.entries.emplace(app_id, entry);
      if (!is_new)
        all.findings.error({"application " + in_quotes(app_id) + " is also in " + at->second.file +
                                ", expected each app_id once",
                            entry.file, entry.line});
    }
    ++rank;
  }
  return all;
}

Catalogue merged(Catalogue base, Catalogue over) {
  for (auto& [app_id, entry] : base) ++entry.rank;
  for (auto& [app_id, entry] : over) base.insert_or_assign(app_id, std::move(entry));
  return base;
}

Findings check_catalogue(const Catalogue& catalogue) {
  Findings findings("");
  if (catalogue.size() > kMostEntries)
    findings.error({"the catalogue has " + std::to_string(catalogue.size()) +
                        " applications, expected at most " + std::to_string(kMostEntries),
                    "", 0});
  for (const auto& [app_id, entry] : catalogue) {
    if (app_id == kReserved)
      findings.error(
          {"application " + in_quotes(app_id) + " is what logs call the unknown, expected another name",
           entry.file, entry.line});
    if (entry.kind != ApplicationKind::Identified && is_fixed(app_id))
      findings.error({"application " + in_quotes(app_id) +
                          " is one that the program knows by name, expected kind identified",
                      entry.file, entry.line});
    check_parent(catalogue, entry, findings);
    check_signatures(catalogue, entry, findings);
    for (const CatalogueMember& member : entry.members) check_member(catalogue, entry, member, findings);
    for (const std::string& needed : entry.depends_on)
      if (!catalogue.contains(needed))
        findings.error({"application " + in_quotes(app_id) + " depends on " + in_quotes(needed) +
                            ", expected an app_id of the catalogue",
                        entry.file, entry.line});
  }
  return findings;
}

std::vector<Application> applications_of(const Catalogue& catalogue,
                                         const std::map<std::string, ApplicationBinding>& bindings,
                                         Names& names) {
  std::vector<Application> out(2);
  out[0].id = kApplicationPending;
  out[1].id = kApplicationUnidentified;
  out[1].name = names.application_name(kApplicationUnidentified);
  for (const auto& [app_id, entry] : catalogue) {
    const auto binding = bindings.find(app_id);
    out.push_back(application_of(catalogue, entry,
                                 binding == bindings.end() ? ApplicationBinding{} : binding->second, names));
  }
  std::sort(out.begin(), out.end(), [](const Application& a, const Application& b) { return a.id < b.id; });
  return out;
}

std::vector<classify::Signature> signatures_of(const Catalogue& catalogue, Names& names) {
  std::vector<const CatalogueEntry*> entries;
  for (const auto& [app_id, entry] : catalogue) entries.push_back(&entry);
  std::sort(entries.begin(), entries.end(), [](const CatalogueEntry* a, const CatalogueEntry* b) {
    return std::pair(a->rank, a->line) < std::pair(b->rank, b->line);
  });
  std::vector<classify::Signature> out;
  for (const CatalogueEntry* entry : entries)
    for (const classify::Signature& signature : entry->signatures) {
      out.push_back(signature);
      out.back().application = names.application(entry->app_id);
    }
  return out;
}

}  // namespace postern::control
