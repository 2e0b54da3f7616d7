// SPDX-License-Identifier: Apache-2.0
// `tls: exclude:` of a site file: TLS flows that stay end to end although a rule wants them decrypted.
#include "control/document.h"
#include "control/site_sections.h"

namespace postern::control {
namespace {

using classify::Exclusion;
using classify::ExclusionEntry;

constexpr Choice<Exclusion> kCategories[] = {{"cert_pinned_app", Exclusion::CertPinnedApp},
                                             {"finance", Exclusion::Finance},
                                             {"health", Exclusion::Health}};
constexpr std::string_view kExpected = "a host like bmc.example, or *.example for all below it";

class ExclusionsReader {
 public:
  ExclusionsReader(const std::string& site_file, Findings& findings)
      : site_file_(site_file), findings_(findings) {}

  ExclusionEntry read(const Node& node) {
    MapReader map(&node, "exclude", findings_);
    ExclusionEntry entry;
    for (const Node& item : map.list("hosts", "hosts", EmptyList::Refused)) {
      const bool fits = item.is_scalar() && classify::is_host_pattern(item.text);
      if (fits)
        entry.hosts.push_back(item.text);
      else
        findings_.error(item.line, "hosts: found " + item.found() + ", expected " + std::string(kExpected));
    }
    if (const auto file = map.text("hosts_file"))
      read_file(beside(site_file_, *file), map.line_of("hosts_file"), entry);
    entry.servers = map.prefixes("servers");
    const bool by_host = map.has("hosts") || map.has("hosts_file");
    if (!by_host && !map.has("servers"))
      findings_.error(map.line(),
                      "exclude: found neither hosts, hosts_file nor servers, expected one of them");
    entry.why =
        map.choice<Exclusion>("category", kCategories, by_host ? Exclusion::Host : Exclusion::Address);
    map.finish();
    return entry;
  }

 private:
  // One host per line; `#` begins a comment.
  void read_file(const std::string& file, uint32_t named_at, ExclusionEntry& entry) {
    const Result<std::string> text = read_operator_file(file);
    if (!text) return findings_.error(named_at, "hosts_file: " + text.error().text());
    uint32_t number = 0;
    const size_t before = entry.hosts.size();
    for (std::string_view rest = *text; !rest.empty();) {
      ++number;
      const size_t end = std::min(rest.find('\n'), rest.size());
      const std::string_view host = word_of(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
      if (host.empty()) continue;
      if (classify::is_host_pattern(host))
        entry.hosts.emplace_back(host);
      else
        findings_.error(
            Error{"found " + in_quotes(host) + ", expected " + std::string(kExpected), file, number});
    }
    // Without a host the entry would be for all of them.
    if (entry.hosts.size() == before) findings_.error(Error{"found no host, expected one per line", file, 0});
  }

  static std::string_view word_of(std::string_view line) {
    constexpr std::string_view kBlank = " \t\r";
    line = line.substr(0, line.find('#'));
    const size_t begin = line.find_first_not_of(kBlank);
    if (begin == std::string_view::npos) return {};
    return line.substr(begin, line.find_last_not_of(kBlank) - begin + 1);
  }

  const std::string& site_file_;
  Findings& findings_;
};

}  // namespace

std::vector<ExclusionEntry> read_exclusions(MapReader& tls, const std::string& site_file,
                                            Findings& findings) {
  std::vector<ExclusionEntry> out;
  for (const Node& node : tls.list("exclude", "exclusions", EmptyList::Fine))
    out.push_back(ExclusionsReader(site_file, findings).read(node));
  return out;
}

}  // namespace postern::control
