// SPDX-License-Identifier: Apache-2.0
#include "profiles/ips/classification.h"

#include "profiles/ips/text.h"

namespace postern::profiles::ips {
namespace {

struct Row {
  std::string_view name, description;
  uint8_t priority;
};

// Names and priorities that public rule sets rely on.
constexpr Row kUsual[] = {
    {"not-suspicious", "Not Suspicious Traffic", 3},
    {"unknown", "Unknown Traffic", 3},
    {"bad-unknown", "Potentially Bad Traffic", 2},
    {"attempted-recon", "Attempted Information Leak", 2},
    {"successful-recon-limited", "Information Leak", 2},
    {"successful-recon-largescale", "Large Scale Information Leak", 2},
    {"attempted-dos", "Attempted Denial of Service", 2},
    {"successful-dos", "Denial of Service", 2},
    {"attempted-user", "Attempted User Privilege Gain", 1},
    {"unsuccessful-user", "Unsuccessful User Privilege Gain", 1},
    {"successful-user", "Successful User Privilege Gain", 1},
    {"attempted-admin", "Attempted Administrator Privilege Gain", 1},
    {"successful-admin", "Successful Administrator Privilege Gain", 1},
    {"rpc-portmap-decode", "Decode of an RPC Query", 2},
    {"shellcode-detect", "Executable Code was Detected", 1},
    {"string-detect", "A Suspicious String was Detected", 3},
    {"suspicious-filename-detect", "A Suspicious Filename was Detected", 2},
    {"suspicious-login", "An Attempted Login Using a Suspicious Username was Detected", 2},
    {"system-call-detect", "A System Call was Detected", 2},
    {"tcp-connection", "A TCP Connection was Detected", 4},
    {"trojan-activity", "A Network Trojan was Detected", 1},
    {"unusual-client-port-connection", "A Client was Using an Unusual Port", 2},
    {"network-scan", "Detection of a Network Scan", 3},
    {"denial-of-service", "Detection of a Denial of Service Attack", 2},
    {"non-standard-protocol", "Detection of a Non-Standard Protocol or Event", 2},
    {"protocol-command-decode", "Generic Protocol Command Decode", 3},
    {"web-application-activity", "Access to a Potentially Vulnerable Web Application", 2},
    {"web-application-attack", "Web Application Attack", 1},
    {"misc-activity", "Misc activity", 3},
    {"misc-attack", "Misc Attack", 2},
    {"icmp-event", "Generic ICMP event", 3},
    {"inappropriate-content", "Inappropriate Content was Detected", 1},
    {"policy-violation", "Potential Corporate Privacy Violation", 1},
    {"default-login-attempt", "Attempt to Login By a Default Username and Password", 2},
    {"targeted-activity", "Targeted Malicious Activity was Detected", 1},
    {"exploit-kit", "Exploit Kit Activity Detected", 1},
    {"external-ip-check", "Device Retrieving External IP Address Detected", 2},
    {"domain-c2", "Domain Observed Used for C2 Detected", 1},
    {"pup-activity", "Possibly Unwanted Program Detected", 2},
    {"credential-theft", "Successful Credential Theft Detected", 1},
    {"social-engineering", "Possible Social Engineering Attempted", 2},
    {"coin-mining", "Crypto Currency Mining Activity Detected", 2},
    {"command-and-control", "Malware Command and Control Activity Detected", 1},
    {"sdf", "Sensitive Data was Transmitted Across the Network", 2},
    {"file-format", "Known malicious file or file based exploit", 1},
    {"malware-cnc", "Known malware command and control traffic", 1},
    {"client-side-exploit", "Known client side exploit attempt", 1},
};

}  // namespace

Classifications usual_classifications() {
  Classifications table;
  for (const Row& row : kUsual) table[std::string(row.name)] = {std::string(row.description), row.priority};
  return table;
}

Status add_classifications(Classifications& table, std::string_view text, const std::string& file) {
  for (uint32_t line = 1; !text.empty(); ++line) {
    std::string_view row = take_until(text, '\n');
    if (row.empty() || row.front() == '#') continue;
    if (take_word(row) != "config" || take_until(row, ':') != "classification")
      return Error{"expected 'config classification: name,description,priority'", file, line};
    const std::string_view name = take_until(row, ','), description = take_until(row, ',');
    const auto priority = number<uint8_t>(trimmed(row));
    if (name.empty() || !priority || *priority == 0)
      return Error{"expected a name, a description and a priority from 1 to 255", file, line};
    table[std::string(name)] = {std::string(description), *priority};
  }
  return Ok{};
}

}  // namespace postern::profiles::ips
