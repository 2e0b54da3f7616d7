// SPDX-License-Identifier: Apache-2.0
#include "profiles/http_text.h"

#include <algorithm>
#include <cstring>

namespace postern::profiles {
namespace {

int hex_digit(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// RFC 3986 section 2.3.
bool is_unreserved(int c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

// The byte that "%XX" at the start of `text` stands for; -1: none is there.
int percent_byte(std::string_view text) noexcept {
  if (text.size() < 3 || text[0] != '%') return -1;
  const int high = hex_digit(text[1]), low = hex_digit(text[2]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

constexpr char kHex[] = "0123456789ABCDEF";

struct Target {
  std::string_view authority, rest;  // rest: path and query; empty: none
};

// Absolute-form (RFC 9112 section 3.2.2), whose authority outranks the Host header. User names and passwords
// before an @ are left out.
Target split_absolute(std::string_view target) noexcept {
  const size_t scheme = target.find("://");
  if (target.front() == '/' || scheme == std::string_view::npos) return {{}, target};
  target.remove_prefix(scheme + 3);
  const size_t end = std::min(target.find_first_of("/?"), target.size());
  std::string_view authority = target.substr(0, end);
  const size_t at = authority.rfind('@');
  if (at != std::string_view::npos) authority.remove_prefix(at + 1);
  return {authority, target.substr(end)};
}

}  // namespace

HttpText::HttpText(const HttpHead& head) noexcept : cut_(head.cut) {
  append(head.method);
  append(" ");
  const bool has_path = head.method != "CONNECT" && head.target != "*";
  const Target target = has_path ? split_absolute(head.target) : Target{{}, head.target};
  target_end_ = length_ + kLongestTarget;
  if (has_path)
    append_target(target.rest);
  else
    for (const char c : target.rest) append_byte(c);
  append(head.minor_version == 0 ? " HTTP/1.0\n" : " HTTP/1.1\n");
  for (size_t i = 0; i < kKeptFields; ++i) {
    const auto field = static_cast<HttpField>(i);
    const bool from_target = field == HttpField::Host && !target.authority.empty();
    if (!from_target && !head.fields.has(field)) continue;
    const std::string_view value = from_target ? target.authority : head.fields.value(field);
    const size_t fits = std::min<size_t>(value.size(), kFieldPlaces[i].room);
    cut_ = cut_ || fits < value.size();
    append(kFieldPlaces[i].name);
    append(": ");
    append(value.substr(0, fits));
    append("\n");
  }
}

void HttpText::append(std::string_view piece) noexcept {
  std::memcpy(text_.data() + length_, piece.data(), piece.size());
  length_ += piece.size();
}

void HttpText::append_byte(char c) noexcept {
  if (length_ < target_end_)
    text_[length_++] = c;
  else
    cut_ = true;
}

void HttpText::append_target(std::string_view target) noexcept {
  const size_t path = std::min(target.find('?'), target.size());
  append_path(target.substr(0, path));
  append_query(target.substr(path));
}

// RFC 3986 section 5.2.4, on decoded segments: %2e%2e is .. to servers that decode first. nginx and lighttpd
// take %2F for a slash; one that does not has no such resource, and a wrong guess hides nothing.
void HttpText::append_path(std::string_view path) noexcept {
  const size_t begin = length_;
  append_byte('/');
  segment_ = length_;
  for (size_t at = 0; at < path.size(); ++at) {
    const int byte = percent_byte(path.substr(at));
    const bool decoded = is_unreserved(byte) || byte == '/';
    const char c = decoded ? static_cast<char>(byte) : path[at];
    if (c == '/') {
      end_segment(begin);
      if (segment_ != length_) append_byte('/');
      segment_ = length_;
    } else if (byte >= 0 && !decoded) {
      append_byte('%');
      append_byte(kHex[byte >> 4]);
      append_byte(kHex[byte & 15]);
    } else {
      append_byte(c);
    }
    if (byte >= 0) at += 2;
  }
  end_segment(begin);
}

// Takes the last segment back when it is "." or "..", the latter together with the one before it.
void HttpText::end_segment(size_t path_begin) noexcept {
  const std::string_view segment(text_.data() + segment_, length_ - segment_);
  if (segment != "." && segment != "..") return;
  const bool up = segment == "..";
  length_ = segment_;
  if (!up || length_ == path_begin + 1) return;
  --length_;
  while (text_[length_ - 1] != '/') --length_;
  segment_ = length_;
}

void HttpText::append_query(std::string_view query) noexcept {
  for (size_t at = 0; at < query.size(); ++at) {
    const int byte = percent_byte(query.substr(at));
    append_byte(is_unreserved(byte) ? static_cast<char>(byte) : query[at]);
    if (is_unreserved(byte)) at += 2;
  }
}

}  // namespace postern::profiles
