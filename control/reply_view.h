// SPDX-License-Identifier: Apache-2.0
// Shows what posternd answered as text for people, the way a command's View says. Any thread.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "control/command_table.h"

namespace postern::control {

enum class ZeroRows : uint8_t { Hide, Show };

// A result of another shape than the view expects (a daemon of another version) is shown as JSON.
std::string show(const View& view, const nlohmann::json& result, ZeroRows zero_rows);

}  // namespace postern::control
