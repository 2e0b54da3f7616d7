// SPDX-License-Identifier: Apache-2.0
#include "profiles/http_fields.h"

#include <gtest/gtest.h>

#include <string>

namespace postern::profiles {
namespace {

TEST(HttpField, IsFoundByEveryNameOfIt) {
  for (size_t i = 0; i < kKeptFields; ++i)
    EXPECT_EQ(http_field(kFieldPlaces[i].name), static_cast<HttpField>(i));
  for (const char* name : {"x-http-method", "x-method-override"})
    EXPECT_EQ(http_field(name), HttpField::MethodOverride);
  EXPECT_EQ(http_field("73-cimoperation"), HttpField::CimOperation);
  EXPECT_EQ(http_field("00-cimexport"), HttpField::CimExport);
}

TEST(HttpField, IsOtherForEverythingElse) {
  for (const char* name :
       {"", "authorization", "cookie", "7-cimoperation", "73-host", "73-73-cimoperation", "hosts"})
    EXPECT_EQ(http_field(name), HttpField::Other) << name;
}

TEST(HttpFields, JoinsRepeatedValuesAndTrimsThem) {
  HttpFields fields;
  for (const char* value : {"text/html \t", "*/*"}) {
    fields.begin(HttpField::Accept);
    fields.append(value);
    fields.end();
  }
  EXPECT_EQ(fields.value(HttpField::Accept), "text/html, */*");
  EXPECT_FALSE(fields.cut());
}

TEST(HttpFields, CutsAtTheRoomOfAFieldAndLeavesTheOthersAlone) {
  HttpFields fields;
  for (size_t i = kKeptFields; i-- > 0;) {
    fields.begin(static_cast<HttpField>(i));
    for (int n = 0; n < 3; ++n) fields.append(std::string(200, static_cast<char>('a' + i)));
    fields.end();
  }
  EXPECT_TRUE(fields.cut());
  for (size_t i = 0; i < kKeptFields; ++i)
    EXPECT_EQ(fields.value(static_cast<HttpField>(i)),
              std::string(kFieldPlaces[i].room, static_cast<char>('a' + i)));
}

TEST(HttpFields, AreEmptyAfterClear) {
  HttpFields fields;
  fields.begin(HttpField::Host);
  fields.append("bmc");
  fields.end();
  fields.clear();
  EXPECT_FALSE(fields.has(HttpField::Host));
  EXPECT_EQ(fields.value(HttpField::Host), "");
}

}  // namespace
}  // namespace postern::profiles
