// SPDX-License-Identifier: Apache-2.0
// A rule file. What is loaded and what is refused must be all of it, and a rule written out again must read
// the same.
#include "profiles/ips/rule_reader.h"

using namespace postern;
using namespace postern::profiles::ips;

namespace {

void check(bool good) {
  if (!good) __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text = as_text({data, size});
  RuleLines lines(text);
  for (RuleLines::Line line = lines.next(); line.number != 0; line = lines.next()) {
    const Result<RuleText> rule = parse_rule_text(line.text);
    if (!rule) continue;
    const Result<RuleText> again = parse_rule_text(text_of(*rule));
    check(again && *again == *rule);
  }
  const RuleSite site;
  StateNames names;
  RuleReader reader(site, names);
  reader.read(text, "fuzz.rules");
  check(reader.signatures().size() + reader.refusals().size() == reader.coverage().rules);
  for (const Signature& signature : reader.signatures())
    check(valid_utf8(signature.message) == signature.message && signature.sid != 0);
  return 0;
}
