// SPDX-License-Identifier: Apache-2.0
// Rule files become signatures; a rule that cannot be read is refused alone and told with file, line and
// keyword. Bounded whatever the file is. Control thread.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "profiles/ips/signature_builder.h"

namespace postern::profiles::ips {

struct Refusal {
  std::string file;
  uint32_t line = 0;
  uint32_t sid = 0;     // 0: not read that far
  std::string keyword;  // empty: the header or the rule as a whole
  std::string reason;
  std::string text() const;  // "file:line: sid 123: keyword: reason"
};

// What a set of rules uses and what of it is enforced: `show ips coverage`.
struct Coverage {
  struct Word {
    size_t rules = 0;    // that use it
    size_t refused = 0;  // because of it
  };
  size_t rules = 0, loaded = 0;
  std::map<std::string, Word, std::less<>> keywords;
  size_t refusals_not_kept = 0;  // beyond RuleReader::kMostRefusals
  std::string table() const;     // text, most used keyword first
};

class RuleReader {
 public:
  static constexpr size_t kMostRules = 250'000, kMostRefusals = 10'000, kMostKeywords = 4'096;

  RuleReader(const RuleSite& site, StateNames& names) : site_(site), names_(names) {}

  void read(std::string_view text, const std::string& file);
  void refuse(Refusal refusal);  // also for what a later step finds

  std::vector<Signature>& signatures() { return signatures_; }
  const std::vector<Refusal>& refusals() const { return refusals_; }
  const Coverage& coverage() const { return coverage_; }

 private:
  void read_rule(const RuleLines::Line& line, const std::string& file);
  void count_keywords(const RuleText& text);
  void keep(Signature signature);

  const RuleSite& site_;
  StateNames& names_;
  std::vector<Signature> signatures_;
  std::map<std::pair<uint32_t, uint32_t>, size_t> by_id_;  // gid, sid -> index
  std::vector<Refusal> refusals_;
  Coverage coverage_;
};

}  // namespace postern::profiles::ips
