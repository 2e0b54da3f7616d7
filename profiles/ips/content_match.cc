// SPDX-License-Identifier: Apache-2.0
#include "profiles/ips/content_match.h"

#include <algorithm>

#include "profiles/ips/base64.h"
#include "profiles/ips/dataset.h"
#include "profiles/ips/search.h"
#include "profiles/ips/transforms.h"

namespace postern::profiles::ips {
namespace {

constexpr uint32_t kStepsOfUnit = 2;  // of an expression, for one unit of the budget

bool compares(Compare compare, uint64_t a, uint64_t b) noexcept { return Range{compare, b, 0}.holds(a); }

bool varies(const Number& number) noexcept { return number.variable >= 0; }
bool varies(const std::optional<Number>& number) noexcept { return number && varies(*number); }
bool depends(const ReadNumber& read) noexcept {
  return read.relative || varies(read.count) || varies(read.offset);
}

// Its answer may change with the place where the operation before it matched.
bool depends_on_place(const Operation& operation) noexcept {
  if (const auto* c = std::get_if<Content>(&operation))
    return c->relative || varies(c->offset) || varies(c->depth) || varies(c->distance) || varies(c->within);
  if (const auto* p = std::get_if<Pcre>(&operation)) return p->relative;
  if (const auto* i = std::get_if<IsDataAt>(&operation)) return i->relative || varies(i->at);
  if (const auto* t = std::get_if<ByteTest>(&operation)) return depends(t->read) || varies(t->value);
  if (const auto* j = std::get_if<ByteJump>(&operation)) return depends(j->read);
  if (const auto* e = std::get_if<ByteExtract>(&operation)) return depends(e->read);
  if (const auto* m = std::get_if<ByteMath>(&operation)) return depends(m->read) || varies(m->right);
  if (const auto* b = std::get_if<std::shared_ptr<const Base64>>(&operation)) return (*b)->relative;
  return false;
}

int digit_of(uint8_t c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return 99;
}

// As strtoull reads, for at most these bytes; nothing if there is no digit.
std::optional<uint64_t> number_in_text(Bytes text, int base) noexcept {
  while (!text.empty() && (text[0] == ' ' || text[0] == '\t')) text = text.subspan(1);
  if (base == 16 && text.size() > 2 && text[0] == '0' && (text[1] | 0x20) == 'x') text = text.subspan(2);
  uint64_t value = 0;
  bool some = false;
  for (const uint8_t c : text) {
    const int digit = digit_of(c);
    if (digit >= base) break;
    value = value * static_cast<uint64_t>(base) + static_cast<uint64_t>(digit);
    some = true;
  }
  return some ? std::optional(value) : std::nullopt;
}

uint64_t number_in_bytes(Bytes bytes, const ReadNumber& read) noexcept {
  uint64_t value = 0;
  for (size_t i = 0; i < bytes.size(); ++i)
    value = value << 8 | bytes[read.little ? bytes.size() - 1 - i : i];
  return value;
}

}  // namespace

// One part over one view. Places are counted from the beginning of the whole buffer.
struct ContentMatcher::Run {
  ContentMatcher& matcher;
  const std::vector<Operation>& operations;
  View view;
  Budget& budget;

  int64_t begin() const noexcept { return static_cast<int64_t>(view.base); }
  int64_t end() const noexcept { return begin() + static_cast<int64_t>(view.bytes.size()); }
  Bytes between(int64_t from, int64_t to) const noexcept {
    return view.bytes.subspan(static_cast<size_t>(from - begin()), static_cast<size_t>(to - from));
  }
  int64_t value_of(const Number& number) const noexcept {
    if (number.variable < 0) return number.value;
    // A number from the wire; far outside is as good as farther.
    return static_cast<int64_t>(
        std::min<uint64_t>(matcher.variables_[static_cast<size_t>(number.variable)], 1u << 30));
  }
  uint64_t exact_value_of(const Number& number) const noexcept {
    return number.variable < 0 ? static_cast<uint64_t>(number.value)
                               : matcher.variables_[static_cast<size_t>(number.variable)];
  }
  Answer failed(size_t i) const noexcept {
    return depends_on_place(operations[i]) ? Answer::No : Answer::Never;
  }
  bool worth_another(size_t i) const noexcept {
    return i + 1 < operations.size() && depends_on_place(operations[i + 1]);
  }

  Answer run(size_t i, int64_t place) noexcept {
    for (; i < operations.size(); ++i) {
      if (!budget.spend(1)) return Answer::Never;
      const Operation& operation = operations[i];
      if (const auto* content = std::get_if<Content>(&operation)) {
        if (!content->negated) return run_content(i, *content, place);
        if (first_of(*content, place, 0)) return failed(i);
      } else if (const auto* pcre = std::get_if<Pcre>(&operation)) {
        if (!pcre->negated) return run_pcre(i, *pcre, place);
        if (match_of(*pcre, pcre->relative ? place : begin()).answer != Regex::Answer::No) return failed(i);
      } else if (!holds(operation, place)) {
        return failed(i);
      }
    }
    return Answer::Yes;
  }

  struct Region {
    int64_t from, to;
  };
  Region region_of(const Content& content, int64_t place) const noexcept {
    int64_t from = 0, to = end();
    if (content.relative) {
      from = place + (content.distance ? value_of(*content.distance) : 0);
      if (content.within) to = std::min(to, from + value_of(*content.within));
      if (content.offset) from = std::max(from, value_of(*content.offset));
      if (content.depth) to = std::min(to, place + value_of(*content.depth));
    } else {
      if (content.offset) from = value_of(*content.offset);
      if (content.depth) to = std::min(to, from + value_of(*content.depth));
    }
    return {std::max(from, begin()), to};
  }

  // The end of the first match that begins at `from` or later.
  std::optional<int64_t> first_of(const Content& content, int64_t place, int64_t from) noexcept {
    Region region = region_of(content, place);
    region.from = std::max(region.from, from);
    const int64_t size = static_cast<int64_t>(content.bytes.size());
    if (content.ends) {
      if (view.end != View::End::Known || region.to != end()) return std::nullopt;
      region.from = std::max(region.from, end() - size);
    }
    if (region.to - region.from < size) return std::nullopt;
    const Bytes text = between(region.from, region.to);
    if (!budget.spend(text.size() / 64)) return std::nullopt;
    const auto at =
        content.nocase ? find_ignoring_case(text, content.bytes) : find_bytes(text, content.bytes);
    if (!at) return std::nullopt;
    return region.from + static_cast<int64_t>(*at) + size;
  }

  Answer run_content(size_t i, const Content& content, int64_t place) noexcept {
    int64_t from = 0;
    while (const std::optional<int64_t> match = first_of(content, place, from)) {
      const Answer rest = run(i + 1, *match);
      if (rest == Answer::Yes || rest == Answer::Never) return rest;
      if (!worth_another(i) || budget.empty()) break;
      from = *match - static_cast<int64_t>(content.bytes.size()) + 1;
    }
    return failed(i);
  }

  Regex::Match match_of(const Pcre& pcre, int64_t from) noexcept {
    from = std::max(from, begin());
    if (from > end()) return {};
    // A relative expression begins where the last match ended: ^ is there.
    const int64_t cut = pcre.relative ? from : begin();
    const Bytes subject = between(cut, end());
    if (!budget.spend(1 + subject.size() / 256)) return {Regex::Answer::GaveUp};
    const auto kind = cut == 0 || pcre.relative ? Regex::Subject::Whole : Regex::Subject::WithoutItsBeginning;
    Regex::Match match = pcre.regex->find(subject, static_cast<size_t>(from - cut), kind,
                                          kStepsOfUnit * budget.left(), matcher.regex_room_);
    budget.spend(match.steps / kStepsOfUnit);
    if (match.answer == Regex::Answer::GaveUp) {
      ++matcher.regexes_given_up_;
      budget.spend(budget.left());  // unknown is not no
    }
    match.begin += static_cast<size_t>(cut);
    match.end += static_cast<size_t>(cut);
    return match;
  }

  Answer run_pcre(size_t i, const Pcre& pcre, int64_t place) noexcept {
    int64_t from = pcre.relative ? place : begin();
    while (true) {
      const Regex::Match match = match_of(pcre, from);
      if (match.answer != Regex::Answer::Yes) return failed(i);
      const Answer rest = run(i + 1, static_cast<int64_t>(match.end));
      if (rest == Answer::Yes || rest == Answer::Never) return rest;
      // Of a relative one, ^ would move along.
      if (!worth_another(i) || budget.empty() || pcre.relative) return failed(i);
      from = static_cast<int64_t>(match.begin) + 1;
    }
  }

  // What looks at one place and moves on.
  bool holds(const Operation& operation, int64_t& place) noexcept {
    if (const auto* at = std::get_if<IsDataAt>(&operation)) {
      const int64_t count = value_of(at->at);
      const bool there = at->relative ? place + count <= end() : count < end();
      return there != at->negated;
    }
    if (const auto* test = std::get_if<ByteTest>(&operation)) {
      const auto number = read(test->read, place);
      return number && compares(test->compare, *number, exact_value_of(test->value)) != test->negated;
    }
    if (const auto* jump = std::get_if<ByteJump>(&operation)) return jumps(*jump, place);
    if (const auto* extract = std::get_if<ByteExtract>(&operation)) return extracts(*extract, place);
    if (const auto* math = std::get_if<ByteMath>(&operation)) return calculates(*math, place);
    if (const auto* size = std::get_if<BufferSize>(&operation))
      return view.end == View::End::Known && size->range.holds(static_cast<uint64_t>(end()));
    if (const auto* in = std::get_if<InDataset>(&operation))
      return view.end == View::End::Known && view.base == 0 &&
             in->dataset->contains(view.bytes) != in->negated;
    if (const auto* base64 = std::get_if<std::shared_ptr<const Base64>>(&operation))
      return decodes(**base64, place);
    return false;
  }

  int64_t place_of(const ReadNumber& read, int64_t place) const noexcept {
    return (read.relative ? place : 0) + value_of(read.offset);
  }

  std::optional<uint64_t> read(const ReadNumber& read, int64_t place) const noexcept {
    const int64_t at = place_of(read, place), count = value_of(read.count);
    if (count < 1 || (!read.text && count > 8) || at < begin() || at > end() || end() - at < count)
      return std::nullopt;
    const Bytes bytes = between(at, at + count);
    std::optional<uint64_t> number =
        read.text ? number_in_text(bytes, read.base) : number_in_bytes(bytes, read);
    if (number && read.mask != 0) *number = (*number & read.mask) >> __builtin_ctzll(read.mask);
    return number;
  }

  bool jumps(const ByteJump& jump, int64_t& place) noexcept {
    const int64_t count = value_of(jump.read.count);
    int64_t distance = 0;
    if (count != 0) {
      const auto number = read(jump.read, place);
      if (!number || *number > 0xffffffffu) return false;
      distance = static_cast<int64_t>(*number) * jump.multiplier;
      if (jump.align) distance = (distance + 3) & ~int64_t{3};
    }
    distance += jump.post_offset;
    if (jump.from == ByteJump::From::Here) distance += place_of(jump.read, place) + count;
    if (jump.from == ByteJump::From::End) distance += end();
    if (distance < 0 || distance >= end()) return false;
    place = distance;
    return true;
  }

  bool extracts(const ByteExtract& extract, int64_t& place) noexcept {
    const auto number = read(extract.read, place);
    if (!number) return false;
    uint64_t value = *number * static_cast<uint64_t>(extract.multiplier);
    if (extract.align != 0) value = (value + extract.align - 1) / extract.align * extract.align;
    matcher.variables_[static_cast<size_t>(extract.into)] = value;
    place = place_of(extract.read, place) + value_of(extract.read.count);
    return true;
  }

  bool calculates(const ByteMath& math, int64_t& place) noexcept {
    const auto left = read(math.read, place);
    if (!left) return false;
    const uint64_t right = exact_value_of(math.right);
    uint64_t& into = matcher.variables_[static_cast<size_t>(math.into)];
    using Operator = ByteMath::Operator;
    switch (math.with) {
      case Operator::Add:
        into = *left + right;
        break;
      case Operator::Subtract:
        into = *left - right;
        break;
      case Operator::Multiply:
        into = *left * right;
        break;
      case Operator::Divide:
        if (right == 0) return false;
        into = *left / right;
        break;
      case Operator::ShiftLeft:
        if (right > 63) return false;
        into = *left << right;
        break;
      case Operator::ShiftRight:
        if (right > 63) return false;
        into = *left >> right;
        break;
    }
    place = place_of(math.read, place) + value_of(math.read.count);
    return true;
  }

  bool decodes(const Base64& base64, int64_t place) noexcept {
    const int64_t at = (base64.relative ? place : 0) + base64.offset;
    if (at < begin() || at >= end()) return false;
    Bytes text = between(at, end());
    if (base64.bytes != 0) text = text.first(std::min<size_t>(text.size(), base64.bytes));
    text = text.first(std::min(text.size(), 2 * kMostDecoded));
    if (!budget.spend(1 + text.size() / 16)) return false;
    const size_t made = decode_base64(text, matcher.decode_room_);
    if (made == 0) return false;
    Run inside{matcher, base64.inside, {Bytes(matcher.decode_room_).first(made)}, budget};
    return inside.run(0, 0) == Answer::Yes;
  }
};

ContentMatcher::ContentMatcher() : transform_room_(kMostTransformed + 1), decode_room_(kMostDecoded) {}

Bytes ContentMatcher::transformed(const std::vector<TransformStep>& steps, Bytes bytes) noexcept {
  size_t size = std::min(bytes.size(), kMostTransformed);
  std::copy_n(bytes.begin(), size, transform_room_.begin());
  for (const TransformStep& step : steps) size = transform(step, transform_room_, size);
  return Bytes(transform_room_).first(size);
}

bool ContentMatcher::matches(const Part& part, View view, Budget& budget) noexcept {
  if (!part.transforms.empty()) {
    if (!budget.spend(1 + view.bytes.size() / 16)) return false;
    view = {transformed(part.transforms, view.bytes), 0, view.end};
  }
  return Run{*this, part.operations, view, budget}.run(0, 0) == Answer::Yes;
}

}  // namespace postern::profiles::ips
