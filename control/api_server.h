// SPDX-License-Identifier: Apache-2.0
// Answers requests on a Unix stream socket. Runs on the control thread, inside poll_once(): handlers are
// called there and may take their time, since nobody else waits on this thread. Every client is bounded in
// number, request size, time and unread answer; whoever oversteps is told, if it listens, and closed.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "control/api_message.h"
#include "base/unique_fd.h"

namespace postern::control {

struct PeerCredentials {  // when it connected
  pid_t pid = 0;
  uid_t uid = 0;
  gid_t gid = 0;
};

struct ApiServerOptions {
  std::string socket;
  std::string group;  // may open the socket; empty or unknown: only the owner's group
  size_t most_clients = 64;
  size_t most_request_bytes = 1 << 20;
  size_t most_reply_bytes = 64 << 20;
  std::chrono::milliseconds patience{
      10'000};  // to finish a request once begun, to take the next piece of an answer
  std::function<std::chrono::steady_clock::time_point()> clock = std::chrono::steady_clock::now;
};

class ApiServer {
 public:
  using Handler = std::function<Reply(const Request&, const PeerCredentials&)>;

  // Replaces a socket nobody listens on. Errors: another daemon listens, the path is no socket, is too long
  // or cannot be created.
  static Result<std::unique_ptr<ApiServer>> listen(ApiServerOptions options);
  ~ApiServer();  // removes the socket, unless somebody replaced it

  const std::vector<std::string>& warnings() const { return warnings_; }
  void on(std::string command, Handler handler);
  // Serves whoever is ready, and waits at most `timeout` for the first. A signal ends the wait early.
  void poll_once(std::chrono::milliseconds timeout);
  size_t clients() const { return clients_.size(); }

 private:
  using Time = std::chrono::steady_clock::time_point;
  struct Client {
    UniqueFd fd;
    PeerCredentials peer;
    std::string in, out;
    size_t searched = 0;    // of `in`, no newline there
    size_t sent = 0;        // of `out`
    Time since;             // the request began, or the peer last took a piece of the answer
    bool finished = false;  // the peer sends no more, or is not listened to any more
    bool gone = false;      // close it
    bool owes() const { return sent < out.size(); }
  };

  explicit ApiServer(ApiServerOptions options) : options_(std::move(options)) {}
  Status open_socket();
  void open_to_group();
  void accept_clients();
  void receive(Client& client);
  void answer_waiting(Client& client);
  void send_pending(Client& client);
  void refuse(Client& client, std::string why);
  void close_expired();
  Reply answer(std::string_view line, const PeerCredentials& peer);
  bool request_waits(const Client& client) const;
  Time now() const { return options_.clock(); }

  ApiServerOptions options_;
  std::vector<std::string> warnings_;
  UniqueFd listener_;
  std::optional<std::pair<dev_t, ino_t>> own_inode_;
  std::optional<Time> accept_again_;
  std::map<std::string, Handler, std::less<>> handlers_;
  std::vector<std::unique_ptr<Client>> clients_;
};

}  // namespace postern::control
