// SPDX-License-Identifier: Apache-2.0
#include "perf/traffic/recording.h"

#include <cstring>
#include <map>

#include "dataplane/capture_reader.h"

namespace postern::perf {
namespace {

class Bridge {
 public:
  Side side_of(Bytes frame) {
    const std::string_view addresses = as_text(frame.first(12));
    const std::string to(addresses.substr(0, 6)), from(addresses.substr(6));
    const auto known = sides_.find(from);
    if (known != sides_.end()) {
      if ((frame[0] & 1) == 0) sides_.try_emplace(to, opposite(known->second));
      return known->second;
    }
    const auto target = sides_.find(to);
    const Side side = target == sides_.end() ? Side::First : opposite(target->second);
    sides_[from] = side;
    if ((frame[0] & 1) == 0) sides_.try_emplace(to, opposite(side));
    return side;
  }

 private:
  static Side opposite(Side side) { return side == Side::First ? Side::Second : Side::First; }
  std::map<std::string, Side> sides_;
};

}  // namespace

Result<Recording> Recording::read(const std::string& file, int loops) {
  auto reader = dataplane::CaptureReader::open(file);
  if (!reader) return reader.error();
  Recording recording(loops);
  Bridge bridge;
  for (;;) {
    const auto next = reader->next();
    if (!next) return next.error();
    if (!next->has_value()) break;
    const Bytes frame = (*next)->frame;
    const std::string where = "packet " + std::to_string(reader->packets());
    if ((*next)->truncated()) return Error{where + " was cut by the capture, expected whole packets", file};
    if (frame.size() < 14 || frame.size() > kFrameRoom)
      return Error{where + " has " + std::to_string(frame.size()) + " bytes, expected 14 to " +
                       std::to_string(kFrameRoom),
                   file};
    recording.entries_.push_back(
        {recording.bytes_.size(), static_cast<uint16_t>(frame.size()), bridge.side_of(frame)});
    recording.bytes_.insert(recording.bytes_.end(), frame.begin(), frame.end());
  }
  if (recording.entries_.empty()) return Error{"there are no packets in it", file};
  return recording;
}

size_t Recording::make(std::span<Frame> frames) noexcept {
  size_t made = 0;
  for (Frame& frame : frames) {
    if (at_ == entries_.size()) {
      if (loops_ == 1) break;
      if (loops_ > 1) --loops_;
      at_ = 0;
    }
    const Entry& entry = entries_[at_++];
    std::memcpy(frame.room, bytes_.data() + entry.begin, entry.length);
    frame.length = entry.length;
    frame.side = entry.side;
    frame.tag_at = 0;
    ++made;
  }
  return made;
}

}  // namespace postern::perf
