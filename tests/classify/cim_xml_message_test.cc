// SPDX-License-Identifier: Apache-2.0
#include "classify/cim_xml_message.h"

#include <gtest/gtest.h>

#include "wire_bytes.h"

namespace postern::classify {
namespace {

Fit request(const std::string& stream) { return is_cim_xml_request(ExactBytes(stream)); }
Fit response(const std::string& stream) { return is_cim_xml_response(ExactBytes(stream)); }

const std::string kGet = "GET /redfish/v1/Systems HTTP/1.1\r\nHost: bmc\r\nAccept: */*\r\n\r\n";
const std::string kCimPost =
    "POST /cimom HTTP/1.1\r\nHost: 10.4.0.7:5988\r\nContent-type: application/xml; charset=\"utf-8\"\r\n"
    "CIMOperation: MethodCall\r\nCIMMethod: EnumerateInstances\r\n\r\n<?xml version=\"1.0\"?>";

TEST(CimXml, IsKnownAsSoonAsItsHeaderIsThere) {
  const size_t known = kCimPost.find("MethodCall\r\n") + std::string("MethodCall\r\n").size();
  for (size_t n = 0; n < known; ++n) EXPECT_EQ(request(kCimPost.substr(0, n)), Fit::More) << n;
  for (size_t n = known; n <= kCimPost.size(); ++n) EXPECT_EQ(request(kCimPost.substr(0, n)), Fit::Yes) << n;
}

TEST(CimXml, IsExcludedOnceTheHeadersEnd) {
  for (size_t n = 0; n < kGet.size(); ++n) EXPECT_EQ(request(kGet.substr(0, n)), Fit::More) << n;
  EXPECT_EQ(request(kGet), Fit::No);
}

TEST(CimXml, HeadersAreFoundHoweverTheyAreWritten) {
  for (const char* header :
       {"CIMOperation: MethodCall", "cimoperation:MethodCall", "73-CIMOPERATION: MethodCall",
        "CIMExport: MethodRequest", "40-CIMExport: MethodRequest", "CIMOperation : MethodCall"})
    EXPECT_EQ(request(std::string("POST /cimom HTTP/1.1\r\nA: b\r\n") + header + "\r\n\r\n"), Fit::Yes)
        << header;
}

TEST(CimXml, OtherHeadersThatMentionCimAreNot) {
  for (const char* header :
       {"X-CIMOperation: a", "7-CIMOperation: a", "A: CIMOperation: b", "CIMOperations: a"})
    EXPECT_EQ(request(std::string("POST /cimom HTTP/1.1\r\n") + header + "\r\n\r\n"), Fit::No) << header;
}

TEST(CimXml, IsTheMethodMPost) { EXPECT_EQ(request("M-POST /cimom HTTP/1.1\r\n"), Fit::Yes); }

TEST(CimXml, MayUseBareLineFeeds) {
  EXPECT_EQ(request("POST /cimom HTTP/1.0\nCIMOperation: MethodCall\n\n"), Fit::Yes);
  EXPECT_EQ(request("GET / HTTP/1.0\n\n"), Fit::No);
}

TEST(CimXml, TheSearchForItsHeaderEnds) {
  std::string stream = "GET / HTTP/1.1\r\n";
  while (stream.size() < kCimHeaderSearch - 10) stream += "A: b\r\n";
  EXPECT_EQ(request(stream), Fit::More);
  while (stream.size() < kCimHeaderSearch) stream += "A: b\r\n";
  EXPECT_EQ(request(stream), Fit::No);
}

TEST(CimXml, AnswersAreKnownToo) {
  EXPECT_EQ(response("HTTP/1.1 200 OK\r\nCIMOperation: MethodResponse\r\n"), Fit::Yes);
  EXPECT_EQ(response("HTTP/1.1 200 OK\r\nServer: a\r\n\r\n"), Fit::No);
  EXPECT_EQ(response("220 mail.example ESMTP\r\n"), Fit::No);
}

}  // namespace
}  // namespace postern::classify
