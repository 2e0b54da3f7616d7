// SPDX-License-Identifier: Apache-2.0
// The sections `identity` and `logging` of a site file.
#include <algorithm>
#include <filesystem>
#include <map>

#include "control/document.h"
#include "control/site_sections.h"

namespace postern::control {
namespace {

constexpr std::string_view kExpectedGroups = "directory groups";

class IdentityReader {
 public:
  IdentityReader(Names& names, Findings& findings) : names_(names), findings_(findings) {}

  IdentitySection read(MapReader& site) {
    MapReader map = site.map("identity");
    read_groups(map.take("groups"));
    read_subjects(map, "users", "user");
    read_subjects(map, "devices", "device");
    map.finish();
    return std::move(section_);
  }

 private:
  // Group and user names come from a directory, so they are any text.
  std::vector<std::string> texts(std::span<const Node> items, std::string_view key) {
    std::vector<std::string> out;
    for (const Node& item : items) {
      if (const auto text = as_text(item))
        out.push_back(*text);
      else
        findings_.error(item.line, std::string(key) + ": found " + item.found() +
                                       ", expected the name of a directory "
                                       "group");
    }
    return out;
  }

  void read_groups(const Node* node) {
    if (node == nullptr || node->is_nothing()) return;
    if (node->kind != Node::Kind::Map) {
      findings_.error(node->line, "groups: found " + node->found() +
                                      ", expected a mapping of a pack's groups to lists "
                                      "of directory groups");
      return;
    }
    MapReader map(node, "groups", findings_);
    for (const Node::Entry& entry : node->entries)
      section_.groups[entry.key] = texts(map.list(entry.key, kExpectedGroups, EmptyList::Refused), entry.key);
  }

  void read_subjects(MapReader& identity, std::string_view list, std::string_view kind) {
    for (const Node& node : identity.list(list, list, EmptyList::Fine)) {
      MapReader map(&node, std::string(kind), findings_);
      read_subject(map, kind);
      map.finish();
    }
  }

  void read_subject(MapReader& map, std::string_view kind) {
    constexpr Choice<bool> kPostures[] = {{"compliant", true}, {"non_compliant", false}};
    classify::Subject subject;
    map.require(kind, "a name");
    subject.name = map.text(kind).value_or("");
    const Node* address = map.require("address", "an IPv4 or IPv6 address");
    subject.groups = texts(map.list("groups", kExpectedGroups, EmptyList::Fine), "groups");
    subject.compliant = map.choice<bool>("posture", kPostures, false);
    if (subject.name.empty() || address == nullptr) return;
    const auto text = as_text(*address);
    const auto parsed = text ? IpAddress::parse(*text) : std::nullopt;
    if (!parsed) {
      findings_.error(address->line,
                      "address: found " + address->found() + ", expected an IPv4 or IPv6 address");
      return;
    }
    subject.address = *parsed;
    const auto [at, is_new] = by_address_.emplace(*parsed, address->line);
    if (!is_new)
      findings_.error(address->line, "address: found " + *text + ", which is also on line " +
                                         std::to_string(at->second) +
                                         ", expected one user or device per address");
    const auto [kind_at, kind_new] = kinds_.emplace(subject.name, kind);
    if (!kind_new && kind_at->second != kind)
      findings_.error(map.line_of(kind), std::string(kind) + ": found " + in_quotes(subject.name) +
                                             ", which is also a " + std::string(kind_at->second) +
                                             ", expected another name");
    subject.id = names_.subject(subject.name);
    section_.subjects.push_back(std::move(subject));
  }

  Names& names_;
  Findings& findings_;
  IdentitySection section_;
  std::map<IpAddress, uint32_t> by_address_;       // to the line
  std::map<std::string, std::string_view> kinds_;  // of names
};

// Below the log directory, or absolute; "../" would leave it unseen.
bool is_log_file(const std::string& file) {
  const std::filesystem::path path(file);
  if (file.empty() || !path.has_filename()) return false;
  return std::none_of(path.begin(), path.end(), [](const auto& part) { return part == ".."; });
}

class LoggingReader {
 public:
  LoggingReader(Names& names, Findings& findings) : names_(names), findings_(findings) {}

  LoggingSection read(MapReader& site) {
    MapReader map = site.map("logging");
    section_.directory = beside(findings_.file(), map.text("directory").value_or("/var/log/postern"));
    const Node* forwarding = map.take("forwarding");
    if (forwarding != nullptr && forwarding->kind == Node::Kind::Map) {
      for (const Node::Entry& entry : forwarding->entries) read_forwarding(entry);
    } else if (forwarding != nullptr && !forwarding->is_nothing()) {
      findings_.error(forwarding->line,
                      "forwarding: found " + forwarding->found() + ", expected a mapping of names");
    }
    read_default_rule(map);
    section_.stats_seconds =
        static_cast<uint32_t>(map.integer("stats_seconds", {0, 86'400}, section_.stats_seconds));
    map.finish();
    return std::move(section_);
  }

 private:
  void read_forwarding(const Node::Entry& entry) {
    if (!is_name(entry.key)) {
      findings_.error(entry.line, "forwarding: found " + in_quotes(entry.key) +
                                      ", expected a name of letters, digits, "
                                      "`_`, `-` and `.`");
      return;
    }
    // Known even when its file is wrong, so that rules which name it are not mistakes too.
    const ForwardingId id = names_.forwarding(entry.key);
    section_.names.emplace(entry.key, id);
    if (id == ForwardingId{}) {
      findings_.error(entry.line, "forwarding: found " + in_quotes(entry.key) +
                                      ", expected at most 254 different names "
                                      "as long as the daemon runs");
    }
    MapReader map(&entry.value, entry.key, findings_);
    const Node* file = map.require("file", "a file name");
    map.finish();
    if (file == nullptr) return;
    const auto text = as_text(*file);
    if (!text || !is_log_file(*text)) {
      findings_.error(file->line, "file: found " + file->found() +
                                      ", expected a file below the log directory or an "
                                      "absolute path, without ..");
      return;
    }
    section_.profiles.push_back(
        {id, entry.key, (std::filesystem::path(section_.directory) / *text).lexically_normal().string()});
  }

  void read_default_rule(MapReader& map) {
    const auto name = map.text("default_rule");
    if (!name) {
      if (!map.has("default_rule"))
        findings_.warning(map.line(),
                          "logging.default_rule is not set: drops of the default rule are forwarded nowhere");
      return;
    }
    const auto known = section_.names.find(*name);
    if (known != section_.names.end())
      section_.default_rule = {.forwarding = known->second, .start = true, .end = true};
    else
      findings_.error(map.line_of("default_rule"),
                      "default_rule: found " + in_quotes(*name) + ", expected a key of logging.forwarding");
  }

  Names& names_;
  Findings& findings_;
  LoggingSection section_;
};

}  // namespace

IdentitySection read_identity(MapReader& site, Names& names, Findings& findings) {
  return IdentityReader(names, findings).read(site);
}

LoggingSection read_logging(MapReader& site, Names& names, Findings& findings) {
  return LoggingReader(names, findings).read(site);
}

}  // namespace postern::control
