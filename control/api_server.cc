// SPDX-License-Identifier: Apache-2.0
#include "control/api_server.h"

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <exception>
#include <filesystem>
#include <system_error>

#include "control/unix_socket.h"

namespace postern::control {
namespace {

constexpr int kBacklog = 64;
constexpr size_t kPiece = 64 << 10;
constexpr std::chrono::milliseconds kAcceptPause{100};
constexpr int kAnswersPerTurn = 16;  // so that a client with a long queue does not keep the others waiting

std::string reason(int error) { return std::error_code(error, std::system_category()).message(); }

Error cannot(const std::string& what, int error) {
  return Error{.message = "cannot " + what + ": " + reason(error), .file = {}};
}

// Removes what a dead daemon left; an Error when somebody lives there.
Status clear_path(const std::string& path, const sockaddr_un& address) {
  struct stat found {};
  if (::lstat(path.c_str(), &found) != 0) return Ok{};
  if (!S_ISSOCK(found.st_mode))
    return Error{.message = path + " exists and is not a socket; expected a free path", .file = {}};
  const UniqueFd probe = unix_stream(SOCK_NONBLOCK);
  if (!probe) return cannot("create a socket", errno);
  const int error = connect_unix(probe.get(), address);
  // EAGAIN: somebody listens and is so busy that its queue is full.
  if (error == 0 || error == EAGAIN) {
    const pid_t pid = error == 0 ? peer_of(probe.get()).pid : -1;
    const std::string who = pid > 0 ? "process " + std::to_string(pid) : std::string("another process");
    return Error{.message = "socket " + path + " is already in use by " + who, .file = {}};
  }
  if (error != ECONNREFUSED) return cannot("find out who uses socket " + path, error);
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return cannot("remove the stale socket " + path, errno);
  return Ok{};
}

Result<gid_t> group_id(const std::string& name) {
  std::vector<char> memory(16 << 10);
  group entry{};
  group* found = nullptr;
  const int error = ::getgrnam_r(name.c_str(), &entry, memory.data(), memory.size(), &found);
  if (found == nullptr)
    return Error{.message = "group \"" + name + "\" " + (error == 0 ? "does not exist" : reason(error)),
                 .file = {}};
  return gid_t{entry.gr_gid};
}

}  // namespace

Result<std::unique_ptr<ApiServer>> ApiServer::listen(ApiServerOptions options) {
  std::unique_ptr<ApiServer> server(new ApiServer(std::move(options)));
  if (auto opened = server->open_socket(); !opened) return opened.error();
  return server;
}

Status ApiServer::open_socket() {
  const std::string& path = options_.socket;
  const auto address = unix_address(path);
  if (!address) return address.error();
  if (auto cleared = clear_path(path, *address); !cleared) return cleared;
  std::error_code error;
  const auto directory = std::filesystem::path(path).parent_path();
  if (!directory.empty()) std::filesystem::create_directories(directory, error);
  if (error) return cannot("create the directory of socket " + path, error.value());

  listener_ = unix_stream(SOCK_NONBLOCK);
  if (!listener_) return cannot("create a socket", errno);
  // The mode of the descriptor becomes that of the path, so there is no moment in which everybody may
  // connect.
  if (::fchmod(listener_.get(), 0600) != 0) return cannot("protect socket " + path, errno);
  const auto* generic = reinterpret_cast<const sockaddr*>(&*address);
  if (::bind(listener_.get(), generic, sizeof *address) != 0) return cannot("create socket " + path, errno);
  struct stat made {};
  if (::lstat(path.c_str(), &made) != 0) return cannot("find socket " + path, errno);
  own_inode_ = {made.st_dev, made.st_ino};
  open_to_group();
  if (::chmod(path.c_str(), 0660) != 0) return cannot("set the permissions of socket " + path, errno);
  if (::listen(listener_.get(), kBacklog) != 0) return cannot("listen on socket " + path, errno);
  return Ok{};
}

void ApiServer::open_to_group() {
  if (options_.group.empty()) return;
  const auto group = group_id(options_.group);
  const std::string consequence = "; socket " + options_.socket + " stays with the group of the daemon";
  if (!group) {
    warnings_.push_back(group.error().message + consequence);
  } else if (::lchown(options_.socket.c_str(), static_cast<uid_t>(-1), *group) != 0) {
    warnings_.push_back("cannot give it to group \"" + options_.group + "\": " + reason(errno) + consequence);
  }
}

ApiServer::~ApiServer() {
  struct stat found {};
  if (!own_inode_ || ::lstat(options_.socket.c_str(), &found) != 0) return;
  if (std::pair(found.st_dev, found.st_ino) == *own_inode_) ::unlink(options_.socket.c_str());
}

void ApiServer::on(std::string command, Handler handler) {
  handlers_[std::move(command)] = std::move(handler);
}

bool ApiServer::request_waits(const Client& client) const {
  return !client.owes() && client.in.find('\n', client.searched) != std::string::npos;
}

void ApiServer::poll_once(std::chrono::milliseconds timeout) {
  const bool accepting = !accept_again_ || now() >= *accept_again_;
  if (!accepting) timeout = std::min(timeout, kAcceptPause);
  std::vector<pollfd> ready = {{accepting ? listener_.get() : -1, POLLIN, 0}};
  for (const auto& client : clients_) {
    const bool waits = request_waits(*client);
    if (waits) timeout = {};
    if (client->in.size() + client->out.size() != 0) timeout = std::min(timeout, options_.patience);
    // Who has requests or answers waiting is not read from: what it may keep here is bounded.
    ready.push_back({client->fd.get(), static_cast<short>(client->owes() ? POLLOUT : waits ? 0 : POLLIN), 0});
  }
  // On EINTR nothing is ready and the turn is over: the caller has a signal to look at.
  if (::poll(ready.data(), ready.size(), static_cast<int>(timeout.count())) >= 0) {
    for (size_t i = 0; i < clients_.size(); ++i) {
      Client& client = *clients_[i];
      const short events = ready[i + 1].revents;
      if (events != 0 && client.owes()) {
        send_pending(client);
      } else if (events != 0 && !request_waits(client)) {
        receive(client);
      }
      answer_waiting(client);
    }
    if (ready[0].revents != 0) accept_clients();
  }
  close_expired();
}

void ApiServer::accept_clients() {
  for (;;) {
    UniqueFd fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!fd) {
      // Out of descriptors or memory the client stays in the queue, and poll() would return at once for ever.
      if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) accept_again_ = now() + kAcceptPause;
      return;
    }
    if (clients_.size() >= options_.most_clients) {
      const std::string line =
          to_line(Reply::failure(ExitCode::Failed, "all " + std::to_string(options_.most_clients) +
                                                       " control connections are in use"));
      // Best effort: an empty socket buffer takes one short line.
      static_cast<void>(::send(fd.get(), line.data(), line.size(), MSG_NOSIGNAL | MSG_DONTWAIT));
      continue;
    }
    auto client = std::make_unique<Client>();
    const ucred peer = peer_of(fd.get());
    client->peer = {peer.pid, peer.uid, peer.gid};
    client->fd = std::move(fd);
    client->since = now();
    clients_.push_back(std::move(client));
  }
}

void ApiServer::receive(Client& client) {
  if (client.finished) {
    client.gone = true;
    return;
  }
  char piece[kPiece];
  const ssize_t count = ::recv(client.fd.get(), piece, sizeof piece, 0);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (count < 0) {
    client.gone = true;
    return;
  }
  if (count == 0) client.finished = true;
  if (client.in.empty()) client.since = now();
  client.in.append(piece, static_cast<size_t>(count));
}

void ApiServer::answer_waiting(Client& client) {
  for (int answers = 0; answers < kAnswersPerTurn && !client.gone && !client.owes(); ++answers) {
    const size_t end = client.in.find('\n', client.searched);
    if (std::min(end, client.in.size()) > options_.most_request_bytes)
      return refuse(client, "request longer than " + std::to_string(options_.most_request_bytes) + " bytes");
    if (end == std::string::npos) {
      client.searched = client.in.size();
      // A request without its end is none: who hung up in the middle of a commit did not ask for one.
      if (client.finished) client.gone = true;
      return;
    }
    const std::string line = client.in.substr(0, end);
    client.in.erase(0, end + 1);
    client.searched = 0;
    client.since = now();
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    client.out = to_line(answer(line, client.peer));
    if (client.out.size() > options_.most_reply_bytes)
      client.out =
          to_line(Reply::failure(ExitCode::Failed, "the answer is too long; ask for less, see --limit"));
    send_pending(client);
  }
}

void ApiServer::refuse(Client& client, std::string why) {
  client.in.clear();
  client.searched = 0;
  client.finished = true;
  client.out = to_line(Reply::failure(ExitCode::Usage, std::move(why)));
  send_pending(client);
}

void ApiServer::send_pending(Client& client) {
  while (client.owes()) {
    const ssize_t count = ::send(client.fd.get(), client.out.data() + client.sent,
                                 client.out.size() - client.sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0) {
      client.gone = true;
      return;
    }
    client.sent += static_cast<size_t>(count);
    client.since = now();
  }
  client.out.clear();
  client.sent = 0;
}

void ApiServer::close_expired() {
  const Time oldest = now() - options_.patience;
  std::erase_if(clients_, [&](const auto& client) {
    const bool waits_for_peer = client->owes() || (!client->in.empty() && !request_waits(*client));
    if (waits_for_peer && client->since < oldest) return true;
    return client->gone || (client->finished && client->in.empty() && !client->owes());
  });
}

Reply ApiServer::answer(std::string_view line, const PeerCredentials& peer) {
  const auto request = parse_request(line);
  if (!request) return Reply::failure(ExitCode::Usage, request.error().message);
  const auto handler = handlers_.find(request->command);
  if (handler == handlers_.end()) {
    std::string known;
    for (const auto& [name, unused] : handlers_) known += (known.empty() ? "" : ", ") + name;
    return Reply::failure(ExitCode::Usage,
                          "unknown command \"" + request->command + "\"; expected one of: " + known);
  }
  // The one catch outside main: a handler that trips over an odd argument must cost a reply, not the
  // firewall.
  try {
    return handler->second(*request, peer);
  } catch (const nlohmann::json::exception& error) {
    return Reply::failure(ExitCode::Usage, std::string("argument of the wrong type: ") + error.what());
  } catch (const std::exception& error) {
    return Reply::failure(ExitCode::Failed, std::string("request failed: ") + error.what());
  }
}

}  // namespace postern::control
