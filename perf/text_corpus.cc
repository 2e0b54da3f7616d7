// SPDX-License-Identifier: Apache-2.0
#include "perf/text_corpus.h"

#include "classify/tls_text.h"
#include "profiles/http_text.h"
#include "tests/classify/tls_chrome_hello.h"

namespace postern::perf {
namespace {

constexpr const char* kRequests[] = {
    "GET /redfish/v1/",
    "GET /redfish/v1/Systems/system",
    "GET /redfish/v1/Chassis/chassis/Sensors?$expand=*($levels=1)",
    "POST /redfish/v1/SessionService/Sessions",
    "POST /redfish/v1/Systems/system/Actions/ComputerSystem.Reset",
    "PATCH /redfish/v1/AccountService/Accounts/root",
    "POST /redfish/v1/UpdateService/update-multipart",
    "POST /redfish/v1/Managers/bmc/VirtualMedia/Slot_0/Actions/VirtualMedia.InsertMedia",
    "POST /redfish/v1/EventService/Subscriptions",
    "POST /redfish/v1/CertificateService/Actions/CertificateService.ReplaceCertificate",
    "POST /wsman",
    "POST /cimom",
    "GET /",
    "GET /index.html",
    "GET /assets/app.3f9c2b1e.js",
    "GET /search?q=how+to+reset+a+server&lang=en&page=2",
    "POST /api/v2/telemetry",
    "GET /debian/dists/bookworm/InRelease",
    "PROPFIND /remote.php/dav/files/anna/",
    "CONNECT www.example.net:443",
};

constexpr const char* kFields[] = {
    "Host: 10.4.0.7\r\nUser-Agent: curl/7.88.1\r\nAccept: */*\r\n",
    "Host: bmc-r17u04.example.net\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, "
    "like Gecko) Chrome/130.0.0.0 Safari/537.36\r\nAccept: application/json, text/plain, */*\r\n"
    "Content-Type: application/json\r\nConnection: keep-alive\r\nCookie: SESSION=a8s7d6f5g4h3j2k1l0\r\n",
};

constexpr const char* kNames[] = {
    "bmc7.example.net",       "www.example.org", "update.example.com",      "idrac-7xk2.example.net",
    "login.example.com",      "cdn.example.net", "repo.example.org",        "a.b.c.d.example.net",
    "static.example.example", "mail.example.de", "telemetry.example.cloud", "vpn.example.net"};

}  // namespace

std::vector<std::string> http_texts() {
  std::vector<std::string> texts;
  for (const char* line : kRequests)
    for (const char* fields : kFields) {
      const std::string head = std::string(line) + " HTTP/1.1\r\n" + fields + "\r\n";
      profiles::HttpRequests requests;
      if (requests.feed(Direction::ToServer, as_bytes(head)).event == profiles::HttpEvent::RequestHead)
        texts.emplace_back(profiles::HttpText(requests.head()).text());
    }
  return texts;
}

std::vector<std::string> tls_texts() {
  std::vector<std::string> texts;
  for (const char* name : kNames) {
    const std::string body = classify::chrome_body(name);
    classify::TlsFacts facts;
    facts.note(classify::view_tls_client_hello(as_bytes(body)));
    facts.ja3.append("cd08e31494f9531f560d64c695473da9");
    facts.ja4.append("t13d1516h2_8daaf6152771_b0da82dd1658");
    texts.emplace_back(classify::tls_text(facts).view());
    facts.subject.append(std::string("C=DE,O=Example,CN=") + name);
    facts.issuer.append("C=DE,O=Example,CN=Example Issuing CA 2");
    facts.serial.append("0A:1B:2C:3D");
    facts.names.append(name);
    texts.emplace_back(classify::tls_text(facts).view());
  }
  return texts;
}

}  // namespace postern::perf
