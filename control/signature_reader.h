// SPDX-License-Identifier: Apache-2.0
// The `signatures:` of a catalogue entry (docs/catalogue.md). Mistakes become findings with their line.
// Control thread.
#pragma once

#include <string>
#include <vector>

#include "classify/signature.h"
#include "control/map_reader.h"

namespace postern::control {

// `entry` is the mapping of the application; the signatures still lack its id.
// The name of a decoder; empty: not there, or a finding.
std::string read_decoder(MapReader& map, std::string_view key, Findings& findings);

std::vector<classify::Signature> read_signatures(MapReader& entry, const std::string& app_id,
                                                 Findings& findings);

std::string_view layer_name(classify::Layer layer);
std::string_view sender_name(classify::Sender sender);
std::string_view confidence_name(classify::Confidence confidence);

}  // namespace postern::control
