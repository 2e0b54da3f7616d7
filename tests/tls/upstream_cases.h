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

// `openssl verify -x509_strict -auth_level 2` and, for stapled answers, `openssl ocsp`. They ask for no
// promised answer, judge an answer's age by the machine's clock alone, take the common name for a server's,
// take wildcards within a label, take ".lab" for any host below, follow a hundred issuers, and do not
// mind NUL bytes in names that nobody asked for: there we are stricter.
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
