// SPDX-License-Identifier: Apache-2.0
#include "control/api_server.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <random>
#include <stdexcept>
#include <thread>

#include "control/api_client.h"
#include "tests/control/eventually.h"
#include "tests/control/raw_client.h"
#include "tests/control/temporary_directory.h"

namespace postern::control {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

class Api : public testing::Test {
 protected:
  ApiServerOptions options() {
    ApiServerOptions options;
    options.socket = socket_;
    options.clock = [this] { return std::chrono::steady_clock::time_point(now_); };
    return options;
  }
  void listen(ApiServerOptions options) {
    auto server = ApiServer::listen(std::move(options));
    ASSERT_TRUE(server) << server.error().text();
    server_ = std::move(*server);
    server_->on("echo",
                [](const Request& request, const PeerCredentials&) { return Reply::success(request.args); });
    server_->on("big", [](const Request& request, const PeerCredentials&) {
      return Reply::success(std::string(request.args["bytes"].get<size_t>(), 'x'));
    });
    server_->on("fail", [](const Request&, const PeerCredentials&) {
      return Reply::failure(ExitCode::Invalid, "the site file has errors",
                            {{"unknown zone \"x\"", "site.yaml", 7}});
    });
    server_->on("throw",
                [](const Request&, const PeerCredentials&) -> Reply { throw std::runtime_error("oops"); });
    server_->on("peer", [](const Request&, const PeerCredentials& peer) {
      return Reply::success({{"pid", peer.pid}, {"uid", peer.uid}, {"gid", peer.gid}});
    });
  }
  void listen() { listen(options()); }

  // The server's turns until the client has a line or the end.
  void serve(RawClient& client) {
    ASSERT_TRUE(eventually([&] {
      server_->poll_once(1ms);
      client.receive();
      return client.has_line() || client.closed();
    }));
  }
  // Sends everything, with turns of the server in between.
  void send_all(RawClient& client, std::string_view text) {
    while (!text.empty()) {
      text.remove_prefix(client.send(text));
      server_->poll_once(0ms);
    }
  }
  json ask(const std::string& line) {
    RawClient client(socket_);
    send_all(client, line + "\n");
    serve(client);
    return json::parse(client.received(), nullptr, false);
  }

  TemporaryDirectory directory_;
  std::string socket_ = directory_ / "control.sock";
  std::chrono::steady_clock::duration now_{1h};
  std::unique_ptr<ApiServer> server_;
};

TEST_F(Api, AnswersARequest) {
  listen();
  EXPECT_EQ(ask(R"({"command":"echo","what":"x","args":{"a":1}})"),
            (json{{"ok", true}, {"result", {{"a", 1}}}}));
}

TEST_F(Api, TellsFailureWithCodeAndPlaces) {
  listen();
  const json reply = ask(R"({"command":"fail"})");
  EXPECT_EQ(reply["ok"], false);
  EXPECT_EQ(reply["code"], 3);
  EXPECT_EQ(reply["error"], "the site file has errors");
  EXPECT_EQ(reply["errors"],
            json::parse(R"([{"file":"site.yaml","line":7,"message":"unknown zone \"x\""}])"));
}

TEST_F(Api, TellsHandlersWhoAsks) {
  listen();
  const json peer = ask(R"({"command":"peer"})")["result"];
  EXPECT_EQ(peer["pid"], ::getpid());
  EXPECT_EQ(peer["uid"], ::getuid());
  EXPECT_EQ(peer["gid"], ::getgid());
}

TEST_F(Api, AnswersTenThousandCallsOfOneConnectionAndOfMany) {
  listen();
  std::atomic<bool> done = false;
  int answered = 0;
  std::thread caller([&] {
    auto client = ApiClient::connect(socket_);
    for (int i = 0; i < 10'000 && client; ++i) {
      if (i % 10 == 0) client = ApiClient::connect(socket_);
      const auto reply = client ? client->call({"echo", "", {{"i", i}}}) : Result<Reply>(client.error());
      if (reply && reply->ok() && reply->result["i"] == i) ++answered;
    }
    done = true;
  });
  while (!done) server_->poll_once(10ms);
  caller.join();
  EXPECT_EQ(answered, 10'000);
}

TEST_F(Api, AnswersRequestsThatArriveTogetherInTheirOrder) {
  listen();
  RawClient client(socket_);
  std::string requests, expected;
  for (int i = 0; i < 1000; ++i) {
    requests += R"({"command":"echo","args":{"i":)" + std::to_string(i) + "}}\n";
    expected += R"({"ok":true,"result":{"i":)" + std::to_string(i) + "}}\n";
  }
  send_all(client, requests);
  EXPECT_TRUE(eventually([&] {
    server_->poll_once(1ms);
    client.receive();
    return client.received().size() >= expected.size();
  }));
  EXPECT_EQ(client.received(), expected);
}

TEST_F(Api, AnswersOthersWhileOneHasALongQueue) {
  listen();
  RawClient greedy(socket_);
  std::string queue;
  for (int i = 0; i < 5000; ++i) queue += "{\"command\":\"echo\"}\n";
  greedy.send(queue);
  RawClient modest(socket_);
  modest.send("{\"command\":\"echo\"}\n");
  for (int turn = 0; turn < 3; ++turn) server_->poll_once(1ms);
  modest.receive();
  greedy.receive();
  EXPECT_TRUE(modest.has_line());
  EXPECT_LT(std::count(greedy.received().begin(), greedy.received().end(), '\n'), 100);
}

TEST_F(Api, AnswersSomeoneWhoSendsNoMore) {
  listen();
  RawClient client(socket_);
  client.send("{\"command\":\"echo\"}\n");
  client.end_of_requests();
  EXPECT_TRUE(eventually([&] {
    server_->poll_once(1ms);
    client.receive();
    return client.closed();
  }));
  EXPECT_EQ(client.received(), "{\"ok\":true,\"result\":{}}\n");
  EXPECT_EQ(server_->clients(), 0u);
}

TEST_F(Api, ExecutesNoRequestWithoutItsEnd) {
  listen();
  int executed = 0;
  server_->on("commit", [&](const Request&, const PeerCredentials&) {
    ++executed;
    return Reply::success({});
  });
  RawClient client(socket_);
  client.send(R"({"command":"commit"})");
  client.end_of_requests();
  serve(client);
  EXPECT_TRUE(client.closed());
  EXPECT_EQ(executed, 0);
}

TEST_F(Api, CallsMalformedRequestsWrongUsageAndGoesOn) {
  listen();
  RawClient client(socket_);
  for (const char* const bad :
       {"{", "[]", "null", "\"show\"", "{}", R"({"command":7})", R"({"command":"echo","args":[]})",
        R"({"command":"echo","extra":1})", R"({"command":"echo"} trailing)", "\xff\xfe",
        R"({"command":"\ud800"})", R"({"command":"nonsense"})"}) {
    client.forget();
    client.send(std::string(bad) + "\n");
    serve(client);
    const json reply = json::parse(client.received(), nullptr, false);
    ASSERT_TRUE(reply.is_object()) << bad;
    EXPECT_EQ(reply["ok"], false) << bad;
    EXPECT_EQ(reply["code"], 2) << bad;
    EXPECT_FALSE(reply["error"].get<std::string>().empty()) << bad;
  }
  EXPECT_EQ(server_->clients(), 1u);
}

TEST_F(Api, SurvivesRandomBytes) {
  listen();
  std::mt19937 random(1);
  for (int round = 0; round < 200; ++round) {
    RawClient client(socket_);
    std::string noise(1 + random() % 2000, '\0');
    for (char& c : noise) c = static_cast<char>(random());
    send_all(client, noise + "\n");
  }
  EXPECT_EQ(ask(R"({"command":"echo"})")["ok"], true);
}

TEST_F(Api, NamesTheCommandsItKnows) {
  listen();
  EXPECT_EQ(ask(R"({"command":"shwo"})")["error"],
            "unknown command \"shwo\"; expected one of: big, echo, fail, peer, throw");
}

TEST_F(Api, RefusesDeepNesting) {
  listen();
  EXPECT_EQ(ask(std::string(500'000, '['))["code"], 2);
  EXPECT_EQ(
      ask(R"({"command":"echo","args":{"a":)" + std::string(100, '[') + std::string(100, ']') + "}}")["code"],
      2);
}

TEST_F(Api, TurnsAnExceptionOfAHandlerIntoAReply) {
  listen();
  EXPECT_EQ(ask(R"({"command":"throw"})")["code"], 1);
  EXPECT_EQ(ask(R"({"command":"big","args":{"bytes":"many"}})")["code"], 2);
}

TEST_F(Api, TakesARequestOfExactlyTheLimit) {
  listen();
  const std::string head = R"({"command":"echo","args":{"a":")", tail = R"("}})";
  const std::string padding((1 << 20) - head.size() - tail.size(), 'a');
  const json reply = ask(head + padding + tail);
  EXPECT_EQ(reply["result"]["a"], padding);
}

TEST_F(Api, RefusesALongerRequestAndHangsUp) {
  listen();
  for (const char* const end : {"", "\n"}) {
    RawClient client(socket_);
    const std::string request = std::string((1 << 20) + 1, ' ') + end;
    for (std::string_view rest = request; !rest.empty() && !client.closed();) {
      rest.remove_prefix(client.send(rest));
      server_->poll_once(0ms);
      client.receive();
    }
    EXPECT_TRUE(eventually([&] {
      server_->poll_once(1ms);
      client.receive();
      return client.closed();
    }));
    EXPECT_EQ(client.received().substr(0, client.received().find("bytes")),
              R"({"code":2,"error":"request longer than 1048576 )");
  }
}

TEST_F(Api, ClosesWhoDoesNotFinishARequest) {
  listen();
  RawClient client(socket_);
  client.send(R"({"comm)");
  server_->poll_once(10ms);
  server_->poll_once(10ms);
  ASSERT_EQ(server_->clients(), 1u);
  now_ += 9s;
  client.send("and");  // more bytes buy no more time
  server_->poll_once(10ms);
  ASSERT_EQ(server_->clients(), 1u);
  now_ += 2s;
  server_->poll_once(0ms);
  EXPECT_EQ(server_->clients(), 0u);
}

TEST_F(Api, LetsAClientWithoutARequestWait) {
  listen();
  RawClient client(socket_);
  server_->poll_once(10ms);
  now_ += 10h;
  server_->poll_once(0ms);
  EXPECT_EQ(server_->clients(), 1u);
  client.send("{\"command\":\"echo\"}\n");
  serve(client);
  EXPECT_TRUE(client.has_line());
}

TEST_F(Api, SendsABigAnswerToASlowReader) {
  listen();
  RawClient client(socket_);
  client.send(R"({"command":"big","args":{"bytes":5000000}})"
              "\n");
  serve(client);
  EXPECT_TRUE(eventually([&] {
    now_ += 9s;  // slow, but it takes a piece each time
    server_->poll_once(1ms);
    client.receive();
    return client.has_line();
  }));
  EXPECT_EQ(client.received().size(), std::string(R"({"ok":true,"result":""})").size() + 5'000'001);
}

TEST_F(Api, ClosesWhoDoesNotTakeItsAnswer) {
  listen();
  RawClient client(socket_);
  client.send(R"({"command":"big","args":{"bytes":5000000}})"
              "\n");
  server_->poll_once(10ms);
  server_->poll_once(10ms);
  ASSERT_EQ(server_->clients(), 1u);
  now_ += 11s;
  server_->poll_once(0ms);
  EXPECT_EQ(server_->clients(), 0u);
}

TEST_F(Api, ReadsNothingMoreFromWhoDoesNotTakeItsAnswer) {
  listen();
  RawClient client(socket_);
  client.send(R"({"command":"big","args":{"bytes":5000000}})"
              "\n");
  server_->poll_once(10ms);
  server_->poll_once(10ms);
  const std::string requests(100'000, '\n');
  size_t taken = 0;
  for (int turn = 0; turn < 200; ++turn) {
    taken += client.send(requests);
    server_->poll_once(0ms);
  }
  EXPECT_LT(taken, 5'000'000u);  // what the socket holds, and not 20 MB
}

TEST_F(Api, RefusesAnAnswerThatIsTooLong) {
  auto bounded = options();
  bounded.most_reply_bytes = 1000;
  listen(bounded);
  const json reply = ask(R"({"command":"big","args":{"bytes":2000}})");
  EXPECT_EQ(reply["code"], 1);
}

TEST_F(Api, RefusesOneClientTooManyAndTakesItLater) {
  listen();
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 64; ++i) {
    clients.push_back(std::make_unique<RawClient>(socket_));
    server_->poll_once(10ms);
  }
  ASSERT_EQ(server_->clients(), 64u);
  RawClient late(socket_);
  serve(late);
  EXPECT_EQ(json::parse(late.received())["error"], "all 64 control connections are in use");
  clients.pop_back();
  EXPECT_TRUE(eventually([&] {
    server_->poll_once(1ms);
    return server_->clients() == 63;
  }));
  EXPECT_EQ(ask(R"({"command":"echo"})")["ok"], true);
}

TEST_F(Api, RefusesASocketThatALiveDaemonUses) {
  listen();
  const auto second = ApiServer::listen(options());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().message,
            "socket " + socket_ + " is already in use by process " + std::to_string(::getpid()));
  EXPECT_EQ(ask(R"({"command":"echo"})")["ok"], true);
}

TEST_F(Api, ReplacesTheSocketOfADeadDaemon) {
  {
    const UniqueFd dead = unix_stream(0);
    const auto address = unix_address(socket_);
    ASSERT_EQ(::bind(dead.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address), 0);
  }
  ASSERT_TRUE(std::filesystem::exists(socket_));
  listen();
  EXPECT_EQ(ask(R"({"command":"echo"})")["ok"], true);
}

TEST_F(Api, NeverRemovesAFileThatIsNoSocket) {
  { std::ofstream(socket_) << "precious"; }
  EXPECT_FALSE(ApiServer::listen(options()));
  EXPECT_EQ(content_of(socket_), "precious");
}

TEST_F(Api, RefusesAPathThatIsTooLong) {
  auto bad = options();
  bad.socket = directory_ / std::string(200, 'x');
  const auto server = ApiServer::listen(bad);
  ASSERT_FALSE(server);
  EXPECT_NE(server.error().message.find("expected 1 to 107"), std::string::npos);
}

TEST_F(Api, OpensTheSocketToOwnerAndGroupOnly) {
  const mode_t before = ::umask(0);
  listen();
  ::umask(before);
  struct stat found {};
  ASSERT_EQ(::stat(socket_.c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777, 0660u);
}

TEST_F(Api, WarnsWhenTheGroupIsAbsent) {
  auto absent = options();
  absent.group = "no_such_group_here";
  listen(absent);
  ASSERT_EQ(server_->warnings().size(), 1u);
  EXPECT_NE(server_->warnings()[0].find("group \"no_such_group_here\" does not exist"), std::string::npos);
}

TEST_F(Api, RemovesItsSocketAtTheEnd) {
  listen();
  server_.reset();
  EXPECT_FALSE(std::filesystem::exists(socket_));
}

TEST_F(Api, LeavesTheSocketOfASuccessorAlone) {
  listen();
  // The old socket's inode lives on under another name, so its number cannot be given to the new one.
  std::filesystem::rename(socket_, directory_ / "old.sock");
  auto successor = ApiServer::listen(options());
  ASSERT_TRUE(successor);
  server_.reset();
  EXPECT_TRUE(std::filesystem::exists(socket_));
}

// Until the end of the object this process gets no further descriptor.
class NoDescriptors {
 public:
  NoDescriptors() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const UniqueFd next = unix_stream(0);
    const rlimit limit{static_cast<rlim_t>(next.get()), before_.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &limit);
  }
  ~NoDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  NoDescriptors(const NoDescriptors&) = delete;
  NoDescriptors& operator=(const NoDescriptors&) = delete;

 private:
  rlimit before_{};
};

TEST_F(Api, TakesClientsAgainAfterRunningOutOfDescriptors) {
  listen();
  RawClient client(socket_);
  {
    const NoDescriptors none;
    for (int turn = 0; turn < 5; ++turn) server_->poll_once(1ms);
    EXPECT_EQ(server_->clients(), 0u);
  }
  now_ += 1s;
  client.send("{\"command\":\"echo\"}\n");
  serve(client);
  EXPECT_TRUE(client.has_line());
}

TEST(ApiClientTest, SaysThatNoDaemonRuns) {
  const TemporaryDirectory directory;
  const auto client = ApiClient::connect(directory / "none.sock");
  ASSERT_FALSE(client);
  EXPECT_EQ(client.error().message, "cannot reach posternd at " + (directory / "none.sock") +
                                        ": No such file or directory (is posternd running?)");
}

TEST(ApiMessage, ReadsBackTheFailureItWrote) {
  const Reply failure =
      Reply::failure(ExitCode::Invalid, "two errors", {{"first", "a.yaml", 3}, {"second", "", 0}});
  const auto back = parse_reply(to_line(failure));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->code, ExitCode::Invalid);
  EXPECT_EQ(back->error, "two errors");
  ASSERT_EQ(back->errors.size(), 2u);
  EXPECT_EQ(back->errors[0].text(), "a.yaml:3: first");
  EXPECT_EQ(back->errors[1].text(), "second");
}

TEST(ApiMessage, RepairsTextThatIsNoUtf8) {
  EXPECT_EQ(to_line(Reply::success("\xff")), "{\"ok\":true,\"result\":\"\xef\xbf\xbd\"}\n");
}

TEST(ApiMessage, RefusesAReplyOfSomethingElse) {
  EXPECT_FALSE(parse_reply("HTTP/1.1 400 Bad Request"));
  EXPECT_FALSE(parse_reply("{}"));
}

}  // namespace
}  // namespace postern::control
