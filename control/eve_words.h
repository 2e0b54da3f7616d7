// SPDX-License-Identifier: Apache-2.0
// The words that logs and posternctl use for our enumerations. Any thread.
#pragma once

#include <string_view>

#include "base/verdict.h"
#include "classify/policy.h"
#include "dataplane/log_record.h"

namespace postern::control {

std::string_view action_word(Action action);
std::string_view protocol_word(
    uint8_t protocol);  // as Suricata writes it ("TCP"); empty: no word, use the number
std::string_view end_reason_word(dataplane::EndReason reason);  // empty: not ended
std::string_view inspection_status_word(dataplane::InspectionStatus status);
std::string_view inspection_reason_word(dataplane::InspectionReason reason);
std::string_view decryption_mode_word(classify::DecryptionMode mode);
std::string_view decrypt_result_word(dataplane::DecryptResult result);
// new, established, closed or dropped, told from what the record counts.
std::string_view flow_state_word(const dataplane::LogRecord& record);

}  // namespace postern::control
