// SPDX-License-Identifier: Apache-2.0
// How flows begin, direction by direction: the samples of the tests, the captures of the tests, and bytes
// that are no protocol at all. Owns its bytes. One thread.
#pragma once

#include <string>
#include <vector>

#include "classify/evidence.h"
#include "perf/shipped.h"

namespace postern::perf {

struct FlowStart {
  std::string name;  // where it is from
  uint8_t protocol = 0;
  uint16_t client_port = 40000, server_port = 40001;
  IpAddress server{};
  Direction direction{};
  std::vector<std::string> pieces;  // TCP: segments in order; otherwise datagrams

  classify::Evidence evidence(Bytes payload) const {
    return {.protocol = protocol,
            .client_port = client_port,
            .server_port = server_port,
            .server = server,
            .direction = direction,
            .payload = payload};
  }
};

// Of tests/classify; each on the first port that the catalogue names for its decoder.
std::vector<FlowStart> sample_flows(const Shipped& shipped);

// Of all captures of a folder, both directions of every flow; empty when there is no such folder.
std::vector<FlowStart> captured_flows(const std::string& folder);

// The same bytes for the same count: half of them random, as of ciphers, half of them text.
std::vector<FlowStart> unknown_flows(size_t count);

std::string captures_of_tests();

}  // namespace postern::perf
