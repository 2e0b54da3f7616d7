// SPDX-License-Identifier: Apache-2.0
// Numbers with a meaning. Names are interned once per process and never reused for another name, so a number
// found in an old flow or log record stays true across policy generations. Any thread.
#pragma once

#include <compare>
#include <cstdint>

namespace postern {

template <typename Tag, typename Integer>
struct Id {
  Integer value{};
  auto operator<=>(const Id&) const = default;
};

using Zone = Id<struct ZoneTag, uint8_t>;                  // 0: no zone
using AppId = Id<struct AppIdTag, uint16_t>;               // 0: not known yet
using RuleId = Id<struct RuleIdTag, uint32_t>;             // 0: no rule (the default)
using WireId = Id<struct WireIdTag, uint8_t>;              // index into the site's wires
using ForwardingId = Id<struct ForwardingIdTag, uint8_t>;  // 0: not forwarded
using SubjectId = Id<struct SubjectIdTag, uint32_t>;       // a user or device; 0: unknown
using Generation = Id<struct GenerationTag, uint32_t>;     // 0: never judged

inline constexpr Zone kNoZone{0};
inline constexpr AppId kApplicationPending{0};
inline constexpr AppId kApplicationUnidentified{1};  // looked long enough, nothing fits
inline constexpr RuleId kDefaultRule{0};

// Side 0 is the first of the wire's two sides in the site file.
enum class Side : uint8_t { First = 0, Second = 1 };
inline constexpr Side other(Side s) noexcept { return s == Side::First ? Side::Second : Side::First; }

// Of a flow: who sent the packet, the side that opened the flow or the one that answers.
enum class Direction : uint8_t { ToServer = 0, ToClient = 1 };
inline constexpr Direction other(Direction d) noexcept {
  return d == Direction::ToServer ? Direction::ToClient : Direction::ToServer;
}

}  // namespace postern
