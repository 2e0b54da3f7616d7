// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "dns_messages.h"
#include "perf/traffic/dns_measure.h"
#include "profiles/dns/name_shape.h"

namespace postern::profiles::dns {
namespace {

using perf::DnsMeasured;
using perf::DnsShape;

constexpr Timestamp kNow = 1000 * kSecond;

const Settings& shipped() {
  static const Settings settings = perf::detector_settings();
  return settings;
}

NameShape shape(std::string_view text) {
  const std::string wire = wire_name(text);
  return shape_of(as_bytes(std::string_view(wire).substr(0, wire.size() - 1)));
}

TEST(NameShape, MeasuresLengthAndEntropy) {
  EXPECT_EQ(shape("aaaa.aaaa").length, 8);
  EXPECT_FLOAT_EQ(shape("aaaa.aaaa").entropy, 0);
  EXPECT_FLOAT_EQ(shape("abcd.abcd").entropy, 2);
  EXPECT_FLOAT_EQ(shape("abcd.abcd").information(), 2);
  EXPECT_EQ(shape(".").length, 0);
}

TEST(NameShape, EncodingsSurpriseMoreThanNames) {
  for (const char* text : {"windowsupdate", "stackoverflow", "update-center", "managers", "northbank"})
    EXPECT_LT(shape(text).surprise, 4.7f) << text;
  for (const char* text : {"q7xk2vj9d4zw", "5f4dcc3b5aa765d61d8327deb882cf99", "xqzjvkwpfghb"})
    EXPECT_GT(shape(text).surprise, 5.5f) << text;
}

TEST(NameShape, BytesThatNoHostNameHasSurprise) { EXPECT_GT(shape("\xfe\xc1\xe0\xbd").surprise, 9.0f); }

// What it takes to be found, in seconds; nothing for what stays below the thresholds.
std::optional<double> seconds_to_find(const DnsShape& shape) {
  const DnsMeasured measured = perf::measure_shape(shape, shipped());
  if (!measured.after) return std::nullopt;
  EXPECT_GE(measured.stopped_after_first * 100, measured.names_after_first * 95) << shape.name;
  return static_cast<double>(*measured.after) / 1e9;
}

TEST(TunnelDetector, TunnelsWithDataAreCutWithinTenSeconds) {
  size_t found = 0;
  for (const DnsShape& shape : perf::tunnel_shapes(7)) {
    const bool data =
        shape.name.find("idle") == std::string::npos && shape.name.starts_with("names") == false;
    if (!data) continue;
    const std::optional<double> seconds = seconds_to_find(shape);
    ASSERT_TRUE(seconds) << shape.name;
    EXPECT_LT(*seconds, 10) << shape.name;
    ++found;
  }
  EXPECT_EQ(found, 11u);
}

TEST(TunnelDetector, AnIdleTunnelIsFoundByItsTypes) {
  for (const DnsShape& shape : perf::tunnel_shapes(8)) {
    if (shape.name == "dnscat2, idle") {
      EXPECT_LT(seconds_to_find(shape).value_or(1e9), 15);
    }
    if (shape.name == "iodine NULL, idle") {
      EXPECT_LT(seconds_to_find(shape).value_or(1e9), 60);
    }
  }
}

TEST(TunnelDetector, NamesFullOfDataAreFoundWhateverTheirType) {
  for (const DnsShape& shape : perf::tunnel_shapes(9))
    if (shape.name.starts_with("names of ") && !shape.name.ends_with("6/min")) {
      EXPECT_LT(seconds_to_find(shape).value_or(1e9), 30) << shape.name;
    }
}

TEST(Detectors, NoNameOfOthersIsStopped) {
  for (const DnsShape& shape : perf::benign_shapes(100, 2)) {
    const DnsMeasured measured = perf::measure_shape(shape, shipped());
    EXPECT_EQ(measured.stopped, 0u) << shape.name << ": " << measured.first_stopped;
  }
}

TEST(GeneratedNames, GeneratorsAreFoundAndWordsAreNot) {
  for (const DnsShape& shape : perf::generated_shapes(11)) {
    if (shape.name == "words") {
      EXPECT_FALSE(seconds_to_find(shape));
    } else {
      EXPECT_LT(seconds_to_find(shape).value_or(1e9), 20) << shape.name;
    }
  }
}

const IpAddress kClient = *IpAddress::parse("10.4.0.7"), kOther = *IpAddress::parse("10.4.0.8");

TEST(GeneratedNames, OthersOfAFoundClientPass) {
  const GeneratedThresholds limits;
  GeneratedNames generated(64, 1);
  const auto label = [](int i) { return "qxzvk" + std::string(1, static_cast<char>('a' + i)) + "wjpfgh"; };
  for (int i = 0; i < 12; ++i) generated.answer(kClient, as_bytes(label(i)), 3, limits, kNow + i);
  EXPECT_TRUE(generated.query(kClient, as_bytes("zqxjkvbnwp"), limits, kNow + 20));
  EXPECT_FALSE(generated.query(kClient, as_bytes("stackoverflow"), limits, kNow + 20));
  EXPECT_FALSE(generated.query(kClient, as_bytes("xn--80ak6aa92e"), limits, kNow + 20));
  EXPECT_FALSE(generated.query(kOther, as_bytes("zqxjkvbnwp"), limits, kNow + 20));
  EXPECT_FALSE(generated.query(kClient, as_bytes("zqxjkvbnwp"), limits, kNow + 20 + limits.hold));
}

TEST(GeneratedNames, OneDomainCountsOnce) {
  const GeneratedThresholds limits;
  GeneratedNames generated(64, 1);
  for (int i = 0; i < 100; ++i) generated.answer(kClient, as_bytes("qxzvkwjpfgh"), 3, limits, kNow + i);
  EXPECT_FALSE(generated.query(kClient, as_bytes("zqxjkvbnwp"), limits, kNow + 200));
}

TEST(TunnelDetector, WhatManyClientsAskIsBounded) {
  const TunnelThresholds limits;
  TunnelDetector detector(64, 1);
  const size_t memory = detector.memory();
  const std::string bytes = query("a.example.com");
  for (uint32_t i = 0; i < 10000; ++i) {
    IpAddress client = kClient;
    store_be32(&client.bytes[12], i);
    detector.query(client, read_query(bytes), 1, limits, kNow + i);
  }
  EXPECT_EQ(detector.memory(), memory);
  EXPECT_GT(detector.given_way(), 9000u);
}

TEST(TunnelDetector, AFoundTunnelOutlastsAFlood) {
  const TunnelThresholds limits;
  TunnelDetector detector(64, 1);
  bool found = false;
  for (int i = 0; i < 20; ++i) {
    const std::string bytes = query("a" + std::to_string(i) + ".t.example.com", kTypeNull);
    found = detector.query(kClient, read_query(bytes), 2, limits, kNow + static_cast<Timestamp>(i));
  }
  ASSERT_TRUE(found);
  for (uint32_t i = 0; i < 10000; ++i) {
    const std::string bytes = query("a.d" + std::to_string(i) + ".com");
    detector.query(kOther, read_query(bytes), 1, limits, kNow + kSecond + i);
  }
  const std::string again = query("x.t.example.com");
  EXPECT_TRUE(detector.query(kClient, read_query(again), 2, limits, kNow + 2 * kSecond));
  EXPECT_FALSE(detector.query(kClient, read_query(again), 2, limits, kNow + 3 * kSecond + limits.hold));
}

}  // namespace
}  // namespace postern::profiles::dns
