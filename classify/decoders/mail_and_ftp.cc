// SPDX-License-Identifier: Apache-2.0
// Line protocols whose server speaks first: FTP (RFC 959), SMTP (RFC 5321), IMAP (RFC 9051), POP3 (RFC 1939)
// and VMware's authentication daemon, which greets as FTP and SMTP do.
#include <algorithm>
#include <array>

#include "base/ascii.h"
#include "classify/decoders/prefix_reader.h"
#include "classify/decoders/stream_decoders.h"

namespace postern::classify::decoders {
namespace {

constexpr size_t kLine = 1024;  // longer ones are no greeting and no command of these
constexpr size_t kLines = 32;   // so many lines may leave it open who speaks

enum class Speaker : uint8_t { Nobody, Open, Ftp, Smtp, Vmware };

Fit opinion(Speaker found, Speaker mine) noexcept {
  if (found == Speaker::Open) return Fit::More;
  return found == mine ? Fit::Yes : Fit::No;
}

// What the words of a greeting say. Host names say nothing: there are FTP servers called smtp2.
Speaker speaker_of(std::string_view text) noexcept {
  static constexpr std::string_view kSmtp[] = {"ESMTP", "SMTP", "LMTP", "ESMTPS"};
  if (text.find("VMware Authentication Daemon") != std::string_view::npos) return Speaker::Vmware;
  Speaker found = Speaker::Open;
  while (!text.empty()) {
    const size_t end = std::min(text.find_first_of(" \t(),;[]"), text.size());
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    for (const std::string_view smtp : kSmtp)
      if (equals_ignoring_case(word, smtp)) return Speaker::Smtp;
    if (word.find('.') != std::string_view::npos) continue;
    if (contains_ignoring_case(word, "FTP") && !contains_ignoring_case(word, "SMTP")) found = Speaker::Ftp;
    if (equals_ignoring_case(word, "FILEZILLA")) found = Speaker::Ftp;
  }
  return found;
}

// Replies that only one of them gives before anybody has logged in.
Speaker speaker_of_code(std::string_view code) noexcept {
  static constexpr std::string_view kFtp[] = {"331", "230", "332", "211", "234", "215", "200", "202", "232"};
  static constexpr std::string_view kSmtp[] = {"250", "252", "334", "235", "354"};
  static constexpr std::string_view kBoth[] = {"220", "214", "221", "421", "500", "501",
                                               "502", "503", "504", "530", "550", "554"};
  if (std::ranges::find(kFtp, code) != std::end(kFtp)) return Speaker::Ftp;
  if (std::ranges::find(kSmtp, code) != std::end(kSmtp)) return Speaker::Smtp;
  return std::ranges::find(kBoth, code) != std::end(kBoth) ? Speaker::Open : Speaker::Nobody;
}

// The greeting, and when that leaves it open the replies after it.
Speaker reply_speaker(Bytes stream) noexcept {
  static constexpr std::string_view kGreetings[] = {"220 ", "220-", "220\r", "120 ",
                                                    "421 ", "421-", "554 ",  "554-"};
  PrefixReader first(stream);
  first.choice(kGreetings);
  if (!first.ok()) return first.fit() == Fit::No ? Speaker::Nobody : Speaker::Open;
  PrefixReader reader(stream);
  bool greeting = true, last_line = true;
  std::string_view code;
  for (size_t lines = 0; lines < kLines; ++lines) {
    const std::string_view line = reader.line(kLine);
    if (!reader.ok()) return reader.fit() == Fit::No ? Speaker::Nobody : Speaker::Open;
    const bool numbered =
        line.size() >= 3 && (line.size() == 3 || line[3] == ' ' || line[3] == '-') &&
        std::all_of(line.begin(), line.begin() + 3, [](char c) { return c >= '0' && c <= '9'; });
    if (last_line && !numbered) return Speaker::Nobody;
    if (last_line) code = line.substr(0, 3);
    // RFC 959 section 4.2: lines in between may be any text; the last repeats the code and a space.
    last_line = numbered && line.substr(0, 3) == code && (line.size() == 3 || line[3] == ' ');
    const Speaker speaker = greeting
                                ? speaker_of(numbered ? line.substr(std::min<size_t>(4, line.size())) : line)
                                : speaker_of_code(code);
    if (speaker != Speaker::Open) return speaker;
    if (last_line) greeting = false;
  }
  return Speaker::Nobody;
}

enum class Argument : uint8_t { None, Some, Any };
struct Command {
  Argument argument;
  bool shared;  // other protocols begin so too: the next line is needed
};

bool argument_fits(Argument kind, std::string_view rest) noexcept {
  const bool there = rest.size() > 1 && rest[0] == ' ' && rest[1] != ' ';
  if (kind == Argument::Some) return there;
  return rest.empty() || rest == " " || (kind == Argument::Any && there);
}

// Lines until one that is not shared.
template <size_t N>
Fit commands(Bytes stream, const std::array<std::string_view, N>& words,
             const std::array<Command, N>& properties) noexcept {
  PrefixReader reader(stream);
  for (size_t lines = 0; lines < kLines; ++lines) {
    const size_t word = reader.word(words);
    const std::string_view rest = reader.line(kLine);
    if (!reader.ok()) return reader.fit();
    if (!argument_fits(properties[word].argument, rest)) return Fit::No;
    if (!properties[word].shared) return Fit::Yes;
  }
  return Fit::No;
}

constexpr Command kAlone{Argument::None, false}, kWith{Argument::Some, false}, kPerhaps{Argument::Any, false};
constexpr Command kSharedAlone{Argument::None, true}, kSharedWith{Argument::Some, true},
    kSharedPerhaps{Argument::Any, true};

Fit ftp_commands(Bytes stream) noexcept {
  static constexpr std::array<std::string_view, 36> kWords = {
      "USER", "PASS", "QUIT", "NOOP", "STAT", "LIST", "RETR", "DELE", "FEAT", "SYST", "OPTS", "PBSZ",
      "PROT", "PASV", "EPSV", "PORT", "EPRT", "TYPE", "CWD",  "PWD",  "XPWD", "CDUP", "MKD",  "RMD",
      "SITE", "ACCT", "HOST", "LANG", "CLNT", "REIN", "SIZE", "MDTM", "MLSD", "NLST", "STOR", "AUTH"};
  static constexpr std::array<Command, 36> kProperties = {
      kSharedWith, kSharedPerhaps, kSharedAlone, kSharedAlone, kSharedPerhaps, kSharedPerhaps,
      kSharedWith, kSharedWith,    kAlone,       kAlone,       kWith,          kWith,
      kWith,       kAlone,         kPerhaps,     kWith,        kWith,          kWith,
      kWith,       kAlone,         kAlone,       kAlone,       kWith,          kWith,
      kWith,       kWith,          kWith,        kPerhaps,     kWith,          kAlone,
      kWith,       kWith,          kPerhaps,     kPerhaps,     kWith,          kSharedPerhaps};
  // POP3 and SMTP have AUTH as well, with mechanisms of SASL.
  static constexpr std::string_view kSecured[] = {"AUTH TLS\r", "AUTH TLS\n", "AUTH SSL\r", "AUTH TLS-"};
  PrefixReader auth(stream);
  auth.choice(kSecured);
  return auth.ok() ? Fit::Yes : commands(stream, kWords, kProperties);
}

Fit pop3_commands(Bytes stream) noexcept {
  static constexpr std::array<std::string_view, 14> kWords = {"USER", "PASS", "QUIT", "NOOP", "STAT",
                                                              "LIST", "RETR", "DELE", "RSET", "CAPA",
                                                              "STLS", "APOP", "UIDL", "TOP"};
  static constexpr std::array<Command, 14> kProperties = {
      kSharedWith, kSharedPerhaps, kSharedAlone, kSharedAlone, kSharedAlone, kSharedPerhaps, kSharedWith,
      kSharedWith, kSharedAlone,   kAlone,       kAlone,       kWith,        kPerhaps,       kWith};
  return commands(stream, kWords, kProperties);
}

Fit imap_greeting(Bytes stream) noexcept {
  static constexpr std::string_view kKinds[] = {"* OK ", "* PREAUTH ", "* BYE "};
  PrefixReader reader(stream);
  reader.choice(kKinds);
  reader.line(8192);  // with all capabilities
  return reader.fit();
}

// tag SP command [SP arguments] CRLF
Fit imap_command(Bytes stream) noexcept {
  static constexpr std::array<std::string_view, 8> kWords = {"CAPABILITY", "STARTTLS",     "NOOP", "LOGOUT",
                                                             "LOGIN",      "AUTHENTICATE", "ID",   "ENABLE"};
  static constexpr std::array<Argument, 8> kArguments = {Argument::None, Argument::None, Argument::None,
                                                         Argument::None, Argument::Some, Argument::Some,
                                                         Argument::Some, Argument::Some};
  PrefixReader reader(stream);
  const std::string_view tag = reader.visible_until(' ', 32);
  reader.require(!tag.empty() && tag.find_first_of("(){%*\"\\+") == std::string_view::npos);
  const size_t word = reader.word(kWords);
  const std::string_view rest = reader.line(kLine);
  if (!reader.ok()) return reader.fit();
  return argument_fits(kArguments[word], rest) ? Fit::Yes : Fit::No;
}

}  // namespace

Fit ftp(const Evidence& evidence) noexcept {
  if (evidence.direction == Direction::ToServer) return ftp_commands(evidence.payload);
  return opinion(reply_speaker(evidence.payload), Speaker::Ftp);
}

Fit vmware_auth(const Evidence& evidence) noexcept {
  return evidence.direction == Direction::ToServer
             ? Fit::No
             : opinion(reply_speaker(evidence.payload), Speaker::Vmware);
}

Fit smtp(const Evidence& evidence) noexcept {
  if (evidence.direction == Direction::ToClient)
    return opinion(reply_speaker(evidence.payload), Speaker::Smtp);
  static constexpr std::array<std::string_view, 3> kWords = {"EHLO", "HELO", "LHLO"};
  static constexpr std::array<Command, 3> kProperties = {kWith, kWith, kWith};
  return commands(evidence.payload, kWords, kProperties);
}

Fit imap(const Evidence& evidence) noexcept {
  return evidence.direction == Direction::ToServer ? imap_command(evidence.payload)
                                                   : imap_greeting(evidence.payload);
}

Fit pop3(const Evidence& evidence) noexcept {
  if (evidence.direction == Direction::ToServer) return pop3_commands(evidence.payload);
  static constexpr std::string_view kGreetings[] = {"+OK ", "+OK\r", "+OK\n"};
  PrefixReader reader(evidence.payload);
  PrefixReader greeting(evidence.payload);
  if (greeting.choice(kGreetings); !greeting.ok()) return greeting.fit();
  reader.line(512);  // RFC 1939 section 3
  return reader.fit();
}

Fit user_command(const Evidence& evidence) noexcept {
  static constexpr std::array<std::string_view, 1> kWords = {"USER"};
  static constexpr std::array<Command, 1> kProperties = {kWith};
  return evidence.direction == Direction::ToServer ? commands(evidence.payload, kWords, kProperties)
                                                   : Fit::No;
}

}  // namespace postern::classify::decoders
