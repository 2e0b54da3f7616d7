// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <atomic>
#include <boost/program_options/errors.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "control/api_server.h"
#include "control/command_table.h"
#include "control/endpoint.h"
#include "control/posternctl_run.h"
#include "control/table_printer.h"
#include "tests/control/temporary_directory.h"

namespace postern::control {
namespace {

using nlohmann::json;

struct Outcome {
  ExitCode code{};
  std::string out, err;
};

// A daemon that gives one answer to everything and remembers what it was asked.
class Posternctl : public testing::Test {
 protected:
  Posternctl() {
    auto server = ApiServer::listen({.socket = socket_, .group = {}});
    EXPECT_TRUE(server);
    server_ = std::move(*server);
    for (const char* const command : {"show", "commit", "test"}) {
      server_->on(command, [this](const Request& request, const PeerCredentials&) {
        asked_ = request;
        return answer_;
      });
    }
  }
  Outcome run(std::vector<std::string> arguments) {
    std::atomic<bool> done = false;
    Outcome outcome;
    std::thread client([&] {
      std::ostringstream out, err;
      Console console{out, err, socket_};
      outcome.code = run_posternctl(arguments, console);
      outcome.out = out.str();
      outcome.err = err.str();
      done = true;
    });
    while (!done) server_->poll_once(std::chrono::milliseconds(1));
    client.join();
    return outcome;
  }
  Outcome run_with(const char* result, std::vector<std::string> arguments) {
    answer_ = Reply::success(json::parse(result));
    return run(std::move(arguments));
  }

  TemporaryDirectory directory_;
  std::string socket_ = directory_ / "control.sock";
  std::unique_ptr<ApiServer> server_;
  Reply answer_ = Reply::success(json::array());
  Request asked_;
};

TEST_F(Posternctl, ShowsWiresWithOneLinePerSide) {
  const Outcome outcome = run_with(
      R"([{"wire":"front","sides":[
        {"side":"it","port":"tap:a","kind":"tap","link":"up","rx_packets":12,"rx_bytes":3400,"tx_packets":5,"tx_bytes":600},
        {"side":"management","port":"tap:b","kind":"tap","link":"down","rx_packets":5,"rx_bytes":600,"tx_packets":12,"tx_bytes":3400}]}])",
      {"show", "wires"});
  EXPECT_EQ(outcome.out,
            "WIRE   SIDE        PORT   KIND  LINK  RX_PACKETS  RX_BYTES  TX_PACKETS  TX_BYTES\n"
            "front  it          tap:a  tap   up            12      3400           5       600\n"
            "front  management  tap:b  tap   down           5       600          12      3400\n");
  EXPECT_EQ(outcome.code, ExitCode::Ok);
  EXPECT_EQ(asked_.command, "show");
  EXPECT_EQ(asked_.what, "wires");
}

TEST_F(Posternctl, ShowsZones) {
  const Outcome outcome = run_with(
      R"([{"zone":"trust","wire":"front","side":"it","vlan":null,"prefixes":["10.1.0.0/24","fd01::/64"]},
          {"zone":"internal","wire":"front","side":"it","vlan":10,"prefixes":[]}])",
      {"show", "zones"});
  EXPECT_EQ(outcome.out,
            "ZONE      WIRE   SIDE  VLAN  PREFIXES\n"
            "trust     front  it       -  10.1.0.0/24, fd01::/64\n"
            "internal  front  it      10  -\n");
}

TEST_F(Posternctl, ShowsRules) {
  const Outcome outcome = run_with(
      R"([{"index":0,"pack":"oob","rule":"infra_mgmt_web","action":"allow","source_zones":["trust"],
           "destination_zones":["management"],"application":"infra_mgmt_web","forwarding":"siem_default","hits":3,"bytes":900}])",
      {"show", "rules"});
  EXPECT_EQ(
      outcome.out,
      "INDEX  PACK  RULE            ACTION  SOURCE  DESTINATION  APPLICATION     FORWARDING    HITS  BYTES\n"
      "    0  oob   infra_mgmt_web  allow   trust   management   infra_mgmt_web  siem_default     3    "
      "900\n");
}

TEST_F(Posternctl, ShowsOnlyDropsThatHappenedUnlessAskedForAll) {
  const char* const drops =
      R"([{"reason":"truncated","packets":0,"meaning":"a"},{"reason":"policy_rule","packets":7,"meaning":"a rule says drop"}])";
  EXPECT_EQ(run_with(drops, {"show", "drops"}).out,
            "REASON       PACKETS  MEANING\n"
            "policy_rule        7  a rule says drop\n");
  EXPECT_EQ(run_with(drops, {"show", "drops", "--all"}).out,
            "REASON       PACKETS  MEANING\n"
            "truncated          0  a\n"
            "policy_rule        7  a rule says drop\n");
}

TEST_F(Posternctl, ShowsStatsWithNestedNames) {
  EXPECT_EQ(run_with(R"({"received":10,"flows":{"active":3}})", {"show", "stats"}).out,
            "flows.active  3\n"
            "received      10\n");
}

TEST_F(Posternctl, ShowsTheGeneration) {
  EXPECT_EQ(
      run_with(
          R"({"generation":4,"committed_at":"2026-01-02T03:04:05Z","site":"/etc/site.yaml","packs":["oob"]})",
          {"show", "generation"})
          .out,
      "generation    4\n"
      "committed at  2026-01-02T03:04:05Z\n"
      "site          /etc/site.yaml\n"
      "packs         oob\n");
}

TEST_F(Posternctl, ShowsHowSoonAPolicyWasTakenUp) {
  EXPECT_EQ(run_with(R"({"generation":4,"switched_after_us":1.5,"workers":[{"after_us":1.5,"round_us":2}]})",
                     {"show", "generation"})
                .out,
            "generation         4\n"
            "switched after us  1.5\n");
}

TEST_F(Posternctl, AsksForFlowsWithLimitAndFilters) {
  run({"show", "flows", "--limit", "5", "--filter", "proto=tcp", "--filter=address=10.0.0.0/8"});
  EXPECT_EQ(asked_.what, "flows");
  EXPECT_EQ(asked_.args, json::parse(R"({"limit":5,"filter":{"proto":"tcp","address":"10.0.0.0/8"}})"));
}

TEST_F(Posternctl, RefusesAFilterOfAnUnknownKey) {
  const Outcome outcome = run({"show", "flows", "--filter", "colour=red"});
  EXPECT_EQ(outcome.code, ExitCode::Usage);
  EXPECT_NE(outcome.err.find("filter \"colour=red\"; expected KEY=VALUE"), std::string::npos);
  EXPECT_TRUE(asked_.command.empty());
}

TEST_F(Posternctl, PrintsTheResultAsJsonWhereverTheOptionStands) {
  const std::vector<std::string> forms[] = {
      {"--json", "show", "apps"}, {"show", "--json", "apps"}, {"show", "apps", "--json"}};
  for (const auto& arguments : forms) {
    const Outcome outcome = run_with(R"([{"app_id":"dns","new_field":1}])", arguments);
    EXPECT_EQ(json::parse(outcome.out), json::parse(R"([{"app_id":"dns","new_field":1}])"));
  }
}

TEST_F(Posternctl, CommitsAFileByItsAbsolutePath) {
  const Outcome outcome =
      run_with(R"({"generation":5,"seconds":0.25,"warnings":["profile antivirus sees nothing"]})",
               {"commit", "site.yaml"});
  EXPECT_EQ(asked_.args["site"], std::filesystem::absolute("site.yaml").string());
  EXPECT_EQ(outcome.out, "generation  5\nseconds     0.25\nwarning: profile antivirus sees nothing\n");
}

TEST_F(Posternctl, CommitsTheRunningFileWithoutAnArgument) {
  run_with(R"({"generation":5,"seconds":0.25})", {"commit"});
  EXPECT_EQ(asked_.command, "commit");
  EXPECT_TRUE(asked_.args.empty());
}

TEST_F(Posternctl, EndsWithThreeAndThePlacesWhenTheSiteIsNotValid) {
  answer_ =
      Reply::failure(ExitCode::Invalid, "the site file has errors", {{"unknown zone \"x\"", "site.yaml", 7}});
  const Outcome outcome = run({"commit"});
  EXPECT_EQ(outcome.code, ExitCode::Invalid);
  EXPECT_EQ(outcome.err, "posternctl: the site file has errors\nsite.yaml:7: unknown zone \"x\"\n");
  EXPECT_EQ(outcome.out, "");
}

TEST_F(Posternctl, KeepsStandardOutputEmptyOnFailureInJson) {
  answer_ = Reply::failure(ExitCode::Invalid, "bad", {{"what", "f", 1}});
  const Outcome outcome = run({"--json", "commit"});
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(json::parse(outcome.err),
            json::parse(
                R"({"ok":false,"code":3,"error":"bad","errors":[{"message":"what","file":"f","line":1}]})"));
}

TEST_F(Posternctl, TestsAFlow) {
  const Outcome outcome = run_with(
      R"({"verdict":"drop","reason":"policy_rule","rule":{"pack":"oob","rule":"clear_text_mgmt","index":6},"application":"ipmi_1_5",
          "source_zone":"trust","destination_zone":"management","final":true,"story":["trust -> management","rule 6 matches"]})",
      {"test", "flow", "[fd01::5]:40000", "10.4.0.7:623", "UDP", "--app", "ipmi_1_5", "--wire", "front",
       "--side", "it", "--vlan", "10"});
  EXPECT_EQ(
      asked_.args,
      json::parse(R"({"source":"fd01::5","source_port":40000,"destination":"10.4.0.7","destination_port":623,
                                         "proto":17,"app":"ipmi_1_5","wire":"front","side":"it","vlan":10})"));
  EXPECT_EQ(outcome.out,
            "verdict           drop\n"
            "reason            policy_rule\n"
            "pack              oob\n"
            "rule              clear_text_mgmt\n"
            "index             6\n"
            "application       ipmi_1_5\n"
            "source zone       trust\n"
            "destination zone  management\n"
            "final             yes\n"
            "trust -> management\n"
            "rule 6 matches\n");
}

TEST_F(Posternctl, TellsTheStoryOfAFlow) {
  server_->on("trace", [this](const Request& request, const PeerCredentials&) {
    asked_ = request;
    return Reply::success({{"steps", json::array()}, {"story", {"opened", "    rule a: matches"}}});
  });
  const Outcome outcome = run({"trace", "[fd01::5]:40000-[fd03::1]:443/tcp"});
  EXPECT_EQ(outcome.code, ExitCode::Ok);
  EXPECT_EQ(outcome.out, "opened\n    rule a: matches\n");
  EXPECT_EQ(asked_.args, json({{"flow", "[fd01::5]:40000-[fd03::1]:443/tcp"}}));
}

TEST_F(Posternctl, FollowsAFlowUntilTheDaemonSaysThatWasAll) {
  std::vector<std::string> asked;
  server_->on("trace", [&](const Request& request, const PeerCredentials&) {
    asked.push_back(request.what + " " + request.args.dump());
    json result = {{"steps", {{{"n", asked.size()}}}}, {"story", {"line " + std::to_string(asked.size())}}};
    if (asked.size() < 3) result["session"] = 7;
    return Reply::success(result);
  });
  EXPECT_EQ(run({"trace", "42", "--follow", "5"}).out, "line 1\nline 2\nline 3\n");
  EXPECT_EQ(asked, (std::vector<std::string>{R"( {"flow":"42","follow":5})", R"(more {"session":7})",
                                             R"(more {"session":7})"}));
  asked.clear();
  const json whole = json::parse(run({"--json", "trace", "42", "--follow", "5"}).out);
  EXPECT_EQ(whole["steps"], json::parse(R"([{"n":1},{"n":2},{"n":3}])"));
  EXPECT_FALSE(whole.contains("session"));
}

TEST_F(Posternctl, CallsMistypedCommandsWrongUsage) {
  const std::vector<std::string> wrong[] = {
      {},
      {"show"},
      {"show", "nothing"},
      {"frobnicate"},
      {"commit", "a", "b"},
      {"test", "flow", "10.0.0.1", "10.0.0.2:80"},
      {"test", "flow", "10.0.0.1", "10.0.0.2", "tcp"},
      {"test", "flow", "10.0.0.1:1", "10.0.0.2:2", "icmp"},
      {"test", "flow", "here", "10.0.0.2:80", "tcp"},
      {"test", "flow", "10.0.0.1", "10.0.0.2:80", "tcp", "--vlan", "4095"},
      {"test", "flow", "10.0.0.1", "10.0.0.2:80", "tcp", "--app", "a", "--app", "b"},
      {"show", "flows", "--limit", "many"},
      {"trace"},
      {"trace", "0"},
      {"trace", "10.0.0.1:1-10.0.0.2:2"},
      {"trace", "10.0.0.1:1-10.0.0.2/tcp"},
      {"trace", "10.0.0.1:1-10.0.0.2:2/icmp"},
      {"trace", "10.0.0.1:1-10.0.0.2:2/carrier pigeon"},
      {"trace", "/tcp-"},
      {"trace", "42", "--follow", "601"},
      {"help", "nothing"}};
  for (const auto& arguments : wrong) {
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.code, ExitCode::Usage) << testing::PrintToString(arguments);
    EXPECT_EQ(outcome.out, "") << testing::PrintToString(arguments);
    EXPECT_NE(outcome.err.find("usage: posternctl"), std::string::npos) << testing::PrintToString(arguments);
  }
  EXPECT_TRUE(asked_.command.empty());
}

TEST_F(Posternctl, ThrowsUnknownOptionsToMain) {
  std::ostringstream out, err;
  Console console{out, err, socket_};
  for (const char* const option : {"--frob", "--limit=3", "--jso"})
    EXPECT_THROW(run_posternctl({"show", "wires", option}, console), boost::program_options::error) << option;
}

TEST_F(Posternctl, HelpsWithEveryCommand) {
  const std::string all = run({"help"}).out;
  for (const Command& command : commands()) {
    EXPECT_NE(all.find("  " + std::string(command.name)), std::string::npos) << command.name;
    std::vector<std::string> words{"help"};
    std::istringstream name{std::string(command.name)};
    for (std::string word; name >> word;) words.push_back(word);
    const Outcome outcome = run(words);
    EXPECT_EQ(outcome.code, ExitCode::Ok);
    EXPECT_TRUE(outcome.out.starts_with("usage: posternctl " + std::string(command.name))) << outcome.out;
    for (const Option& option : command.options)
      EXPECT_NE(outcome.out.find("--" + std::string(option.name)), std::string::npos) << outcome.out;
  }
}

TEST_F(Posternctl, PrintsItsVersion) { EXPECT_TRUE(run({"--version"}).out.starts_with("posternctl 0.")); }

TEST_F(Posternctl, SaysWhenNoDaemonAnswers) {
  const Outcome outcome = run({"--socket", directory_ / "none.sock", "show", "wires"});
  EXPECT_EQ(outcome.code, ExitCode::Failed);
  EXPECT_NE(outcome.err.find("is posternd running?"), std::string::npos);
}

TEST_F(Posternctl, ShowsAResultOfAnotherShapeAsJson) {
  EXPECT_EQ(run_with(R"({"wires":[]})", {"show", "wires"}).out, "{\n  \"wires\": []\n}\n");
  EXPECT_EQ(run_with(R"([1,2])", {"show", "wires"}).out, "[\n  1,\n  2\n]\n");
}

TEST_F(Posternctl, FailsWhenItsOutputCannotBeWritten) {
  answer_ = Reply::success(json::array());
  std::ofstream full("/dev/full");
  std::ostringstream err;
  std::atomic<bool> done = false;
  ExitCode code{};
  std::thread client([&] {
    Console console{full, err, socket_};
    code = run_posternctl({"show", "wires"}, console);
    done = true;
  });
  while (!done) server_->poll_once(std::chrono::milliseconds(1));
  client.join();
  EXPECT_EQ(code, ExitCode::Failed);
}

TEST_F(Posternctl, ShowsNoControlCharactersOfNames) {
  EXPECT_EQ(run_with(R"([{"zone":"a\u001b[31mb\u009bc\n"}])", {"show", "zones"}).out,
            "ZONE        WIRE  SIDE  VLAN  PREFIXES\n"
            "a?[31mb?c?  -     -        -  -\n");
}

TEST(TablePrinterTest, AlignsByCharactersAndNotByBytes) {
  TablePrinter table({{"NAME"}, {"N", Align::Right}});
  table.add({"\xc3\xa9t\xc3\xa9", "1"});
  table.add({"winter", "200"});
  EXPECT_EQ(table.text(), "NAME      N\n\xc3\xa9t\xc3\xa9       1\nwinter  200\n");
}

TEST(EndpointTest, ReadsAddressesWithAndWithoutPorts) {
  const std::tuple<const char*, const char*, int> good[] = {
      {"10.0.0.1", "10.0.0.1", -1},      {"10.0.0.1:443", "10.0.0.1", 443}, {"fd00::1", "fd00::1", -1},
      {"[fd00::1]:443", "fd00::1", 443}, {"[fd00::1]", "fd00::1", -1},      {"10.0.0.1:0", "10.0.0.1", 0}};
  for (const auto& [text, address, port] : good) {
    const auto endpoint = parse_endpoint(text);
    ASSERT_TRUE(endpoint) << text;
    EXPECT_EQ(endpoint->address.text(), address);
    EXPECT_EQ(endpoint->port ? int{*endpoint->port} : -1, port);
  }
}

TEST(EndpointTest, RefusesWhatIsNoAddressOrPort) {
  for (const char* const bad :
       {"", ":", "host", "10.0.0.1:", "10.0.0.1:65536", "10.0.0.1:x", "10.0.0.1:-1", "[fd00::1",
        "[fd00::1]443", "[fd00::1]:", "[10.0.0.1]:80", "10.0.0", "[]:1", "10.0.0.1:1:2"})
    EXPECT_FALSE(parse_endpoint(bad)) << bad;
}

TEST(EndpointTest, ReadsProtocolsAsWordsAndNumbers) {
  EXPECT_EQ(*parse_protocol("TCP"), 6);
  EXPECT_EQ(*parse_protocol("icmpv6"), 58);
  EXPECT_EQ(*parse_protocol("89"), 89);
  for (const char* const bad : {"", "0", "256", "-1", "any", "tcp ", "6x"})
    EXPECT_FALSE(parse_protocol(bad)) << bad;
}

}  // namespace
}  // namespace postern::control
