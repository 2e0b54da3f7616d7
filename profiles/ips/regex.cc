// SPDX-License-Identifier: Apache-2.0
#include "profiles/ips/regex.h"

#include <pcre2.h>

namespace postern::profiles::ips {
namespace {

// From one place where a match may begin; and how deep it may nest, and kilobytes of backtracking.
constexpr uint32_t kMatchLimit = 5000, kDepthLimit = 500, kHeapLimit = 256;
constexpr size_t kLongestExpression = 8192;

// PCRE2's own limits hold for each place where a match may begin, of which a window has thousands. Asked
// before every item of the expression, this one holds for all of them together.
struct Work {
  uint32_t left;
  size_t place = 0;
};
int on_item(pcre2_callout_block* item, void* context) noexcept {
  Work& work = *static_cast<Work*>(context);
  const size_t moved = item->current_position > work.place ? item->current_position - work.place
                                                           : work.place - item->current_position;
  work.place = item->current_position;
  const size_t cost = 1 + moved / 16;
  if (cost > work.left) return PCRE2_ERROR_CALLOUT;
  work.left -= static_cast<uint32_t>(cost);
  return 0;
}

}  // namespace

RegexRoom::RegexRoom()
    : data_(pcre2_match_data_create(1, nullptr)), context_(pcre2_match_context_create(nullptr)) {
  pcre2_set_match_limit(context_, kMatchLimit);
  pcre2_set_depth_limit(context_, kDepthLimit);
  pcre2_set_heap_limit(context_, kHeapLimit);
}
RegexRoom::~RegexRoom() {
  pcre2_match_context_free(context_);
  pcre2_match_data_free(data_);
}

Regex::~Regex() { pcre2_code_free(code_); }

Result<std::shared_ptr<const Regex>> Regex::compile(std::string_view expression, Options options) {
  if (expression.size() > kLongestExpression)
    return Error{"the expression is longer than " + std::to_string(kLongestExpression) + " bytes"};
  uint32_t flags = PCRE2_NEVER_BACKSLASH_C | PCRE2_NEVER_UTF | PCRE2_NEVER_UCP | PCRE2_AUTO_CALLOUT;
  if (options.nocase) flags |= PCRE2_CASELESS;
  if (options.dotall) flags |= PCRE2_DOTALL;
  if (options.multiline) flags |= PCRE2_MULTILINE;
  if (options.extended) flags |= PCRE2_EXTENDED;
  if (options.anchored) flags |= PCRE2_ANCHORED;
  if (options.dollar_end_only) flags |= PCRE2_DOLLAR_ENDONLY;
  if (options.ungreedy) flags |= PCRE2_UNGREEDY;
  // PCRE 1, for which rules are written, let (?1) and the like be; newlines are \n alone.
  static const struct Context {
    pcre2_compile_context* get = pcre2_compile_context_create(nullptr);
    Context() {
      pcre2_set_newline(get, PCRE2_NEWLINE_LF);
      pcre2_set_parens_nest_limit(get, 100);
    }
    ~Context() { pcre2_compile_context_free(get); }
  } context;
  int code = 0;
  size_t at = 0;
  pcre2_code* compiled = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(expression.data()), expression.size(),
                                       flags, &code, &at, context.get);
  if (compiled == nullptr) {
    PCRE2_UCHAR text[160];
    pcre2_get_error_message(code, text, sizeof text);
    return Error{"the expression does not compile: " + std::string(reinterpret_cast<const char*>(text)) +
                 ", at byte " + std::to_string(at)};
  }
  return std::make_shared<const Regex>(compiled);
}

Regex::Match Regex::find(Bytes bytes, size_t from, Subject kind, uint32_t most_steps,
                         RegexRoom& room) const noexcept {
  static constexpr uint8_t kNothing = 0;
  const uint8_t* subject = bytes.empty() ? &kNothing : bytes.data();
  Work work{most_steps, from};
  pcre2_set_callout(room.context_, on_item, &work);
  const int found = pcre2_match(code_, subject, bytes.size(), from, kind == Subject::Whole ? 0 : PCRE2_NOTBOL,
                                room.data_, room.context_);
  const uint32_t steps = most_steps - work.left;
  if (found == PCRE2_ERROR_NOMATCH) return {Answer::No, 0, 0, steps};
  if (found < 0) return {Answer::GaveUp, 0, 0, steps};
  const size_t* offsets = pcre2_get_ovector_pointer(room.data_);
  return {Answer::Yes, offsets[0], offsets[1], steps};
}

}  // namespace postern::profiles::ips
