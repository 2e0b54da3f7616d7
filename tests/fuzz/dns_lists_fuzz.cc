// SPDX-License-Identifier: Apache-2.0
// Any text as a list of each kind and as a public suffix list: it is read, or refused with a line that the
// text has.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "profiles/dns/domain_policy.h"
#include "profiles/dns/public_suffixes.h"

using namespace postern;
using namespace postern::profiles::dns;

namespace {

void demand(bool condition) {
  if (!condition) __builtin_trap();
}

void check(const Error& error, std::string_view text) {
  const auto lines = static_cast<uint32_t>(std::count(text.begin(), text.end(), '\n')) + 1;
  demand(!error.message.empty() && error.file == "f" && error.line >= 1 && error.line <= lines);
}

// Names to look for: of the text itself.
void look_up(const DomainPolicy& policy, const PublicSuffixes& suffixes, std::string_view text) {
  const std::optional<Name> name =
      Name::parse(text.substr(0, std::min(text.find_first_of(" \n\t"), text.size())));
  if (!name) return;
  const DomainPolicy::Verdict verdict = policy.judge_question(*name, IpAddress{});
  if (verdict) demand(verdict.skipped <= name->labels() && !policy.list_name(verdict.rule).empty());
  demand(suffixes.domain_of(*name).skipped <= name->labels());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text = as_text({data, size});
  const Result<PublicSuffixes> suffixes = PublicSuffixes::read(text, "f", 1);
  if (!suffixes) check(suffixes.error(), text);
  for (const ListFormat format : {ListFormat::Plain, ListFormat::Hosts, ListFormat::Rpz}) {
    DomainPolicyBuilder builder(1);
    const Status added = builder.add({"list", "f", text, format, Category::None, std::nullopt});
    if (!added) {
      check(added.error(), text);
      continue;
    }
    look_up(builder.build(), suffixes ? *suffixes : PublicSuffixes(), text);
  }
  return 0;
}
