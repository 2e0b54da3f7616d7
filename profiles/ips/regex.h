// SPDX-License-Identifier: Apache-2.0
// One regular expression of a rule, matched by PCRE2 within fixed limits, so that an expression that
// backtracks for ever is a mismatch after a bounded time. The only user of PCRE2; its interpreter alone,
// because compiled code would need pages that are writable and executable. Immutable: any thread, each with
// room of its own.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/result.h"

struct pcre2_real_code_8;
struct pcre2_real_match_data_8;
struct pcre2_real_match_context_8;

namespace postern::profiles::ips {

// Working memory of a match. One thread.
class RegexRoom {
 public:
  RegexRoom();
  RegexRoom(const RegexRoom&) = delete;
  RegexRoom& operator=(const RegexRoom&) = delete;
  ~RegexRoom();

 private:
  friend class Regex;
  pcre2_real_match_data_8* data_;
  pcre2_real_match_context_8* context_;
};

class Regex {
 public:
  struct Options {
    bool nocase = false, dotall = false, multiline = false, extended = false, anchored = false,
         dollar_end_only = false, ungreedy = false;
  };
  static Result<std::shared_ptr<const Regex>> compile(std::string_view expression, Options options);
  explicit Regex(pcre2_real_code_8* code) : code_(code) {}
  Regex(const Regex&) = delete;
  Regex& operator=(const Regex&) = delete;
  ~Regex();

  enum class Answer : uint8_t { No, Yes, GaveUp };
  struct Match {
    Answer answer = Answer::No;
    size_t begin = 0, end = 0;
    uint32_t steps = 0;
  };
  enum class Subject : uint8_t { Whole, WithoutItsBeginning };  // then ^ is not at the first byte
  // The first match that begins at `from` or later. A step is one item of the expression tried, or 16 bytes
  // that it went over; after `most_steps` it gives up.
  Match find(Bytes bytes, size_t from, Subject subject, uint32_t most_steps, RegexRoom& room) const noexcept;

 private:
  pcre2_real_code_8* code_;
};

}  // namespace postern::profiles::ips
