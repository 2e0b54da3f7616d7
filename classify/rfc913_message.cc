// SPDX-License-Identifier: Apache-2.0
#include "classify/rfc913_message.h"

#include <algorithm>
#include <string_view>

namespace postern::classify {
namespace {

constexpr size_t kLongest = 512;  // a line with a path; anything longer is not a command
constexpr size_t kWord = 4;

enum class Argument : uint8_t { None, Text, Type, Listing, Storing };
struct Command {
  std::string_view word;
  Argument argument;
};
constexpr Command kCommands[] = {
    {"USER", Argument::Text}, {"ACCT", Argument::Text},    {"PASS", Argument::Text},
    {"TYPE", Argument::Type}, {"LIST", Argument::Listing}, {"CDIR", Argument::Text},
    {"KILL", Argument::Text}, {"NAME", Argument::Text},    {"DONE", Argument::None},
    {"RETR", Argument::Text}, {"STOR", Argument::Storing},
};

char upper(char c) noexcept { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; }
bool is_text(char c) noexcept { return c >= 0x20 && c < 0x7f; }

bool same_word(std::string_view found, std::string_view word) noexcept {
  return found.size() <= word.size() &&
         std::equal(found.begin(), found.end(), word.begin(), [](char a, char b) { return upper(a) == b; });
}

// `text`: a whole argument.
bool argument_fits(Argument kind, std::string_view text) noexcept {
  switch (kind) {
    case Argument::None:
      return text.empty();
    case Argument::Text:
      return !text.empty();
    case Argument::Type:  // ASCII, binary, continuous
      return text.size() == 1 && std::string_view("ABC").find(upper(text[0])) != std::string_view::npos;
    case Argument::Listing:  // formatted or verbose, then perhaps a directory
      return !text.empty() && (upper(text[0]) == 'F' || upper(text[0]) == 'V') &&
             (text.size() == 1 || text[1] == ' ');
    case Argument::Storing:
      return text.size() > 4 && text[3] == ' ' &&
             (same_word(text.substr(0, 3), "NEW") || same_word(text.substr(0, 3), "OLD") ||
              same_word(text.substr(0, 3), "APP"));
  }
  return false;
}

}  // namespace

Fit is_rfc913_greeting(Bytes stream) noexcept {
  if (stream.empty()) return Fit::More;
  const std::string_view text = as_text(stream);
  if (text[0] != '+' && text[0] != '-') return Fit::No;
  size_t at = 1;
  while (at < text.size() && is_text(text[at])) ++at;
  // A line end is allowed before the NUL, nothing but the NUL after it.
  if (at < text.size() && text[at] == '\r') ++at;
  if (at < text.size() && text[at] == '\n') ++at;
  if (at == text.size()) return at > kLongest ? Fit::No : Fit::More;
  // The client speaks next, so the greeting is all the server has sent.
  return text[at] == '\0' && at + 1 == text.size() && at > 1 ? Fit::Yes : Fit::No;
}

Fit is_rfc913_command(Bytes stream) noexcept {
  const std::string_view text = as_text(stream);
  const std::string_view word = text.substr(0, kWord);
  const auto* command = std::find_if(std::begin(kCommands), std::end(kCommands),
                                     [word](const Command& c) { return same_word(word, c.word); });
  if (command == std::end(kCommands)) return Fit::No;
  if (text.size() <= kWord) return Fit::More;
  const std::string_view rest = text.substr(kWord);
  size_t end = 0;
  while (end < rest.size() && is_text(rest[end])) ++end;
  if (end > 0 && rest[0] != ' ') return Fit::No;
  if (end == rest.size()) return end > kLongest ? Fit::No : Fit::More;
  if (rest[end] != '\0') return Fit::No;
  return argument_fits(command->argument, rest.substr(0, end).substr(std::min<size_t>(1, end))) ? Fit::Yes
                                                                                                : Fit::No;
}

}  // namespace postern::classify
