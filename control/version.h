// SPDX-License-Identifier: Apache-2.0
// The version that posternd and posternctl print. Any thread.
#pragma once

#include <string_view>

namespace postern::control {

inline constexpr std::string_view kVersion = "0.1.0";

}  // namespace postern::control
