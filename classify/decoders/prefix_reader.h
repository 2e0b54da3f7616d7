// SPDX-License-Identifier: Apache-2.0
// Reads the first bytes of a stream, which may end anywhere. The first thing that does not fit settles fit():
// a byte that rules the protocol out is No, a missing one More; from then on reads give zeros. What was
// settled stays so when the stream grows, as long as reads only depend on bytes before them. Any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/bytes.h"
#include "classify/fit.h"

namespace postern::classify::decoders {

class PrefixReader {
 public:
  explicit PrefixReader(Bytes bytes) noexcept : rest_(bytes), size_(bytes.size()) {}

  Fit fit() const noexcept { return fit_; }  // Yes: everything read so far was there and fitted
  bool ok() const noexcept { return fit_ == Fit::Yes; }
  size_t position() const noexcept { return size_ - rest_.size(); }

  // A number within [least, most]; refused at the first byte that puts it outside.
  uint32_t u8(uint32_t least = 0, uint32_t most = 0xff) noexcept { return big(1, least, most); }
  uint32_t be16(uint32_t least = 0, uint32_t most = 0xffff) noexcept { return big(2, least, most); }
  uint32_t be24(uint32_t least = 0, uint32_t most = 0xffffff) noexcept { return big(3, least, most); }
  uint32_t be32(uint32_t least = 0, uint32_t most = 0xffffffff) noexcept { return big(4, least, most); }
  uint32_t le16(uint32_t least = 0, uint32_t most = 0xffff) noexcept { return little(2, least, most); }
  uint32_t le24(uint32_t least = 0, uint32_t most = 0xffffff) noexcept { return little(3, least, most); }
  uint32_t le32(uint32_t least = 0, uint32_t most = 0xffffffff) noexcept { return little(4, least, most); }
  uint32_t ber_length(uint32_t least, uint32_t most) noexcept;  // ITU-T X.690 section 8.1.3, definite form

  uint8_t peek() noexcept;                          // the next byte, which stays
  uint8_t one_of(std::string_view bytes) noexcept;  // one byte out of these
  void literal(std::string_view text) noexcept;     // exactly this
  void zeros(size_t count) noexcept;                // so many zero bytes
  Bytes bytes(size_t count) noexcept;               // so many bytes, all there
  void skip(size_t count) noexcept { bytes(count); }

  // The first of these texts that is there; none of them begins another. Its index; texts.size() when not ok.
  size_t choice(std::span<const std::string_view> texts) noexcept;

  // Everything up to white space or NUL, which stays; must be one of `words` (upper case), case ignored.
  // Its index; words.size() when not ok.
  size_t word(std::span<const std::string_view> words) noexcept;

  // Visible characters up to `end`, which is taken and not returned; at most `longest` of them.
  std::string_view visible_until(char end, size_t longest) noexcept;
  // Text up to `end`: spaces, tabs and bytes above 127 too.
  std::string_view text_until(char end, size_t longest) noexcept;
  // The rest of a line of text without its CRLF or LF, which is taken; at most `longest` bytes.
  std::string_view line(size_t longest) noexcept;
  std::string_view visible(size_t count) noexcept;  // so many visible characters or spaces
  std::string_view digits(size_t most) noexcept;    // 1 to `most` digits and the byte after them, which stays

  void require(bool fits) noexcept {
    if (ok() && !fits) settle(Fit::No);
  }

 private:
  uint32_t big(size_t width, uint32_t least, uint32_t most) noexcept;
  uint32_t little(size_t width, uint32_t least, uint32_t most) noexcept;
  template <typename Allowed>
  std::string_view until(char end, size_t longest, Allowed allowed) noexcept;
  void take(size_t count) noexcept { rest_ = rest_.subspan(count); }
  void settle(Fit fit) noexcept {
    fit_ = fit;
    rest_ = {};
    size_ = 0;
  }

  Bytes rest_;
  size_t size_;
  Fit fit_ = Fit::Yes;
};

}  // namespace postern::classify::decoders
