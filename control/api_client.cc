// SPDX-License-Identifier: Apache-2.0
#include "control/api_client.h"

#include <sys/time.h>

#include <cerrno>
#include <system_error>

#include "control/unix_socket.h"

namespace postern::control {
namespace {

Error failed(std::string message) { return Error{.message = std::move(message), .file = {}}; }

std::string reason(int error) { return std::error_code(error, std::system_category()).message(); }

std::string hint(int error) {
  if (error == EACCES) return " (only members of the control group may ask)";
  if (error == ENOENT || error == ECONNREFUSED) return " (is posternd running?)";
  return "";
}

}  // namespace

Result<ApiClient> ApiClient::connect(const std::string& path) {
  const auto address = unix_address(path);
  if (!address) return address.error();
  UniqueFd fd = unix_stream(0);
  if (!fd) return failed("cannot create a socket: " + reason(errno));
  if (const int error = connect_unix(fd.get(), *address); error != 0)
    return failed("cannot reach posternd at " + path + ": " + reason(error) + hint(error));
  return ApiClient(std::move(fd));
}

Result<Reply> ApiClient::call(const Request& request, std::chrono::seconds patience) {
  const timeval limit{patience.count(), 0};
  for (const int option : {SO_RCVTIMEO, SO_SNDTIMEO})
    if (::setsockopt(fd_.get(), SOL_SOCKET, option, &limit, sizeof limit) != 0)
      return failed("cannot set the patience of the connection: " + reason(errno));
  const std::string line = to_line(request);
  for (size_t sent = 0; sent < line.size();) {
    const ssize_t count = ::send(fd_.get(), line.data() + sent, line.size() - sent, MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    // A daemon that refuses us hangs up while we still talk; its reason waits to be read.
    if (count < 0 && (errno == EPIPE || errno == ECONNRESET)) break;
    if (count <= 0) return failed("cannot send the request: " + reason(errno));
    sent += static_cast<size_t>(count);
  }
  const auto answer = read_line();
  if (!answer) return answer.error();
  return parse_reply(*answer);
}

Result<std::string> ApiClient::read_line() {
  for (size_t searched = 0;;) {
    const size_t end = unread_.find('\n', searched);
    if (end != std::string::npos) {
      std::string line = unread_.substr(0, end);
      unread_.erase(0, end + 1);
      return line;
    }
    searched = unread_.size();
    char piece[64 << 10];
    const ssize_t count = ::recv(fd_.get(), piece, sizeof piece, 0);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) return failed("posternd did not answer in time");
    if (count < 0) return failed("lost the connection to posternd: " + reason(errno));
    if (count == 0) return failed("posternd closed the connection without an answer");
    unread_.append(piece, static_cast<size_t>(count));
  }
}

}  // namespace postern::control
