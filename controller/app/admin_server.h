#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/clock.h"
#include "common/host_port.h"

namespace headgate::app {

struct AdminReply {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
};

// A small HTTP/1.1 server for operators and probes: GET and HEAD, one request a connection. It runs
// in one thread, and bounds everything a client can do: size and time of a request, time to take
// the answer, number of connections.
class AdminServer {
 public:
  // `path` is without the query. Called on the server's thread.
  using Handler = std::function<AdminReply(std::string_view path)>;

  // `clock`, and what `handler` refers to, outlive the server.
  static absl::StatusOr<std::unique_ptr<AdminServer>> Start(const HostPort& listen, Handler handler,
                                                            const Clock& clock);
  ~AdminServer();
  AdminServer(const AdminServer&) = delete;
  AdminServer& operator=(const AdminServer&) = delete;

  uint16_t port() const { return port_; }

 private:
  struct Connection {
    int fd = -1;
    absl::Duration deadline;
    std::string received;
    std::string reply;  // not empty: being written
    size_t written = 0;
    bool draining = false;  // the reply is out; we wait for the client to close
  };

  AdminServer(Handler handler, const Clock& clock) : handler_(std::move(handler)), clock_(clock) {}

  absl::Status Listen(const HostPort& listen);
  void Run();
  void Accept();
  // False: the connection is over.
  bool Serve(Connection& connection);
  bool Read(Connection& connection);
  bool Write(Connection& connection);
  std::string ReplyTo(std::string_view head) const;

  const Handler handler_;
  const Clock& clock_;
  int listener_ = -1;
  int stop_ = -1;  // eventfd
  uint16_t port_ = 0;
  std::list<Connection> connections_;
  absl::Duration accept_after_;  // monotonic; not before, where descriptors ran out
  std::thread thread_;
};

}  // namespace headgate::app
