#pragma once

#include <sys/types.h>

#include <cstddef>
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

struct ssl_st;
struct ssl_ctx_st;

namespace headgate::app {

struct HttpReply {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
};

struct HttpRequest {
  std::string method;
  std::string path;  // without the query
  std::string body;
};

// Certificate and key for new connections, now. Null: there is none that could be used, and the
// connection ends. Called on the server's thread.
using ServerTls = std::function<std::shared_ptr<ssl_ctx_st>()>;

struct HttpServerOptions {
  HostPort listen;
  ServerTls tls = nullptr;  // null: none
  // GET and HEAD are always taken; with a limit above 0 POST as well, and bodies up to it.
  size_t max_body = 0;
  // At a time; newcomers wait. With it `max_body` bounds memory.
  size_t max_connections = 64;
};

// A small HTTP/1.1 server for operators, probes and API servers: one request a connection, with a
// Content-Length if it has a body. It runs in one thread, and bounds everything a client can do:
// size and time of a request, time to take the answer, number of connections.
class HttpServer {
 public:
  // Called on the server's thread.
  using Handler = std::function<HttpReply(const HttpRequest& request)>;

  // `clock`, and what `handler` and `options.tls` refer to, outlive the server.
  static absl::StatusOr<std::unique_ptr<HttpServer>> Start(HttpServerOptions options,
                                                           Handler handler, const Clock& clock);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  uint16_t port() const { return port_; }

 private:
  struct Connection {
    int fd = -1;
    std::shared_ptr<ssl_st> tls;   // null: none
    bool tls_wants_write = false;  // to go on with what it is asked to do
    absl::Duration deadline;
    std::string received;
    HttpRequest request;   // once its head is there
    size_t body_left = 0;  // bytes of its body that are still to come
    std::string reply;     // not empty: being written
    size_t written = 0;
    bool draining = false;  // the reply is out; we wait for the client to close
  };

  HttpServer(HttpServerOptions options, Handler handler, const Clock& clock)
      : options_(std::move(options)), handler_(std::move(handler)), clock_(clock) {}

  absl::Status Listen();
  void Run();
  void Accept();
  // False: the connection is over.
  bool Serve(Connection& connection);
  bool Read(Connection& connection);
  bool Write(Connection& connection);
  // As recv and send, of the connection's TLS if it has one.
  static ssize_t Receive(Connection& connection, char* to, size_t size);
  static ssize_t Send(Connection& connection, std::string_view bytes);
  // Takes in what came. True: the request is complete, or the reply to a bad one is there.
  bool TakeIn(Connection& connection, std::string_view bytes);
  // Reads the head. Not 0: the status of the reply to a bad one.
  int ReadHead(Connection& connection, std::string_view head) const;

  const HttpServerOptions options_;
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
