// SPDX-License-Identifier: Apache-2.0
#include "profiles/ips/rule_reader.h"

#include <algorithm>
#include <set>

#include "profiles/ips/keywords.h"
#include "profiles/ips/text.h"

namespace postern::profiles::ips {
namespace {

struct Complaint {
  std::string keyword, reason;
};

std::optional<Complaint> apply(SignatureBuilder& builder, const Option& option) {
  const auto complain = [&](std::string reason) { return Complaint{option.keyword, std::move(reason)}; };
  if (const BufferName* buffer = find_buffer(option.keyword)) {
    if (option.has_value) return complain("has a value, expected none");
    if (buffer->form == BufferName::Form::Sticky) {
      builder.use_buffer(*buffer);
      return std::nullopt;
    }
    const Status moved = builder.move_content_to(*buffer);
    return moved ? std::nullopt : std::optional(complain(moved.error().message));
  }
  const Keyword* keyword = find_keyword(option.keyword);
  if (keyword == nullptr) return complain("the keyword is not known");
  if (keyword->kind == KeywordKind::Refused) return complain(std::string(keyword->note));
  if (keyword->value == Value::Wanted && option.value.empty()) return complain("has no value");
  if (keyword->value == Value::None && option.has_value) return complain("has a value, expected none");
  if (keyword->read == nullptr) return std::nullopt;
  const Status read = keyword->read(builder, option.value);
  return read ? std::nullopt : std::optional(complain(read.error().message));
}

// For the list of refused rules, before anything else is read.
uint32_t sid_of(const RuleText& text) {
  for (const Option& option : text.options)
    if (option.keyword == "sid") return number<uint32_t>(option.value).value_or(0);
  return 0;
}

std::string padded(std::string text, size_t width) {
  if (text.size() < width) text.append(width - text.size(), ' ');
  return text;
}

}  // namespace

std::string Refusal::text() const {
  std::string out = file + ":" + std::to_string(line) + ": ";
  if (sid != 0) out += "sid " + std::to_string(sid) + ": ";
  if (!keyword.empty()) out += keyword + ": ";
  return out + reason;
}

std::string Coverage::table() const {
  std::vector<std::pair<std::string, Word>> rows(keywords.begin(), keywords.end());
  std::stable_sort(rows.begin(), rows.end(),
                   [](const auto& a, const auto& b) { return a.second.rules > b.second.rules; });
  const size_t tenths = rules == 0 ? 1000 : loaded * 1000 / rules;
  std::string out = std::to_string(loaded) + " of " + std::to_string(rules) + " rules loaded (" +
                    std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " %)\n" +
                    padded("keyword", 24) + padded("kind", 11) + padded("rules", 9) + "refused\n";
  for (const auto& [name, word] : rows) {
    const Keyword* keyword = find_keyword(name);
    const std::string_view kind = find_buffer(name) != nullptr ? "buffer"
                                  : keyword != nullptr         ? keyword_kind_name(keyword->kind)
                                                               : "unknown";
    out += padded(name, 24) + padded(std::string(kind), 11) + padded(std::to_string(word.rules), 9) +
           std::to_string(word.refused) + "\n";
  }
  return out;
}

void RuleReader::read(std::string_view text, const std::string& file) {
  RuleLines lines(text);
  for (RuleLines::Line line = lines.next(); line.number != 0; line = lines.next()) read_rule(line, file);
}

void RuleReader::read_rule(const RuleLines::Line& line, const std::string& file) {
  ++coverage_.rules;
  Result<RuleText> text = parse_rule_text(line.text);
  if (!text) return refuse({file, line.number, 0, "", text.error().message});
  count_keywords(*text);
  const uint32_t sid = sid_of(*text);
  if (signatures_.size() >= kMostRules)
    return refuse({file, line.number, sid, "", "more than " + std::to_string(kMostRules) + " rules"});
  SignatureBuilder builder(site_, names_);
  if (Status good = builder.header(*text); !good)
    return refuse({file, line.number, sid, "", good.error().message});
  for (const Option& option : text->options)
    if (std::optional<Complaint> complaint = apply(builder, option))
      return refuse({file, line.number, sid, std::move(complaint->keyword), std::move(complaint->reason)});
  if (Status good = builder.finish(); !good)
    return refuse({file, line.number, sid, "", good.error().message});
  builder.signature().file = file;
  builder.signature().line = line.number;
  keep(std::move(builder.signature()));
}

void RuleReader::count_keywords(const RuleText& text) {
  std::set<std::string_view> seen;
  for (const Option& option : text.options) {
    if (!seen.insert(option.keyword).second) continue;
    if (coverage_.keywords.size() < kMostKeywords || coverage_.keywords.contains(option.keyword))
      ++coverage_.keywords[option.keyword].rules;
  }
}

// Of two rules with one sid the later revision holds; the same revision twice is one too many.
void RuleReader::keep(Signature signature) {
  const auto [known, fresh] = by_id_.try_emplace({signature.gid, signature.sid}, signatures_.size());
  if (fresh) {
    ++coverage_.loaded;
    signatures_.push_back(std::move(signature));
    return;
  }
  Signature& other = signatures_[known->second];
  if (other.rev < signature.rev) std::swap(other, signature);
  refuse({signature.file, signature.line, signature.sid, "sid",
          "the same sid is in " + other.file + ":" + std::to_string(other.line) +
              ", of the same or a later revision"});
}

void RuleReader::refuse(Refusal refusal) {
  if (!refusal.keyword.empty())
    if (const auto word = coverage_.keywords.find(refusal.keyword); word != coverage_.keywords.end())
      ++word->second.refused;
  if (refusals_.size() < kMostRefusals)
    refusals_.push_back(std::move(refusal));
  else
    ++coverage_.refusals_not_kept;
}

}  // namespace postern::profiles::ips
