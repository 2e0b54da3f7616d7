// SPDX-License-Identifier: Apache-2.0
#include "classify/http_request.h"

#include <gtest/gtest.h>

#include "wire_bytes.h"

namespace postern::classify {
namespace {

HttpKind request(const std::string& stream) { return classify_http_request(ExactBytes(stream)); }
HttpKind response(const std::string& stream) { return classify_http_response(ExactBytes(stream)); }

const std::string kGet = "GET /redfish/v1/Systems HTTP/1.1\r\nHost: bmc\r\nAccept: */*\r\n\r\n";
const std::string kCimPost =
    "POST /cimom HTTP/1.1\r\nHost: 10.4.0.7:5988\r\nContent-type: application/xml; charset=\"utf-8\"\r\n"
    "CIMOperation: MethodCall\r\nCIMMethod: EnumerateInstances\r\n\r\n<?xml version=\"1.0\"?>";

TEST(HttpRequest, IsHttpOnceTheHeadersEnd) {
  for (const char* line : {"GET / HTTP/1.1", "OPTIONS * HTTP/1.0", "CONNECT a.example:443 HTTP/1.1",
                           "PROPFIND http://a/ HTTP/1.1", "M-SEARCH * HTTP/1.1"})
    EXPECT_EQ(request(std::string(line) + "\r\nHost: a\r\n\r\n"), HttpKind::Http) << line;
}

TEST(HttpRequest, NeedsMoreUntilTheHeadersEnd) {
  for (size_t n = 0; n < kGet.size(); ++n) EXPECT_EQ(request(kGet.substr(0, n)), HttpKind::More) << n;
}

TEST(HttpRequest, WithACimHeaderIsCimXmlAsSoonAsTheHeaderIsThere) {
  const size_t known = kCimPost.find("MethodCall\r\n") + std::string("MethodCall\r\n").size();
  for (size_t n = 0; n < known; ++n) EXPECT_EQ(request(kCimPost.substr(0, n)), HttpKind::More) << n;
  for (size_t n = known; n <= kCimPost.size(); ++n)
    EXPECT_EQ(request(kCimPost.substr(0, n)), HttpKind::CimXml) << n;
}

TEST(HttpRequest, FindsCimHeadersHoweverTheyAreWritten) {
  for (const char* header :
       {"CIMOperation: MethodCall", "cimoperation:MethodCall", "73-CIMOPERATION: MethodCall",
        "CIMExport: MethodRequest", "40-CIMExport: MethodRequest", "CIMOperation : MethodCall"})
    EXPECT_EQ(request(std::string("POST /cimom HTTP/1.1\r\nA: b\r\n") + header + "\r\n\r\n"),
              HttpKind::CimXml)
        << header;
}

TEST(HttpRequest, OtherHeadersThatMentionCimAreHttp) {
  for (const char* header :
       {"X-CIMOperation: a", "7-CIMOperation: a", "A: CIMOperation: b", "CIMOperations: a"})
    EXPECT_EQ(request(std::string("POST /cimom HTTP/1.1\r\n") + header + "\r\n\r\n"), HttpKind::Http)
        << header;
}

TEST(HttpRequest, WithTheMethodMPostIsCimXml) {
  EXPECT_EQ(request("M-POST /cimom HTTP/1.1\r\n"), HttpKind::CimXml);
}

TEST(HttpRequest, TakesBareLineFeedsAsServersDo) {
  EXPECT_EQ(request("POST /cimom HTTP/1.0\nCIMOperation: MethodCall\n\n"), HttpKind::CimXml);
  EXPECT_EQ(request("GET / HTTP/1.0\n\n"), HttpKind::Http);
}

TEST(HttpRequest, MayFollowAnEmptyLine) {
  EXPECT_EQ(request("\r"), HttpKind::More);
  EXPECT_EQ(request("\r\n" + kGet), HttpKind::Http);
}

TEST(HttpRequest, WithHeadersWithoutEndIsHttpWhenTheSearchEnds) {
  std::string stream = "GET / HTTP/1.1\r\n";
  while (stream.size() < kHttpHeaderSearch - 10) stream += "A: b\r\n";
  EXPECT_EQ(request(stream), HttpKind::More);
  while (stream.size() < kHttpHeaderSearch) stream += "A: b\r\n";
  EXPECT_EQ(request(stream), HttpKind::Http);
}

TEST(HttpRequest, WithATargetWithoutEndIsHttpWhenTheSearchEnds) {
  EXPECT_EQ(request("GET /" + std::string(kHttpHeaderSearch - 100, 'a')), HttpKind::More);
  EXPECT_EQ(request("GET /" + std::string(kHttpHeaderSearch, 'a')), HttpKind::Http);
}

TEST(HttpRequest, OtherLinesAreNotHttp) {
  for (const std::string& stream :
       {std::string("get / HTTP/1.1\r\n\r\n"), std::string("GET / HTTP/2.0\r\n\r\n"),
        std::string("GET /\r\n"), std::string("GET  / HTTP/1.1\r\n\r\n"),
        std::string("EHLO mail.example\r\n"), std::string("USER bob\r\n"), bytes_of("USER bob\0"),
        std::string("GET /a b HTTP/1.1\r\n\r\n"), std::string("GET / HTTP/1.1 \r\n\r\n"),
        std::string("SSH-2.0-x"), std::string(" GET / HTTP/1.1\r\n"), bytes_of("GET /\0 HTTP/1.1\r\n\r\n"),
        std::string("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), std::string(30, 'A')})
    EXPECT_EQ(request(stream), HttpKind::None) << stream;
}

TEST(HttpResponse, IsJudgedLikeARequest) {
  EXPECT_EQ(response("HTTP/1.1 200 OK\r\nServer: a\r\n\r\n"), HttpKind::Http);
  EXPECT_EQ(response("HTTP/1.1 200\r\n\r\n"), HttpKind::Http);
  EXPECT_EQ(response("HTTP/1.1 200 OK\r\nCIMOperation: MethodResponse\r\n"), HttpKind::CimXml);
  EXPECT_EQ(response("HTTP/1."), HttpKind::More);
  EXPECT_EQ(response("HTTP/1.1 2xx\r\n"), HttpKind::None);
  EXPECT_EQ(response("HTTP/1.1\r\n"), HttpKind::None);
  EXPECT_EQ(response("220 mail.example ESMTP\r\n"), HttpKind::None);
}

}  // namespace
}  // namespace postern::classify
