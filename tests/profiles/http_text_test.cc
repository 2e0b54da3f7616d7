// SPDX-License-Identifier: Apache-2.0
#include "profiles/http_text.h"

#include <gtest/gtest.h>

#include "http_talk.h"

namespace postern::profiles {
namespace {

std::string text_of(const std::string& head) {
  const std::string first = events_of(head + "\r\n").at(0);
  return first.starts_with("head ") ? first.substr(5) : first;
}

std::string target_of(const std::string& target) {
  const std::string text = text_of("GET " + target + " HTTP/1.1\r\n");
  if (!text.starts_with("GET ") || !text.ends_with(" HTTP/1.1\n")) return text;
  return text.substr(4, text.size() - 14);
}

TEST(HttpText, HasOneTargetForAllSpellingsOfIt) {
  for (const char* spelling :
       {"/redfish/v1/Systems", "/redfish//v1/./Systems", "//redfish/v1/Systems", "/%72edfish/v1/Systems",
        "/%72%65%64%66%69%73%68/v1/Systems", "/redfish%2Fv1%2fSystems", "/a/../redfish/v1/Systems",
        "/../../redfish/v1/Systems", "/%2e%2E/redfish/%2e/v1/Systems", "/redfish/v1/a/b/../../Systems",
        "/redfish/v1/a%2f..%2fSystems", "/redfish/x/..//v1/Systems", "/redfish/v1/%53ystems"})
    EXPECT_EQ(target_of(spelling), "/redfish/v1/Systems") << spelling;
}

TEST(HttpText, DecodesOnceAndOnlyWhatIsUnreserved) {
  EXPECT_EQ(target_of("/%2572edfish"), "/%2572edfish");
  EXPECT_EQ(target_of("/a%3fb%20c%00%c3%a4"), "/a%3Fb%20c%00%C3%A4");
  EXPECT_EQ(target_of("/a%zz%4"), "/a%zz%4");
  EXPECT_EQ(target_of("/%7e%2d%5F%2E%41"), "/~-_.A");
}

TEST(HttpText, KeepsTheTrailingSlashOfAPath) {
  EXPECT_EQ(target_of("/a/"), "/a/");
  EXPECT_EQ(target_of("/a/."), "/a/");
  EXPECT_EQ(target_of("/a/b/.."), "/a/");
  EXPECT_EQ(target_of("/.."), "/");
  EXPECT_EQ(target_of("//"), "/");
  EXPECT_EQ(target_of("/..."), "/...");
}

TEST(HttpText, LeavesSegmentsOfAQueryAlone) { EXPECT_EQ(target_of("/a?b=/../%2F%41//"), "/a?b=/../%2FA//"); }

TEST(HttpText, ReducesAbsoluteFormToPathAndHost) {
  for (const char* target :
       {"http://bmc:8080/a/./b", "HTTPS://bmc:8080//a/b", "http://user:secret@bmc:8080/a/b"})
    EXPECT_EQ(text_of(std::string("GET ") + target + " HTTP/1.1\r\nHost: other\r\n"),
              "GET /a/b HTTP/1.1\nhost: bmc:8080\n");
  EXPECT_EQ(text_of("GET http://bmc HTTP/1.0\r\n"), "GET / HTTP/1.0\nhost: bmc\n");
  EXPECT_EQ(text_of("GET http://bmc?q HTTP/1.0\r\n"), "GET /?q HTTP/1.0\nhost: bmc\n");
}

TEST(HttpText, KeepsOtherFormsOfTargets) {
  EXPECT_EQ(target_of("*"), "*");
  EXPECT_EQ(text_of("CONNECT a.example:443 HTTP/1.1\r\n"), "CONNECT a.example:443 HTTP/1.1\n");
}

TEST(HttpText, HasFieldsInItsOwnOrderWithLowerCaseNames) {
  EXPECT_EQ(text_of("M-POST /cimom HTTP/1.1\r\nUser-Agent: pywbem\r\nHOST: a\r\n"
                    "Man: http://www.dmtf.org/cim/mapping/http/v1.0 ; ns=73\r\n73-CIMMethod: GetInstance\r\n"
                    "73-CIMOperation:MethodCall\r\nContent-type: application/xml\r\n"),
            "M-POST /cimom HTTP/1.1\ncimoperation: MethodCall\ncimmethod: GetInstance\n"
            "content-type: application/xml\nman: http://www.dmtf.org/cim/mapping/http/v1.0 ; ns=73\n"
            "host: a\nuser-agent: pywbem\n");
}

TEST(HttpText, PutsAMethodOverrideRightAfterTheRequestLine) {
  EXPECT_EQ(text_of("GET / HTTP/1.1\r\nHost: a\r\nUpgrade: x\r\nX-HTTP-Method-Override: PATCH\r\n"),
            "GET / HTTP/1.1\nx-http-method-override: PATCH\nupgrade: x\nhost: a\n");
}

TEST(HttpText, FitsWhateverTheRequestHas) {
  std::string head = "M-POST-WITH-24-LETTERS-X http://" + std::string(700, 'h') + "/%ff" +
                     std::string(1300, 'p') + " HTTP/1.1\r\n";
  for (const HttpFieldPlace& place : kFieldPlaces)
    head += std::string(place.name) + ": " + std::string(place.room + 9u, 'v') + "\r\n";
  const std::string text = text_of(head);
  EXPECT_LE(text.find("\nodata-version: "), 2048u) << "what decides must be in reach of patterns";
  EXPECT_TRUE(text.ends_with("\nuser-agent: " + std::string(128, 'v') + "\n"));
}

TEST(HttpText, SaysWhenItIsNotTheWholeRequest) {
  for (const auto& [size, cut] : {std::pair{895, false}, {896, true}}) {
    HttpRequests requests;
    const std::string head = "GET /" + std::string(static_cast<size_t>(size), 'a') + " HTTP/1.1\r\n\r\n";
    ASSERT_EQ(requests.feed(Direction::ToServer, as_bytes(head)).event, HttpEvent::RequestHead);
    EXPECT_EQ(HttpText(requests.head()).cut(), cut) << size;
  }
}

}  // namespace
}  // namespace postern::profiles
