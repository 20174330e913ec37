#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/any_invocable.h"
#include "dataplane/base/arena.h"
#include "dataplane/codec/worker_io.h"
#include "dataplane/downstream/connections.h"
#include "dataplane/net/event_loop.h"
#include "dataplane/net/listener.h"
#include "dataplane/observe/counters.h"

namespace headgate::admin {

struct AdminReply {
  // The next piece of a body, valid until the next call; empty: that was all.
  using Pieces = absl::AnyInvocable<std::string_view()>;

  uint16_t status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
  // For a body too large to be held as a whole: goes on where `body` ends. Called on the admin
  // thread, as fast as the client reads.
  Pieces more = nullptr;
};

// The operator's window into the data plane: small GET requests on a port of its own, answered on a
// thread of its own, so that a scrape never delays traffic. Speaks through the same strict HTTP/1.1
// codec as the proxy.
class AdminServer final : private net::AcceptHandler, private http::ServerHandler {
 public:
  // Answers one request; runs on the admin thread and may take a moment.
  using Handler = std::function<AdminReply()>;

  // `socket` is a BindTcp() result.
  explicit AdminServer(net::Fd socket);
  ~AdminServer();
  AdminServer(const AdminServer&) = delete;
  AdminServer& operator=(const AdminServer&) = delete;

  // Before Start. `path` is matched exactly; "/" lists all paths with their descriptions.
  void Handle(std::string path, std::string description, Handler handler);
  void Start();
  // Ends the thread. Handlers are not called afterwards.
  void Stop();

  const base::Address& address() const { return address_; }

 private:
  // The whole answer is given with the request; what comes later concerns nobody. Serves every
  // stream at once.
  class NothingMore final : public http::ServerStreamEvents {
    void OnRequestBody(std::string_view, bool) override {}
    void OnRequestTrailers(const http::HeaderMap&) override {}
    void OnDownstreamWritable() override {}
    void OnDownstreamReset(const http::Failure&) override {}
    void OnExchangeDone() override {}
  };
  // A reply whose body is made as the client takes it. Lives until its stream's last event.
  class PiecewiseReply final : public http::ServerStreamEvents, public net::Retirable {
   public:
    PiecewiseReply(AdminServer& server, http::ServerStream& stream, AdminReply::Pieces more)
        : server_(server), stream_(stream), more_(std::move(more)) {}
    // Gives the stream what it wants to hold, or the end.
    void Send();

   private:
    void OnRequestBody(std::string_view, bool) override {}
    void OnRequestTrailers(const http::HeaderMap&) override {}
    void OnDownstreamWritable() override { Send(); }
    void OnDownstreamReset(const http::Failure&) override { server_.Forget(*this); }
    void OnExchangeDone() override { server_.Forget(*this); }

    AdminServer& server_;
    http::ServerStream& stream_;
    AdminReply::Pieces more_;
    bool ended_ = false;
  };
  struct Page {
    std::string description;
    Handler handler;
  };

  void OnAccept(net::Listener& listener, net::Fd connection, const base::Address& peer) override;
  void OnAcceptOverload(net::Listener& listener, int error) override;
  http::ServerStreamEvents* OnRequest(http::ServerStream& stream, const http::RequestHead& head,
                                      bool end) override;
  void OnBadRequest(http::ServerStream& stream, const http::BadRequest& bad) override;

  AdminReply Answer(const http::RequestHead& head) const;
  http::ServerStreamEvents* Send(http::ServerStream& stream, AdminReply reply, bool with_body);
  void Forget(PiecewiseReply& reply);
  AdminReply Index() const;

  net::Fd socket_;
  base::Address address_;
  std::map<std::string, Page, std::less<>> pages_;

  base::BlockPool blocks_;  // outlives the loop, which frees what is retired
  net::EventLoop loop_;
  observe::CounterShard counters_;
  codec::WorkerIo io_{loop_, blocks_, counters_};
  codec::ServerOptions options_;
  NothingMore nothing_more_;
  absl::flat_hash_map<PiecewiseReply*, std::unique_ptr<PiecewiseReply>> piecewise_;
  std::unique_ptr<net::Listener> listener_;
  std::unique_ptr<downstream::Connections> connections_;
  std::thread thread_;
};

}  // namespace headgate::admin
