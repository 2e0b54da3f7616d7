// SPDX-License-Identifier: Apache-2.0
// The section `antivirus` of a site file: what is looked for besides what is shipped.
#include "control/document.h"
#include "control/site_sections.h"

namespace postern::control {

std::vector<profiles::ByteSignature> read_antivirus(MapReader& site, const std::string& site_file,
                                                    Findings& findings) {
  constexpr size_t kMostSignatures = 100'000;
  std::vector<profiles::ByteSignature> all;
  if (!site.has("antivirus")) return all;
  MapReader map = site.map("antivirus");
  for (const Node& item : map.list("signatures", "files of byte signatures", EmptyList::Refused)) {
    const auto path = as_text(item);
    if (!path) {
      findings.error(item.line, "signatures: found " + item.found() + ", expected a file of byte signatures");
      continue;
    }
    const std::string file = beside(site_file, *path);
    const Result<std::string> text = read_operator_file(file);
    auto read = text ? profiles::parse_byte_signatures(*text, file)
                     : Result<std::vector<profiles::ByteSignature>>(text.error());
    if (!read) {
      findings.error(read.error());
      continue;
    }
    std::move(read->begin(), read->end(), std::back_inserter(all));
  }
  if (all.size() > kMostSignatures)
    findings.error(map.line(), "antivirus: found " + std::to_string(all.size()) +
                                   " signatures, expected at most " + std::to_string(kMostSignatures));
  map.finish();
  return all;
}

}  // namespace postern::control
