// SPDX-License-Identifier: Apache-2.0
#include "control/site_loader.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "control/dependencies.h"
#include "control/document.h"
#include "control/site_sections.h"

namespace postern::control {
namespace {

constexpr int64_t kMostWorkers = 64;
constexpr Choice<Idle> kIdle[] = {{"sleep", Idle::Sleep}, {"spin", Idle::Spin}};

// One site file on its way to a Site.
class SiteReader {
 public:
  SiteReader(const SiteSource& source, Names& names, const Engines& engines)
      : source_(source), names_(names), findings_(source.file) {
    words_.engines = engines;
    site_.file = source.file;
  }

  Loaded read(const Node& root) {
    MapReader map(&root, "site", findings_);
    if (root.kind != Node::Kind::Map && root.is_nothing())
      findings_.error(root.line, "found nothing, expected a site file with the keys site, wires and zones");
    site_.name = map.required_name("site");
    read_pack_paths(map);
    const Catalogue catalogue = read_catalogues(map);
    read_machine(map);
    read_places(map);
    read_applications_section(map, catalogue);
    read_words(map);
    read_decryption(map);
    site_.antivirus = read_antivirus(map, source_.file, findings_);
    const RulesSection rules = read_rules(map, words_, names_, findings_);
    read_control(map);
    site_.tls.adopted_file = site_.control_socket + ".adopted.";
    map.finish();
    assemble(rules);
    return finished();
  }

 private:
  void read_pack_paths(MapReader& map) {
    std::set<std::string> seen;
    const auto add = [&](const std::string& path, uint32_t line) {
      if (seen.insert(std::filesystem::absolute(path).lexically_normal().string()).second)
        site_.pack_files.push_back(path);
      else if (line > 0)
        findings_.error(line, "packs: found " + in_quotes(path) + " twice, expected each pack once");
    };
    for (const Node& item : map.list("packs", "pack files", EmptyList::Fine)) {
      if (const auto path = as_text(item))
        add(beside(source_.file, *path), item.line);
      else
        findings_.error(item.line, "packs: found " + item.found() + ", expected a pack file");
    }
    for (const std::string& path : source_.more_packs) add(path, 0);
  }

  Catalogue read_catalogues(MapReader& map) {
    LoadedCatalogue shipped = shipped_catalogue();
    findings_.merge(std::move(shipped.findings));
    Catalogue all = std::move(shipped.entries);
    for (const Node& item : map.list("catalogues", "catalogue files", EmptyList::Fine)) {
      const auto path = as_text(item);
      if (!path) {
        findings_.error(item.line, "catalogues: found " + item.found() + ", expected a catalogue file");
        continue;
      }
      LoadedCatalogue more = load_catalogue(beside(source_.file, *path));
      findings_.merge(std::move(more.findings));
      all = merged(std::move(all), std::move(more.entries));
    }
    findings_.merge(check_catalogue(all));
    return all;
  }

  void read_machine(MapReader& map) {
    // 0 after a mistake, which the number of cores is not compared with.
    site_.workers =
        static_cast<unsigned>(map.integer("workers", {1, kMostWorkers}, map.has("workers") ? 0 : 1));
    std::set<int64_t> seen;
    for (const Node& item : map.list("cores", "core numbers", EmptyList::Refused)) {
      const auto core = as_integer(item, {0, 1023});
      if (core && seen.insert(*core).second)
        site_.cores.push_back(static_cast<unsigned>(*core));
      else
        findings_.error(item.line,
                        "cores: found " + item.found() + ", expected core numbers from 0 to 1023, each once");
    }
    if (!site_.cores.empty() && site_.workers > 0 && site_.cores.size() != site_.workers)
      findings_.error(map.line_of("cores"), "cores: found " + std::to_string(site_.cores.size()) +
                                                ", expected " + std::to_string(site_.workers) +
                                                ", one for each of the workers");
    if (const auto folder = map.text("pattern_cache")) site_.pattern_cache = beside(source_.file, *folder);
    site_.flows = static_cast<uint32_t>(map.integer("flows", {16, int64_t{1} << 26}, site_.flows));
    site_.mtu = static_cast<uint16_t>(map.integer("mtu", {576, 9000}, site_.mtu));
  }

  void read_places(MapReader& map) {
    WiresSection wires = read_wires(map, findings_);
    site_.wires = std::move(wires.wires);
    const bool all_physical = std::all_of(site_.wires.begin(), site_.wires.end(), [](const Wire& wire) {
      return std::all_of(wire.ports.begin(), wire.ports.end(),
                         [](const PortSpec& port) { return port.kind == PortSpec::Kind::Pci; });
    });
    site_.idle = map.choice<Idle>("idle", kIdle, all_physical ? Idle::Spin : Idle::Sleep);
    ZonesSection zones = read_zones(map, site_.wires, names_, findings_);
    site_.policy.zones = std::move(zones.bindings);
    words_.zones = std::move(zones.names);
  }

  void read_applications_section(MapReader& map, const Catalogue& catalogue) {
    const auto bindings = read_applications(map, catalogue, findings_);
    site_.policy.applications = applications_of(catalogue, bindings, names_);
    site_.policy.signatures = signatures_of(catalogue, names_);
    // Names are kept as long as the process lives, and flows remember them in 12 bits.
    const auto full = std::count_if(site_.policy.applications.begin(), site_.policy.applications.end(),
                                    [](const auto& a) { return a.id == kApplicationPending; }) > 1;
    if (full) findings_.error(0, "catalogue: too many application names since the start; restart posternd");
    for (const classify::Application& application : site_.policy.applications)
      if (application.id > kApplicationUnidentified)
        words_.applications.emplace(application.name, &application);
  }

  void read_words(MapReader& map) {
    IdentitySection identity = read_identity(map, names_, findings_);
    site_.policy.subjects = std::move(identity.subjects);
    words_.groups = std::move(identity.groups);
    LoggingSection logging = read_logging(map, names_, findings_);
    site_.log_directory = std::move(logging.directory);
    site_.forwardings = std::move(logging.profiles);
    site_.stats_seconds = logging.stats_seconds;
    site_.policy.default_logging = logging.default_rule;
    words_.forwardings = std::move(logging.names);
    site_.policy.exceptions = words_.exceptions = read_exceptions(map, findings_);
    site_.policy.pending = read_pending(map, findings_);
    site_.policy.timeouts = read_timeouts(map, findings_);
  }

  void read_decryption(MapReader& map) {
    TlsSection section = read_tls(map, source_.file, findings_);
    site_.tls = std::move(section.setup);
    const auto& imported = site_.tls.credentials.inbound;
    site_.policy.inbound_inspection = words_.inbound_inspection = imported != nullptr && !imported->empty();
    site_.policy.forward_proxy = words_.forward_proxy = site_.tls.credentials.forward.has_value();
    for (const classify::ExclusionEntry& entry : section.exclusions) words_.exclusions.add(entry.why);
    site_.policy.exclusions = std::move(section.exclusions);
    site_.policy.ech = section.ech;
  }

  void read_control(MapReader& map) {
    constexpr size_t kLongestSocketPath = 107;  // sun_path without its NUL
    MapReader control = map.map("control");
    site_.control_socket = beside(source_.file, control.text("socket").value_or("/run/postern/control.sock"));
    if (site_.control_socket.size() > kLongestSocketPath)
      findings_.error(control.line_of("socket"),
                      "socket: found a path of " + std::to_string(site_.control_socket.size()) +
                          " bytes, expected at most " + std::to_string(kLongestSocketPath));
    site_.control_group = control.text("group").value_or("");
    control.finish();
  }

  void assemble(const RulesSection& own) {
    std::vector<Pack> packs = load_packs();
    std::vector<classify::Rule>& rules = site_.policy.rules;
    rules = own.before;
    for (const Pack& pack : packs) {
      BoundPack bound = bind_pack(pack, words_, names_);
      findings_.merge(std::move(bound.findings));
      warn_of_shadowed(rules, bound.rules);
      rules.insert(rules.end(), bound.rules.begin(), bound.rules.end());
    }
    rules.insert(rules.end(), own.after.begin(), own.after.end());
    for (const Pack& pack : packs) findings_.merge(unmet_dependencies(pack, rules, words_));
    for (const auto* list : {&own.before, &own.after})
      findings_.merge(unmet_dependencies(source_.file, *list, rules, words_));
  }

  std::vector<Pack> load_packs() {
    std::vector<Pack> packs;
    for (const std::string& path : site_.pack_files) {
      LoadedPack loaded = load_pack(path);
      findings_.merge(std::move(loaded.findings));
      if (!loaded.pack) continue;
      const auto same =
          std::find_if(packs.begin(), packs.end(), [&](const Pack& p) { return p.id == loaded.pack->id; });
      if (same != packs.end())
        findings_.error({"pack id " + in_quotes(loaded.pack->id) + " is also that of " + same->file +
                             ", expected each pack once",
                         path, 0});
      packs.push_back(std::move(*loaded.pack));
    }
    return packs;
  }

  static bool same_conditions(const classify::Rule& a, const classify::Rule& b) {
    const auto as_set = [](const auto& list) { return std::set(list.begin(), list.end()); };
    return a.application == b.application && as_set(a.source_zones) == as_set(b.source_zones) &&
           as_set(a.destination_zones) == as_set(b.destination_zones) &&
           as_set(a.identity.groups) == as_set(b.identity.groups) &&
           a.identity.compliant == b.identity.compliant;
  }

  // Between packs a repeated rule is no mistake of either author, but the later one is dead.
  void warn_of_shadowed(const std::vector<classify::Rule>& earlier, const std::vector<classify::Rule>& pack) {
    for (const classify::Rule& rule : pack)
      for (const classify::Rule& first : earlier)
        if (first.pack != "site" && same_conditions(first, rule))
          findings_.warning(0, "pack " + rule.pack + " rule " + rule.name + " never matches: pack " +
                                   first.pack + " rule " + first.name + " comes first and matches the same");
  }

  // A wire id is a position, and the data path keeps its wires as long as it runs.
  void name_wires() {
    for (const Wire& wire : site_.wires)
      if (names_.wire(wire.name, wire.sides[0], wire.sides[1]) != wire.id)
        findings_.error(0, "wires: wire " + wire.name +
                               " is not where it was, expected the wires the daemon started "
                               "with; restart it to change them");
  }

  Loaded finished() {
    if (findings_.clean()) name_wires();
    if (!findings_.clean()) return {std::nullopt, findings_.errors()};
    site_.warnings = findings_.warnings();
    return {std::move(site_), {}};
  }

  const SiteSource& source_;
  Names& names_;
  Findings findings_;
  Site site_;
  SiteWords words_;
};

}  // namespace

Loaded load_site(const SiteSource& source, Names& names, const Engines& engines) {
  const auto document = source.text ? parse_document(*source.text, source.file) : read_document(source.file);
  if (!document) return {std::nullopt, {document.error()}};
  return SiteReader(source, names, engines).read(document->root);
}

Loaded load_site(const std::string& path, Names& names, const Engines& engines) {
  return load_site(SiteSource{path, std::nullopt, {}}, names, engines);
}

}  // namespace postern::control
