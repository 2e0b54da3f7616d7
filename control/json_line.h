// SPDX-License-Identifier: Apache-2.0
// Writes one line of JSON into a buffer that is used again for the next line. The caller balances open and
// close. One thread at a time.
#pragma once

#include <charconv>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace postern::control {

// The text as a JSON string, quotes included. Bytes that are not UTF-8 become U+FFFD, so the line stays
// valid; controls are escaped, so no terminal obeys them.
std::string json_quoted(std::string_view text);

class JsonLine {
 public:
  void clear() { size_ = 0; }
  std::string_view text() const { return {storage_.data(), size_}; }

  void open_object() { separate(), put('{'); }
  void open_object(std::string_view key) { begin(key), put('{'); }
  void close_object() { put('}'); }
  void open_array(std::string_view key) { begin(key), put('['); }
  void close_array() { put(']'); }
  void end_line() { put('\n'); }

  // `word` needs no escaping: one of our own words, digits, an address.
  void word(std::string_view key, std::string_view word) { begin(key), put('"'), put(word), put('"'); }
  void in_quotes(std::string_view key, std::string_view already_quoted) { begin(key), put(already_quoted); }
  void escaped(std::string_view key, std::string_view text) { begin(key), put(json_quoted(text)); }
  void escaped(std::string_view text) { separate(), put(json_quoted(text)); }
  void yes(std::string_view key) { begin(key), put("true"); }
  void number(std::string_view key, std::unsigned_integral auto value) { begin(key), digits(value); }
  void number(std::unsigned_integral auto value) { separate(), digits(value); }
  // Members written before: `"pack":"x","index":3`.
  void members(std::string_view fragment) { separate(), put(fragment); }

 private:
  // Room is asked for once per element; std::string::append asks, and ends the string, at every piece.
  char* room(size_t count) {
    if (storage_.size() - size_ < count) storage_.resize(2 * storage_.size() + count);
    return storage_.data() + size_;
  }
  void put(char c) { *room(1) = c, ++size_; }
  void put(std::string_view text) {
    std::memcpy(room(text.size()), text.data(), text.size());
    size_ += text.size();
  }
  void separate() {
    if (size_ != 0 && storage_[size_ - 1] != '{' && storage_[size_ - 1] != '[') put(',');
  }
  void begin(std::string_view key) {
    char* at = room(key.size() + 4);
    if (size_ != 0 && at[-1] != '{' && at[-1] != '[') *at++ = ',';
    *at++ = '"';
    std::memcpy(at, key.data(), key.size());
    at += key.size();
    *at++ = '"';
    *at++ = ':';
    size_ = static_cast<size_t>(at - storage_.data());
  }
  void digits(uint64_t value) {
    static constexpr size_t kMostDigits = 20;
    char* const at = room(kMostDigits);
    size_ = static_cast<size_t>(std::to_chars(at, at + kMostDigits, value).ptr - storage_.data());
  }

  std::string storage_ = std::string(1024, '\0');
  size_t size_ = 0;
};

}  // namespace postern::control
