// SPDX-License-Identifier: Apache-2.0
// Texts of the layers http and tls: heads of requests to BMCs and to others, and what handshakes show. One
// thread.
#pragma once

#include <string>
#include <vector>

namespace postern::perf {

std::vector<std::string> http_texts();
std::vector<std::string> tls_texts();

}  // namespace postern::perf
