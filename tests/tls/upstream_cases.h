// SPDX-License-Identifier: Apache-2.0
// Servers' certificates, bad and good, with what is expected of a strict verification of each.
#pragma once

#include <optional>
#include <vector>

#include "tests/tls/certificate_maker.h"
#include "tls/certificate_fault.h"

namespace postern::tls {

// What a server shows, to a client that asked for a name or, without one, an address.
struct Scene {
  Issued leaf;
  std::vector<Issued> chain;
  Issued root;  // the only one that is trusted
  std::vector<std::shared_ptr<X509_CRL>> crls{};
  std::string ocsp{};
  std::string name = "bmc.lab", address = "10.4.0.5";
};

// `openssl verify -x509_strict -auth_level 2` reads no stapled answer, takes the common name for a server's,
// takes wildcards within a label, and does not mind NUL bytes in other names: there we are stricter.
enum class ByOpenSsl : uint8_t { Refused, Accepted };

struct UpstreamCase {
  std::string title;
  CertificateFault expected;  // None: good
  ByOpenSsl by_openssl;
  Scene scene;
};

std::vector<UpstreamCase> bad_upstreams();
std::vector<UpstreamCase> good_upstreams();

// Of every day: a leaf for bmc.lab, its issuer, a trusted root.
struct Family {
  Issued root, issuing;
};
const Family& family();
Scene shows(const Recipe& leaf);

}  // namespace postern::tls
