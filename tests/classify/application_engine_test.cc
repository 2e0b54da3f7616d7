// SPDX-License-Identifier: Apache-2.0
#include "classify/application_engine.h"

#include <gtest/gtest.h>

#include <random>

#include "allocation_count.h"
#include "naive_engine.h"
#include "policy_builder.h"
#include "wire_bytes.h"

namespace postern::classify {
namespace {

constexpr AppId kA{70}, kB{71}, kC{72};

Signature sign(AppId id, std::string pattern, Confidence confidence = Confidence::High) {
  Signature s;
  s.application = id;
  s.pattern = std::move(pattern);
  s.confidence = confidence;
  s.file = "apps.yaml";
  s.line = 9;
  return s;
}
Signature with_ports(Signature s, std::vector<PortRange> ports) {
  s.ports = std::move(ports);
  return s;
}
Signature with_min_bytes(Signature s, uint16_t bytes) {
  s.min_bytes = bytes;
  return s;
}
Signature with_decoder(Signature s, std::string decoder) {
  s.decoder = std::move(decoder);
  return s;
}
Signature on_layer(Signature s, Layer layer) {
  s.layer = layer;
  return s;
}

// kB is below kA, kC below kB when `parents` says so.
std::vector<Application> catalogue() {
  std::vector<Application> all = {named(app::kTls, "tls"), named(app::kHttp, "http"), named(kA, "a"),
                                  named(kB, "b"), named(kC, "c")};
  all[2].servers = {prefix("10.4.0.0/24")};
  return all;
}
std::vector<Application> family() {
  std::vector<Application> all = catalogue();
  all[3].parent = kA;
  all[4].parent = kB;
  return all;
}

struct Built {
  explicit Built(std::vector<Signature> signatures, std::vector<Application> applications = catalogue()) {
    PatternCache cache;
    auto result = ApplicationEngine::compile(signatures, applications, cache);
    if (!result) std::abort();
    engine = std::make_unique<ApplicationEngine>(std::move(*result));
    scratch = std::move(*engine->make_scratch());
  }

  Identification tcp(std::string_view payload, uint16_t port = 9999,
                     Direction direction = Direction::ToServer) {
    return ask(kTcp, payload, port, direction);
  }
  Identification ask(uint8_t protocol, std::string_view payload, uint16_t port = 9999,
                     Direction direction = Direction::ToServer) {
    return engine->identify(evidence(protocol, payload, port, direction), scratch);
  }
  static Evidence evidence(uint8_t protocol, std::string_view payload, uint16_t port = 9999,
                           Direction direction = Direction::ToServer) {
    return {.protocol = protocol,
            .server_port = port,
            .server = address("10.4.0.7"),
            .direction = direction,
            .payload = as_bytes(payload)};
  }
  AppId http(AppId base, std::string_view text) {
    return engine->refine(Layer::Http, base, text, evidence(kTcp, ""), scratch);
  }

  std::unique_ptr<ApplicationEngine> engine;
  ScanScratch scratch;
};

constexpr bool operator==(const Identification& a, const Identification& b) {
  return a.application == b.application && a.more == b.more;
}
constexpr Identification kMore{kApplicationPending, true}, kNothing{kApplicationUnidentified, false};
constexpr Identification is(AppId id) { return {id, false}; }

std::string error_of(Signature signature) {
  PatternCache cache;
  const auto result = ApplicationEngine::compile({signature}, catalogue(), cache);
  return result ? "" : result.error().text();
}

TEST(Engine, WithoutSignaturesKnowsNothing) {
  Built engine({});
  EXPECT_TRUE(engine.tcp("") == kMore);
  EXPECT_TRUE(engine.tcp("abc") == kNothing);
  EXPECT_TRUE(engine.ask(kUdp, "") == kNothing);
  EXPECT_TRUE(engine.ask(50, "abc") == kNothing);
}

TEST(Engine, AShortStreamMayStillFitAPattern) {
  Built engine({with_min_bytes(sign(kA, "^abcdef"), 6)});
  EXPECT_TRUE(engine.tcp("abc") == kMore);
  EXPECT_TRUE(engine.tcp("abcdef") == is(kA));
  EXPECT_TRUE(engine.tcp("abcxyz") == kNothing);
}

TEST(Engine, AShortDatagramNeverWillFitAPattern) {
  Built engine({on_layer(with_min_bytes(sign(kA, "^abcdef"), 6), Layer::Udp)});
  EXPECT_TRUE(engine.ask(kUdp, "abc") == kNothing);
  EXPECT_TRUE(engine.ask(kUdp, "abcdef") == is(kA));
}

TEST(Engine, APatternNeedsItsDecoderToAgree) {
  Built engine({with_decoder(sign(kA, "S"), "ssh")});
  EXPECT_TRUE(engine.tcp("SSH-2.0-x") == is(kA));
  EXPECT_TRUE(engine.tcp("SSH-") == kMore);
  EXPECT_TRUE(engine.tcp("MISS") == kNothing);
}

TEST(Engine, SendersAreToldApart) {
  Signature server = sign(kB, "^x");
  server.sender = Sender::Server;
  Signature either = sign(kC, "^y");
  either.sender = Sender::Either;
  Built engine({sign(kA, "^x"), server, either});
  EXPECT_TRUE(engine.tcp("x") == is(kA));
  EXPECT_TRUE(engine.tcp("x", 1, Direction::ToClient) == is(kB));
  EXPECT_TRUE(engine.tcp("y") == is(kC));
  EXPECT_TRUE(engine.tcp("y", 1, Direction::ToClient) == is(kC));
}

TEST(Engine, HighBeatsMediumBeatsLow) {
  Built engine({with_ports(sign(kC, "^x", Confidence::Low), {{80, 80}}), sign(kB, "^xy", Confidence::Medium),
                sign(kA, "^xyz")});
  EXPECT_TRUE(engine.tcp("x", 80) == is(kC));
  EXPECT_TRUE(engine.tcp("xy", 80) == is(kB));
  EXPECT_TRUE(engine.tcp("xyz", 80) == is(kA));
}

TEST(Engine, LowIsBelievedOnItsPortsOnly) {
  Built engine({with_ports(sign(kA, "^x", Confidence::Low), {{80, 80}, {8000, 8010}})});
  EXPECT_TRUE(engine.tcp("x", 80) == is(kA));
  EXPECT_TRUE(engine.tcp("x", 8010) == is(kA));
  EXPECT_TRUE(engine.tcp("x", 81) == kNothing);
}

TEST(Engine, AYesWaitsForAStrongerMore) {
  Built engine({sign(kB, "^x", Confidence::Medium), with_min_bytes(sign(kA, "^xyz"), 3)});
  EXPECT_TRUE(engine.tcp("xy") == kMore);
  EXPECT_TRUE(engine.tcp("xyz") == is(kA));
  EXPECT_TRUE(engine.tcp("xxx") == is(kB));
}

TEST(Engine, AYesDoesNotWaitForAnEqualOrWeakerMore) {
  for (const Confidence weaker : {Confidence::High, Confidence::Medium}) {
    Built engine({sign(kA, "^x"), with_min_bytes(sign(kB, "^xyz", weaker), 3)});
    EXPECT_TRUE(engine.tcp("xy") == is(kA));
  }
}

TEST(Engine, AmongEqualsAPortHintGoesFirstThenTheCatalogue) {
  Built engine(
      {sign(kA, "^x"), with_ports(sign(kB, "^x"), {{80, 80}}), with_ports(sign(kC, "^x"), {{80, 81}})});
  EXPECT_TRUE(engine.tcp("x", 22) == is(kA));
  EXPECT_TRUE(engine.tcp("x", 80) == is(kB));
  EXPECT_TRUE(engine.tcp("x", 81) == is(kC));
}

TEST(Engine, DecodersAndPatternsAreEqualInTheCatalogue) {
  const Signature decoder = with_decoder(sign(kB, ""), "ssh");
  EXPECT_TRUE(Built({decoder, sign(kA, "^SSH")}).tcp("SSH-2.0-x") == is(kB));
  EXPECT_TRUE(Built({sign(kA, "^SSH"), decoder}).tcp("SSH-2.0-x") == is(kA));
}

TEST(Engine, AChildIsAMoreExactNameForItsParent) {
  Built engine({with_ports(sign(kA, "^x"), {{80, 80}}), sign(kC, "^xyz"), sign(kB, "^xy")}, family());
  EXPECT_TRUE(engine.tcp("x", 80) == is(kA));
  EXPECT_TRUE(engine.tcp("xy", 80) == is(kB));
  EXPECT_TRUE(engine.tcp("xyz", 80) == is(kC));
}

TEST(Engine, BoundHostsMustBeServersOfTheApplication) {
  Signature bound = sign(kA, "^x");
  bound.bound_hosts = true;
  Built engine({bound});
  EXPECT_TRUE(engine.tcp("x") == is(kA));
  Evidence elsewhere = Built::evidence(kTcp, "x");
  elsewhere.server = address("10.5.0.7");
  EXPECT_TRUE(engine.engine->identify(elsewhere, engine.scratch) == kNothing);
  bound.application = kB;  // the site names no servers for it
  EXPECT_TRUE(Built({bound}).tcp("x") == kNothing);
}

TEST(Engine, PatternsLookAtTheFirstBytesOnly) {
  Built engine({sign(kA, "needle")});
  const std::string hay(ApplicationEngine::kLongestPattern - 6, 'x');
  EXPECT_TRUE(engine.tcp(hay + "needle") == is(kA));
  EXPECT_TRUE(engine.tcp(hay + "xneedle") == kNothing);
}

TEST(Engine, ADecoderThatWantsMoreThanIsEverLookedAtSaysNo) {
  Built engine({with_decoder(sign(kA, ""), "rfc913_greeting"), with_decoder(sign(kB, ""), "cim_xml")});
  const std::string head = "GET / HTTP/1.1\r\n";
  EXPECT_TRUE(engine.tcp(head) == kMore);
  EXPECT_TRUE(engine.tcp(head + std::string(ApplicationEngine::kLongestPrefix, 'x')) == kNothing);
}

TEST(Engine, RefinesHttpByAnyEntryAndOthersByTheirChildren) {
  const auto http = [](Signature s) { return on_layer(std::move(s), Layer::Http); };
  Built engine({http(sign(kA, "^GET /a")), http(sign(kB, "^GET /a/b")), http(sign(kC, "^x-kind: c$"))},
               family());
  EXPECT_EQ(engine.http(app::kHttp, "GET /other HTTP/1.1\n"), app::kHttp);
  EXPECT_EQ(engine.http(app::kHttp, "GET /a HTTP/1.1\n"), kA);
  EXPECT_EQ(engine.http(app::kHttp, "GET /a/b HTTP/1.1\n"), kB);
  EXPECT_EQ(engine.http(kA, "GET /a/b HTTP/1.1\n"), kB);
  EXPECT_EQ(engine.http(kB, "GET /a/b HTTP/1.1\n"), kB);
  EXPECT_EQ(engine.http(kB, "GET / HTTP/1.1\nx-kind: c\nhost: h\n"), kC);
  EXPECT_EQ(engine.http(app::kTls, "GET /a HTTP/1.1\n"), app::kTls);
  EXPECT_TRUE(engine.engine->refines(app::kHttp));
  EXPECT_TRUE(engine.engine->refines(kA));
  EXPECT_TRUE(engine.engine->refines(kB));
  EXPECT_FALSE(engine.engine->refines(kC));
  EXPECT_FALSE(engine.engine->refines(app::kTls));
}

TEST(Engine, ErrorsNameTheSignature) {
  EXPECT_EQ(error_of(sign(kA, "(")).find("apps.yaml:9: pattern '(' does not compile: "), 0u);
  EXPECT_EQ(error_of(sign(kA, "")),
            "apps.yaml:9: signature: has neither pattern nor decoder, expected one at least");
  EXPECT_EQ(error_of(with_decoder(sign(kA, ""), "sss"))
                .find("apps.yaml:9: signature: decoder 'sss' is unknown, expected one of: tls, "),
            0u);
  EXPECT_EQ(error_of(sign(kA, "x", Confidence::Low)),
            "apps.yaml:9: signature: confidence low without ports, expected the ports where it is believed");
  EXPECT_EQ(error_of(sign(AppId{99}, "x")),
            "apps.yaml:9: signature: its application is not in the catalogue");
}

TEST(Engine, RefusesMoreSignaturesThanItHasBitsFor) {
  PatternCache cache;
  std::vector<Signature> many(257, with_decoder(sign(kA, ""), "ssh"));
  const auto result = ApplicationEngine::compile(many, catalogue(), cache);
  ASSERT_FALSE(result);
  EXPECT_EQ(
      result.error().text(),
      "apps.yaml:9: signature: is one too many, expected at most 256 without a pattern of one layer and "
      "sender");
}

TEST(Engine, ExplainsWhatSpokeForAndAgainstEveryApplication) {
  Signature bound = sign(kC, "^x");
  bound.bound_hosts = true;
  Built engine({with_min_bytes(sign(app::kHttp, "^xyz", Confidence::Medium), 3), bound,
                with_ports(sign(kA, "^x", Confidence::Low), {{80, 80}}),
                with_decoder(with_ports(sign(kB, "^x"), {{81, 81}}), "ssh"),
                with_decoder(sign(app::kTls, ""), "cim_xml")});
  const auto told = engine.engine->explain(Built::evidence(kTcp, "x", 81), engine.scratch);
  std::vector<std::pair<AppId, std::string>> lines;
  for (const auto& opinion : told) lines.emplace_back(opinion.application, opinion.why);
  const std::vector<std::pair<AppId, std::string>> expected = {
      {app::kHttp, "needs 3 bytes"},
      {kB, "pattern fits, decoder says no, on its port"},
      {kC, "the server is not bound to it"},
      {app::kTls, "decoder says no"},
      {kA, "is believed on its ports only"}};
  EXPECT_EQ(lines, expected);
}

TEST(Engine, ExplainsTheAnswerFirst) {
  Built engine({sign(kA, "^x"), sign(kB, "^xy")}, family());
  const auto told = engine.engine->explain(Built::evidence(kTcp, "xy"), engine.scratch);
  ASSERT_EQ(told.size(), 2u);
  EXPECT_EQ(told[0].application, kB);
  EXPECT_EQ(told[0].why, "pattern fits");
}

// Catalogues and bytes over few letters, so that much fits and much nearly does.
class Random {
 public:
  explicit Random(uint32_t seed) : random_(seed) {}
  size_t below(size_t limit) { return random_() % limit; }
  std::string letters(size_t length) {
    std::string text;
    for (size_t i = 0; i < length; ++i) text += "abS"[below(3)];
    return text;
  }
  std::string payload() {
    static const std::string kStarts[] = {"SSH-2.0-x",
                                          "SSH-1.",
                                          "GET /a HTTP/1.1\r\nCIMOperation: b\r\n",
                                          "GET /a HTTP/1.1\r\n\r\n",
                                          "USER a\n",
                                          "+ok",
                                          hex("1603010005010000"),
                                          hex("00 1d 1234 0100 0001 0000 0000 0000"),
                                          ""};
    std::string text = below(3) == 0 ? std::string() : kStarts[below(std::size(kStarts))];
    if (below(2) == 0) text = text.substr(0, below(text.size() + 1));
    return text + letters(below(8));
  }
  Signature signature(Layer layer) {
    static const char* const kDecoders[] = {"ssh", "http",           "cim_xml",   "tls",
                                            "slp", "rfc913_command", "dns_query", "rfc913_greeting"};
    Signature s;
    s.application = AppId{static_cast<uint16_t>(70 + below(12))};
    s.layer = layer;
    s.sender = static_cast<Sender>(below(3));
    s.confidence = static_cast<Confidence>(below(3));
    if (below(4) != 0) s.pattern = (below(2) == 0 ? "^" : "") + letters(1 + below(3));
    if (s.pattern.empty() || below(3) == 0) s.decoder = kDecoders[below(std::size(kDecoders))];
    s.min_bytes = static_cast<uint16_t>(1 + below(6));
    if (s.confidence == Confidence::Low || below(3) == 0)
      s.ports = {{80, static_cast<uint16_t>(80 + below(3))}};
    s.bound_hosts = below(5) == 0;
    return s;
  }

 private:
  std::mt19937 random_;
};

std::vector<Application> random_catalogue(Random& random) {
  std::vector<Application> all = {named(app::kTls, "tls"), named(app::kHttp, "http")};
  for (uint16_t id = 70; id < 82; ++id) {
    all.push_back(named(AppId{id}, "app" + std::to_string(id)));
    if (id > 70 && random.below(2) == 0)
      all.back().parent = AppId{static_cast<uint16_t>(70 + random.below(id - 70u))};
    if (random.below(2) == 0) all.back().servers = {prefix("10.4.0.0/24")};
  }
  return all;
}

TEST(Engine, SaysWhatAPlainLoopOverTheSignaturesSays) {
  size_t identified = 0, waiting = 0;
  for (uint32_t round = 0; round < 30; ++round) {
    Random random(round);
    const std::vector<Application> applications = random_catalogue(random);
    std::vector<Signature> signatures;
    for (size_t i = 0; i < 30; ++i)
      signatures.push_back(random.signature(static_cast<Layer>(random.below(2))));
    for (size_t i = 0; i < 15; ++i) signatures.push_back(random.signature(Layer::Http));
    Built engine(signatures, applications);
    naive::Engine plain(signatures, applications);
    for (size_t i = 0; i < 600; ++i) {
      const std::string payload = random.payload();
      const ExactBytes exact(payload);
      const uint8_t protocol = random.below(2) == 0 ? kTcp : kUdp;
      Evidence evidence = Built::evidence(protocol, "", static_cast<uint16_t>(78 + random.below(6)),
                                          static_cast<Direction>(random.below(2)));
      evidence.payload = exact;
      if (random.below(3) == 0) evidence.server = address("10.5.0.7");
      const Identification found = engine.engine->identify(evidence, engine.scratch);
      const Identification expected = plain.identify(protocol == kTcp ? Layer::Tcp : Layer::Udp, evidence);
      ASSERT_TRUE(found == expected) << round << " " << payload << " " << found.application.value << " "
                                     << expected.application.value;
      identified += found.application > kApplicationUnidentified;
      waiting += found.more;
      const AppId base =
          random.below(2) == 0 ? app::kHttp : AppId{static_cast<uint16_t>(70 + random.below(12))};
      const AppId text = engine.engine->refine(Layer::Http, base, payload, evidence, engine.scratch);
      const AppId wanted = plain.identify(Layer::Http, evidence, &base).application;
      ASSERT_EQ(text, wanted > kApplicationUnidentified ? wanted : base) << round << " " << payload;
    }
  }
  EXPECT_GT(identified, 2000u);
  EXPECT_GT(waiting, 500u);
}

TEST(Engine, AllocatesNothingWhileItIdentifies) {
  Random random(1);
  const std::vector<Application> applications = random_catalogue(random);
  std::vector<Signature> signatures;
  for (const Layer layer : {Layer::Tcp, Layer::Udp, Layer::Http})
    for (size_t i = 0; i < 30; ++i) signatures.push_back(random.signature(layer));
  Built engine(signatures, applications);
  std::vector<std::string> payloads;
  for (size_t i = 0; i < 200; ++i) payloads.push_back(random.payload());
  const Evidence tcp = Built::evidence(kTcp, ""), udp = Built::evidence(kUdp, "");
  const size_t before = allocation_count();
  size_t found = 0;
  for (const std::string& payload : payloads) {
    for (Evidence evidence : {tcp, udp}) {
      evidence.payload = as_bytes(payload);
      found += engine.engine->identify(evidence, engine.scratch).application > kApplicationUnidentified;
    }
    found += engine.engine->refine(Layer::Http, app::kHttp, payload, tcp, engine.scratch) != app::kHttp;
  }
  EXPECT_EQ(allocation_count(), before);
  EXPECT_GT(found, 0u);
}

}  // namespace
}  // namespace postern::classify
