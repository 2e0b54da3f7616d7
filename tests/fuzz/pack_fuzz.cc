// SPDX-License-Identifier: Apache-2.0
// Any bytes as a policy pack, a site file and a catalogue, in YAML and JSON: either a value or errors, never
// both, never a crash. A pack that loads keeps what the loader promises.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "control/catalogue_loader.h"
#include "control/pack_loader.h"
#include "control/site_loader.h"

namespace {

using namespace postern::control;

void check_pack(const LoadedPack& loaded) {
  if (loaded.pack.has_value() != loaded.findings.clean()) std::abort();
  if (!loaded.pack) return;
  if (loaded.pack->rules.empty() || loaded.pack->id.empty()) std::abort();
  for (const PackRule& rule : loaded.pack->rules)
    if (rule.app_id.text.empty() || rule.source_zones.empty() || rule.destination_zones.empty() ||
        rule.risk < 1 || rule.risk > 5)
      std::abort();
}

void check_site(std::string_view text) {
  Names names;
  const Loaded loaded = load_site(SiteSource{"/nonexistent/site.yaml", std::string(text), {}}, names);
  if (loaded.site.has_value() != loaded.errors.empty()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_pack(parse_pack(text, "p.yaml"));
  check_pack(parse_pack(text, "p.json"));
  parse_catalogue(text, "c.yaml");
  check_site(text);
  return 0;
}
