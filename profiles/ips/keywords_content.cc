// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/ascii.h"
#include "profiles/ips/keyword_readers.h"
#include "profiles/ips/regex.h"
#include "profiles/ips/text.h"

namespace postern::profiles::ips {
namespace {

constexpr size_t kLongestContent = 4096;

std::string quoted(std::string_view text) { return "'" + valid_utf8(text.substr(0, 60)) + "'"; }

bool take_negation(std::string_view& value) {
  value = trimmed(value);
  if (!value.starts_with('!')) return false;
  value = trimmed(value.substr(1));
  return true;
}

Result<Content> parse_content(std::string_view value) {
  Content content;
  content.negated = take_negation(value);
  Result<std::string_view> text = unquoted(value);
  if (!text) return text.error();
  Result<std::vector<uint8_t>> bytes = parse_pattern(*text);
  if (!bytes) return bytes.error();
  content.bytes = std::move(*bytes);
  return content;
}

Content plain(std::string_view text) {
  Content content;
  content.bytes.assign(text.begin(), text.end());
  return content;
}

void ignore_case(Content& content) {
  content.nocase = true;
  for (uint8_t& byte : content.bytes) byte = static_cast<uint8_t>(ascii_lower(static_cast<char>(byte)));
}

Status set_number(SignatureBuilder& builder, std::string_view value, std::optional<Number> Content::*member) {
  Result<Content*> content = builder.last_content();
  if (!content) return content.error();
  Result<Number> number = builder.number_or_variable(value);
  if (!number) return number.error();
  if ((*content)->*member) return Error{"is given twice for one content"};
  (*content)->*member = *number;
  return Ok{};
}

// A value of its own keyword, looked for in a buffer that stays as it is.
Status add_quoted(SignatureBuilder& builder, std::string_view value, BufferKind kind) {
  Result<Content> content = parse_content(value);
  if (!content) return content.error();
  builder.add_to(kind, std::move(*content));
  return Ok{};
}

struct FlagBuffer {
  char flag;
  std::string_view buffer;
};
constexpr FlagBuffer kFlagBuffers[] = {
    {'U', "http_uri"},       {'I', "http_raw_uri"},    {'P', "http_client_body"}, {'Q', "http_server_body"},
    {'H', "http_header"},    {'D', "http_raw_header"}, {'M', "http_method"},      {'C', "http_cookie"},
    {'S', "http_stat_code"}, {'Y', "http_stat_msg"},   {'V', "http_user_agent"},  {'W', "http_host"},
    {'Z', "http_raw_host"},
};

struct ParsedPcre {
  std::string_view expression;
  Regex::Options options;
  bool relative = false;
  std::string_view buffer;  // empty: the current one
};

Status parse_flags(ParsedPcre& pcre, std::string_view flags) {
  for (const char flag : flags) {
    const auto buffer = std::find_if(std::begin(kFlagBuffers), std::end(kFlagBuffers),
                                     [&](const FlagBuffer& row) { return row.flag == flag; });
    if (buffer != std::end(kFlagBuffers)) {
      if (!pcre.buffer.empty()) return Error{"its flags name two buffers"};
      pcre.buffer = buffer->buffer;
      continue;
    }
    switch (flag) {
      case 'i':
        pcre.options.nocase = true;
        break;
      case 's':
        pcre.options.dotall = true;
        break;
      case 'm':
        pcre.options.multiline = true;
        break;
      case 'x':
        pcre.options.extended = true;
        break;
      case 'A':
        pcre.options.anchored = true;
        break;
      case 'E':
        pcre.options.dollar_end_only = true;
        break;
      case 'G':
        pcre.options.ungreedy = true;
        break;
      case 'R':
        pcre.relative = true;
        break;
      case 'B':
      case 'O':
        break;  // payloads are raw, and limits are the same for all
      default:
        return Error{std::string("flag '") + flag + "' of the expression is not known"};
    }
  }
  return Ok{};
}

}  // namespace

Result<std::vector<uint8_t>> parse_pattern(std::string_view text) {
  std::vector<uint8_t> bytes;
  bool hex = false;
  int high = -1;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '|') {
      if (high >= 0) return Error{"half a byte between the bars"};
      hex = !hex;
    } else if (hex) {
      if (is_blank(c)) continue;
      const auto digit = number<uint8_t>(text.substr(i, 1), 16);
      if (!digit)
        return Error{"found " + quoted(text.substr(i, 1)) + " between bars, expected hexadecimal digits"};
      if (high < 0)
        high = *digit;
      else
        bytes.push_back(static_cast<uint8_t>(high << 4 | *digit)), high = -1;
    } else if (c == '\\' && i + 1 < text.size() &&
               std::string_view("\\\";:").find(text[i + 1]) != text.npos) {
      bytes.push_back(static_cast<uint8_t>(text[++i]));
    } else if (c == '"') {
      return Error{"has a quote without a backslash"};
    } else {
      bytes.push_back(static_cast<uint8_t>(c));
    }
  }
  if (hex) return Error{"a '|' is not closed"};
  if (bytes.empty()) return Error{"is empty"};
  if (bytes.size() > kLongestContent)
    return Error{"is longer than " + std::to_string(kLongestContent) + " bytes"};
  return bytes;
}

Status read_content(SignatureBuilder& builder, std::string_view value) {
  Result<Content> content = parse_content(value);
  if (!content) return content.error();
  builder.add(std::move(*content));
  return Ok{};
}

Status read_uricontent(SignatureBuilder& builder, std::string_view value) {
  if (Status good = read_content(builder, value); !good) return good;
  return builder.move_content_to(*find_buffer("http_uri"));
}

Status read_nocase(SignatureBuilder& builder, std::string_view) {
  Result<Content*> content = builder.last_content();
  if (!content) return content.error();
  ignore_case(**content);
  return Ok{};
}

Status read_offset(SignatureBuilder& builder, std::string_view value) {
  return set_number(builder, value, &Content::offset);
}
Status read_depth(SignatureBuilder& builder, std::string_view value) {
  return set_number(builder, value, &Content::depth);
}
Status read_distance(SignatureBuilder& builder, std::string_view value) {
  if (Status good = set_number(builder, value, &Content::distance); !good) return good;
  (*builder.last_content())->relative = true;
  return Ok{};
}
Status read_within(SignatureBuilder& builder, std::string_view value) {
  if (Status good = set_number(builder, value, &Content::within); !good) return good;
  (*builder.last_content())->relative = true;
  return Ok{};
}

Status read_startswith(SignatureBuilder& builder, std::string_view) {
  Result<Content*> content = builder.last_content();
  if (!content) return content.error();
  Content& c = **content;
  if (c.relative || c.offset || c.depth) return Error{"does not go with offset, depth, distance or within"};
  c.offset = Number{0};
  c.depth = Number{static_cast<int64_t>(c.bytes.size())};
  return Ok{};
}

Status read_endswith(SignatureBuilder& builder, std::string_view) {
  Result<Content*> content = builder.last_content();
  if (!content) return content.error();
  (*content)->ends = true;
  return Ok{};
}

Status read_fast_pattern(SignatureBuilder& builder, std::string_view value) {
  Result<Content*> found = builder.last_content();
  if (!found) return found.error();
  Content& content = **found;
  content.fast = true;
  if (value.empty()) return Ok{};
  if (value == "only") {
    content.fast_only = true;
    return Ok{};
  }
  const auto offset = number<uint16_t>(take_until(value, ',')), length = number<uint16_t>(trimmed(value));
  if (!offset || !length || *length == 0) return Error{"expected only, or offset,length"};
  if (size_t{*offset} + *length > content.bytes.size())
    return Error{"names bytes that the content does not have"};
  content.fast_offset = *offset;
  content.fast_length = *length;
  return Ok{};
}

Status read_pcre(SignatureBuilder& builder, std::string_view value) {
  Pcre pcre;
  pcre.negated = take_negation(value);
  Result<std::string_view> text = unquoted(value);
  if (!text) return text.error();
  const bool m = text->starts_with("m");
  const size_t open = m ? 1 : 0, close = text->rfind('/');
  if (text->size() <= open || (*text)[open] != '/' || close == open || close == text->npos)
    return Error{"found " + quoted(*text) + ", expected /expression/flags"};
  ParsedPcre parsed{text->substr(open + 1, close - open - 1)};
  if (Status good = parse_flags(parsed, text->substr(close + 1)); !good) return good;
  // The escapes that protect the rule from its own syntax mean the same to PCRE: \; \" \/ are those bytes.
  Result<std::shared_ptr<const Regex>> regex = Regex::compile(parsed.expression, parsed.options);
  if (!regex) return regex.error();
  pcre.regex = std::move(*regex);
  pcre.expression = std::string(parsed.expression);
  pcre.relative = parsed.relative;
  pcre.nocase = parsed.options.nocase;
  pcre.dotall = parsed.options.dotall;
  pcre.multiline = parsed.options.multiline;
  if (parsed.options.extended || parsed.options.anchored || parsed.options.ungreedy ||
      parsed.options.dollar_end_only)
    pcre.expression.clear();  // for PCRE2 alone
  if (parsed.buffer.empty()) {
    builder.add(std::move(pcre), parsed.relative ? Relation::Relative : Relation::Absolute);
    return Ok{};
  }
  return builder.add_to_named(*find_buffer(parsed.buffer), std::move(pcre));
}

Status read_isdataat(SignatureBuilder& builder, std::string_view value) {
  IsDataAt at;
  at.negated = take_negation(value);
  Result<Number> number = builder.number_or_variable(take_until(value, ','));
  if (!number) return number.error();
  at.at = *number;
  for (const std::string_view word : split(value, ',')) {
    if (word == "relative")
      at.relative = true;
    else if (!word.empty() && word != "rawbytes")
      return Error{"found " + quoted(word) + ", expected relative"};
  }
  builder.add(at, at.relative ? Relation::Relative : Relation::Absolute);
  return Ok{};
}

Status read_bsize(SignatureBuilder& builder, std::string_view value) {
  Result<Range> range = parse_range(value);
  if (!range) return range.error();
  builder.add(BufferSize{*range});
  return Ok{};
}

Status read_urilen(SignatureBuilder& builder, std::string_view value) {
  const size_t comma = value.rfind(',');
  const std::string_view form = comma == value.npos ? "norm" : trimmed(value.substr(comma + 1));
  if (form != "norm" && form != "raw") return Error{"found " + quoted(form) + ", expected norm or raw"};
  Result<Range> range = parse_range(value.substr(0, comma));
  if (!range) return range.error();
  return builder.add_to_named(*find_buffer(form == "raw" ? "http_raw_uri" : "http_uri"), BufferSize{*range});
}

Status read_dataset(SignatureBuilder& builder, std::string_view value) {
  const std::string_view what = take_until(value, ','), name = take_until(value, ',');
  if (what != "isset" && what != "isnotset")
    return Error{"found " + quoted(what) + ", expected isset or isnotset: datasets are read, not written"};
  std::string_view type, file;
  for (std::string_view option : split(value, ',')) {
    const std::string_view key = take_word(option);
    if (key == "type") type = option;
    if (key == "load" || key == "state") file = option;
  }
  if (type.empty() || file.empty()) return Error{"dataset " + quoted(name) + " needs type and load"};
  if (!builder.site().files) return Error{"no files are at hand to load " + quoted(file) + " from"};
  Result<std::string> text = builder.site().files(std::string(file));
  if (!text) return text.error();
  Result<std::shared_ptr<const Dataset>> dataset = Dataset::parse(type, *text);
  if (!dataset)
    return Error{std::string(file) + ":" + std::to_string(dataset.error().line) + ": " +
                 dataset.error().message};
  builder.add(InDataset{std::move(*dataset), what == "isnotset"});
  return Ok{};
}

Status read_filename(SignatureBuilder& builder, std::string_view value) {
  Result<Content> content = parse_content(value);
  if (!content) return content.error();
  ignore_case(*content);
  builder.add_to(BufferKind::FileName, std::move(*content));
  return Ok{};
}

Status read_fileext(SignatureBuilder& builder, std::string_view value) {
  Result<Content> content = parse_content(value);
  if (!content) return content.error();
  content->bytes.insert(content->bytes.begin(), '.');
  content->ends = true;
  ignore_case(*content);
  builder.add_to(BufferKind::FileName, std::move(*content));
  return Ok{};
}

Status read_tls_subject(SignatureBuilder& builder, std::string_view value) {
  return add_quoted(builder, value, BufferKind::TlsCertSubject);
}
Status read_tls_issuer(SignatureBuilder& builder, std::string_view value) {
  return add_quoted(builder, value, BufferKind::TlsCertIssuer);
}
Status read_tls_fingerprint(SignatureBuilder& builder, std::string_view value) {
  return add_quoted(builder, value, BufferKind::TlsCertFingerprint);
}

Status read_tls_version(SignatureBuilder& builder, std::string_view value) {
  const bool negated = take_negation(value);
  if (value.starts_with('"') && value.ends_with('"') && value.size() > 1)
    value = value.substr(1, value.size() - 2);
  if (value != "1.0" && value != "1.1" && value != "1.2" && value != "1.3")
    return Error{"found " + quoted(value) + ", expected 1.0, 1.1, 1.2 or 1.3"};
  Content content = plain(value);
  content.negated = negated;
  builder.add_to(BufferKind::TlsVersion, std::move(content));
  return Ok{};
}

Status read_xor(SignatureBuilder& builder, std::string_view value) {
  Result<std::string_view> text = unquoted(value);
  if (!text) return text.error();
  std::string key;
  for (size_t i = 0; i + 1 < text->size(); i += 2) {
    const auto byte = number<uint8_t>(text->substr(i, 2), 16);
    if (!byte) return Error{"found " + quoted(*text) + ", expected hexadecimal digits"};
    key += static_cast<char>(*byte);
  }
  if (key.empty() || text->size() % 2 != 0) return Error{"expected an even number of hexadecimal digits"};
  return builder.transform({Transform::Xor, std::move(key)});
}

}  // namespace postern::profiles::ips
