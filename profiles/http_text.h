// SPDX-License-Identifier: Apache-2.0
// The head of a request in the one form that signatures of layer http are written for, so that no spelling of
// a request changes its application:
//   METHOD SP TARGET SP HTTP/1.1 \n, then "name: value\n" of the kept fields in the order of HttpField.
// TARGET is a path with %XX of unreserved characters and slashes decoded once, other %XX in upper case, dot
// segments and double slashes removed, then the query. Absolute-form leaves its host as the host line. Never
// holds credentials. Any thread.
#pragma once

#include <array>
#include <string_view>

#include "profiles/http_requests.h"

namespace postern::profiles {

class HttpText {
 public:
  // With this, all fields up to Accept stand in the first 2048 bytes, which is what patterns look at.
  static constexpr size_t kLongestTarget = 896;

  explicit HttpText(const HttpHead& head) noexcept;

  std::string_view text() const noexcept { return {text_.data(), length_}; }
  bool cut() const noexcept { return cut_; }  // something of the request is not in the text

 private:
  void append(std::string_view piece) noexcept;
  void append_target(std::string_view target) noexcept;
  void append_path(std::string_view path) noexcept;
  void append_query(std::string_view query) noexcept;
  void append_byte(char c) noexcept;
  void end_segment(size_t path_begin) noexcept;

  static constexpr size_t kRoom = [] {
    size_t sum = HttpRequestLine::kLongestMethod + 1 + kLongestTarget + 10;
    for (const HttpFieldPlace& place : kFieldPlaces) sum += place.name.size() + place.room + 3;
    return sum;
  }();

  std::array<char, kRoom> text_;
  size_t length_ = 0;
  size_t target_end_ = 0;  // the target may reach here
  size_t segment_ = 0;     // where the last segment of the path begins
  bool cut_ = false;
};

}  // namespace postern::profiles
