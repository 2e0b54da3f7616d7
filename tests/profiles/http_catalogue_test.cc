// SPDX-License-Identifier: Apache-2.0
// Which application each request of a table is, by the shipped signatures over the canonical text.
#include "http_catalogue.h"

#include <gtest/gtest.h>

#include "http_talk.h"

namespace postern::profiles {
namespace {

const HttpSignatures& shipped() {
  static const HttpSignatures signatures(read_http_catalogue(POSTERN_HTTP_CATALOGUE));
  return signatures;
}

// "http" when no signature fits; several names when more than one does.
std::string application_of(const std::string& line, const std::string& fields = "") {
  const std::vector<std::string> events =
      events_of(line + " HTTP/1.1\r\nHost: a.example\r\n" + fields + "\r\n");
  if (events.empty() || !events[0].starts_with("head ")) return events.empty() ? "nothing" : events[0];
  std::string out;
  for (const std::string& name : shipped().applications(events[0].substr(5)))
    out += (out.empty() ? "" : " ") + name;
  return out.empty() ? "http" : out;
}

struct Request {
  const char* line;
  const char* application;
};

constexpr Request kRedfish[] = {
    {"GET /redfish", "redfish_read"},
    {"GET /redfish/v1/", "redfish_read"},
    {"HEAD /redfish/v1/Systems/1?$expand=.", "redfish_read"},
    {"GET /redfish/v1/SessionService/Sessions", "redfish_read"},
    {"GET /redfish/v1/UpdateService", "redfish_read"},
    {"GET /redfish/v1/EventService", "redfish_read"},
    {"OPTIONS /redfish/v1", "redfish"},
    {"PATCH /redfish/v1/Managers/bmc/NetworkProtocol", "redfish"},
    {"PATCH /redfish/v1/Systems/1", "redfish"},
    {"GXT /redfish/v1", "redfish"},
    {"POST /redfish/v1/SessionService/Sessions", "redfish_session"},
    {"DELETE /redfish/v1/SessionService/Sessions/7", "redfish_session"},
    {"POST /redfish/v1/Systems/system/Actions/ComputerSystem.Reset", "redfish_power"},
    {"POST /redfish/v1/Managers/bmc/Actions/Manager.Reset", "redfish_power"},
    {"POST /redfish/v1/Chassis/1/Actions/Chassis.Reset/", "redfish_power"},
    {"POST /redfish/v1/Managers/bmc/Actions/Manager.ResetToDefaults?x", "redfish_power"},
    {"POST /redfish/v1/Systems/1", "redfish_power"},
    {"POST /redfish/v1/AggregationService/Actions/AggregationService.Reset", "redfish_power"},
    {"POST /redfish/v1/AccountService/Accounts", "redfish_account"},
    {"PATCH /redfish/v1/AccountService", "redfish_account"},
    {"PATCH /redfish/v1/Managers/iDRAC.Embedded.1/Accounts/2", "redfish_account"},
    {"POST /redfish/v1/AccountService/LDAP/Certificates", "redfish_account"},
    {"POST /redfish/v1/CertificateService/Actions/CertificateService.ReplaceCertificate",
     "redfish_certificate"},
    {"POST /redfish/v1/Managers/bmc/NetworkProtocol/HTTPS/Certificates", "redfish_certificate"},
    {"DELETE /redfish/v1/Managers/bmc/Truststore/Certificates/1", "redfish_certificate"},
    {"POST /redfish/v1/UpdateService", "redfish_firmware"},
    {"POST /redfish/v1/UpdateService/update", "redfish_firmware"},
    {"POST /redfish/v1/UpdateService/update-multipart", "redfish_firmware"},
    {"PATCH /redfish/v1/UpdateService", "redfish_firmware"},
    {"POST /redfish/v1/UpdateService/Actions/UpdateService.SimpleUpdate", "redfish_firmware"},
    {"POST /redfish/v1/UpdateService/Actions/Oem/DellUpdateService.Install", "redfish_firmware"},
    {"POST /redfish/v1/Dell/Systems/1/DellSoftwareInstallationService/Actions/"
     "DellSoftwareInstallationService.InstallFromURI",
     "redfish_firmware"},
    {"POST /cgi-bin/uploadFile", "redfish_firmware"},
    {"POST /mfwupdate", "redfish_firmware"},
    {"POST /redfish/v1/Managers/bmc/VirtualMedia/Slot_0/Actions/VirtualMedia.InsertMedia",
     "redfish_virtual_media"},
    {"POST /redfish/v1/Systems/1/VirtualMedia/1/Actions/VirtualMedia.EjectMedia", "redfish_virtual_media"},
    {"POST /redfish/v1/Managers/1/VirtualMedia/2/Actions/Oem/Hpe/HpeiLOVirtualMedia.InsertVirtualMedia",
     "redfish_virtual_media"},
    {"PATCH /redfish/v1/Managers/1/VirtualMedia/2", "redfish_virtual_media"},
    {"POST /redfish/v1/EventService/Subscriptions", "redfish_event"},
    {"POST /redfish/v1/EventService/Subscriptions/1/Certificates", "redfish_event"},
    {"GET /redfish/v1/EventService/SSE", "redfish_event"},
    {"GET /redfish/v1/SSE?$filter=x", "redfish_event"},
    {"POST /redfish/v1/Managers/1/Actions/Oem/Hpe/HpeiLO.ResetToFactoryDefaults", "redfish_oem"},
    {"POST /redfish/v1/Systems/1/Actions/Oem/OemSystem.Do", "redfish_oem"},
};

constexpr Request kOthers[] = {
    {"GET /", "http"},
    {"GET /redfishing", "http"},
    {"GET /a/redfish/v1", "http"},
    {"POST /?/redfish/v1/UpdateService", "http"},
    {"GET /PSBlock", "supermicro_psblock"},
    {"GET /PSBlocks", "http"},
    {"POST /wsman", "ws_man"},
    {"POST /wsman-anon/identify", "ws_man"},
    {"POST /wsman?PSVersion=5.1", "ws_man"},
    {"POST /wsmanual", "http"},
    {"M-POST /cimom", "cim_xml"},
    {"GET /kvm/0", "http"},
    {"GET /console/default", "http"},
};

TEST(HttpCatalogue, KnowsWhatARedfishRequestIsFor) {
  for (const Request& request : kRedfish)
    EXPECT_EQ(application_of(request.line), request.application) << request.line;
}

TEST(HttpCatalogue, TellsOtherRequestsApart) {
  for (const Request& request : kOthers)
    EXPECT_EQ(application_of(request.line), request.application) << request.line;
}

TEST(HttpCatalogue, IsNotFooledByTheSpellingOfATarget) {
  for (const char* target : {"/redfish//v1/./Systems/1/Actions/ComputerSystem.Reset",
                             "/%72edfish/v1/Systems/1/Actions/ComputerSystem.Reset",
                             "/%52edfish/v1/Systems/1/Actions/%43omputerSystem%2EReset",
                             "/REDFISH/V1/systems/1/actions/computersystem.reset",
                             "http://bmc/redfish/v1/Systems/1/Actions/ComputerSystem.Reset",
                             "/a/../redfish/v1/Systems/1/Actions/ComputerSystem.Reset",
                             "/redfish/v1/Systems%2f1/Actions/ComputerSystem.Reset",
                             "/redfish/v1/Systems/1/Actions/ComputerSystem.Reset?",
                             "/redfish/v1/Systems/1/Actions/x/../ComputerSystem.Reset/"})
    EXPECT_EQ(application_of(std::string("POST ") + target), "redfish_power") << target;
}

TEST(HttpCatalogue, AnOverriddenGetIsNoRead) {
  for (const char* name : {"X-HTTP-Method-Override", "X-HTTP-Method", "x-method-override"}) {
    const std::string field = std::string(name) + ": PATCH\r\n";
    EXPECT_EQ(application_of("GET /redfish/v1/Systems/1", field), "redfish");
    EXPECT_EQ(application_of("GET /redfish/v1/AccountService/Accounts/1", field), "redfish_account");
    EXPECT_EQ(application_of("GET /redfish/v1/SessionService", field), "redfish_session");
    EXPECT_EQ(application_of("GET /redfish/v1/UpdateService", field), "redfish_firmware");
    EXPECT_EQ(application_of("GET /redfish/v1/EventService/Subscriptions", field), "redfish_event");
    EXPECT_EQ(application_of("GET /redfish/v1/Managers/1/HTTPS/Certificates", field), "redfish_certificate");
    EXPECT_EQ(application_of("HEAD /redfish/v1/Systems/1/Actions/ComputerSystem.Reset", field),
              "redfish_power");
  }
}

TEST(HttpCatalogue, KnowsWebSocketsOfBmcsFromOthers) {
  const std::string upgrade = "Connection: Upgrade\r\nUpgrade: WebSocket\r\n";
  EXPECT_EQ(application_of("GET /kvm/0", upgrade), "bmc_kvm");
  EXPECT_EQ(application_of("GET /wss/ircport", upgrade), "bmc_kvm");
  EXPECT_EQ(application_of("GET /console0", upgrade), "bmc_serial");
  EXPECT_EQ(application_of("GET /console/default", upgrade), "bmc_serial");
  EXPECT_EQ(application_of("GET /vm/0/0", upgrade), "bmc_virtual_media_ws");
  EXPECT_EQ(application_of("GET /nbd/usb0", upgrade), "bmc_virtual_media_ws");
  for (const char* target : {"/", "/chat", "/r", "/red", "/reddit", "/kvmx"})
    EXPECT_EQ(application_of(std::string("GET ") + target, upgrade), "websocket") << target;
  EXPECT_EQ(application_of("GET /redfish/v1", upgrade), "redfish_read");
}

TEST(HttpCatalogue, KnowsApplicationsByTheirFields) {
  EXPECT_EQ(application_of("POST /cimom", "CIMOperation: MethodCall\r\n"), "cim_xml");
  EXPECT_EQ(application_of("POST /any", "X-HTTP-Method-Override: x\r\nCIMExport: MethodRequest\r\n"),
            "cim_xml");
  EXPECT_EQ(application_of("M-POST /cimom",
                           "Man: http://www.dmtf.org/cim/mapping/http/v1.0 ; ns=73\r\n"
                           "73-CIMOperation: MethodCall\r\n"),
            "cim_xml");
  EXPECT_EQ(application_of("POST /printers/a", "Content-Type: application/ipp\r\n"), "ipp");
  EXPECT_EQ(application_of("POST /dns-query", "Content-Type: application/dns-message\r\n"), "dns_over_https");
  EXPECT_EQ(application_of("GET /dns-query?dns=AAAB", "Accept: application/dns-message\r\n"),
            "dns_over_https");
  EXPECT_EQ(application_of("GET /x", "Accept: text/html, application/dns-json\r\n"), "dns_over_https");
  EXPECT_EQ(application_of("POST /soap", "Content-Type: application/soap+xml\r\nSOAPAction: \"x\"\r\n"),
            "http");
  EXPECT_EQ(application_of("POST /x", "Content-Type: text/html; a=application/ipp\r\n"), "http");
}

TEST(HttpCatalogue, HasARequestInThisTestForEveryApplication) {
  std::set<std::string> tested = {"bmc_kvm",   "bmc_serial", "bmc_virtual_media_ws",
                                  "websocket", "ipp",        "dns_over_https"};
  for (const Request& request : kRedfish) tested.insert(request.application);
  for (const Request& request : kOthers) tested.insert(request.application);
  for (const HttpSignature& signature : shipped().all())
    EXPECT_TRUE(tested.count(signature.app_id)) << signature.app_id;
}

}  // namespace
}  // namespace postern::profiles
