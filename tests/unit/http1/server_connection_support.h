// A server connection on loopback with a proxy behind it that does what each test says.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "dataplane/downstream/connections.h"
#include "tests/unit/http1/loop_test_support.h"

namespace headgate::http1::testing {

using http::BodyLength;

// Plays the proxy: notes what happens and does what the test says in each callback.
class FakeHandler : public http::ServerHandler {
 public:
  struct Exchange : http::ServerStreamEvents {
    http::ServerStream* stream = nullptr;
    std::string method, target, authority, body, trailers;
    bool request_end = false;
    bool done = false;
    int writable = 0;
    std::optional<base::Failure> failure;
    std::function<void(Exchange&)> on_body, on_writable;

    bool over() const { return done || failure.has_value(); }
    void OnRequestBody(std::string_view piece, bool end) override {
      EXPECT_FALSE(over());
      EXPECT_FALSE(request_end);
      body += piece;
      request_end = end;
      if (on_body) on_body(*this);
    }
    void OnRequestTrailers(const http::HeaderMap& fields) override {
      EXPECT_FALSE(over());
      request_end = true;
      for (const http::Field& field : fields) {
        trailers += std::string(field.name) + "=" + std::string(field.value) + ";";
      }
      if (on_body) on_body(*this);
    }
    void OnDownstreamWritable() override {
      ++writable;
      if (on_writable) on_writable(*this);
    }
    void OnDownstreamReset(const base::Failure& f) override {
      EXPECT_FALSE(over());
      failure = f;
    }
    void OnExchangeDone() override {
      EXPECT_FALSE(over());
      done = true;
    }

    void Reply(uint16_t status, std::string_view text) {
      http::ResponseHead head;
      head.status = status;
      head.body = BodyLength::Fixed(text.size());
      stream->SendHead(head, false);
      stream->SendBody(text, true);
    }
    void SendHead(BodyLength length, bool end = false) {
      http::ResponseHead head;
      head.body = length;
      stream->SendHead(head, end);
    }
  };

  http::ServerStreamEvents* OnRequest(http::ServerStream& stream, const http::RequestHead& head,
                                      bool end) override {
    Exchange& exchange = exchanges.emplace_back();
    exchange.stream = &stream;
    exchange.method = head.method_text;
    exchange.target = head.target;
    exchange.authority = head.authority;
    exchange.request_end = end;
    if (on_request) on_request(exchange);
    return &exchange;
  }
  void OnBadRequest(http::ServerStream& stream, const http::BadRequest& bad) override {
    bad_statuses.push_back(bad.status);
    bad_lines.emplace_back(bad.request_line);
    bad_details.emplace_back(bad.failure.detail);
    http::ResponseHead head;
    head.status = bad.status;
    head.body = BodyLength::Fixed(3);
    if (reset_bad_requests) {
      stream.Reset();
      return;
    }
    stream.SendHead(head, false);
    stream.SendBody("bad", true);
  }

  std::deque<Exchange> exchanges;
  std::vector<int> bad_statuses;
  std::vector<std::string> bad_lines, bad_details;
  std::function<void(Exchange&)> on_request;
  bool reset_bad_requests = false;
};

inline constexpr std::string_view kGet = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";

class ServerConnectionTest : public LoopTest {
 protected:
  Peer Connect(int buffer = 0) {
    ConnectedPair pair = ConnectPair(buffer);
    http::ConnectionInfo info;
    info.peer_ip = "192.0.2.1";
    connections_.Add(std::make_unique<net::TcpTransport>(std::move(pair.ours)), std::move(info));
    return Peer(pair.theirs.Release());
  }
  void ReplyToAll(std::string text = "ok") {
    handler_.on_request = [text](FakeHandler::Exchange& exchange) {
      if (exchange.request_end) {
        exchange.Reply(200, text);
      } else {
        exchange.on_body = [text](FakeHandler::Exchange& e) {
          if (e.request_end) e.Reply(200, text);
        };
      }
    };
  }
  // Waits for a response head and `body`.
  std::string AwaitResponse(Peer& peer, std::string_view body) {
    EXPECT_TRUE(TurnUntil([&] { return std::string_view(peer.received()).ends_with(body); }))
        << peer.received();
    return peer.Take();
  }

  codec::ServerOptions options_;
  FakeHandler handler_;
  downstream::Connections connections_{io_, options_, handler_};
};

}  // namespace headgate::http1::testing
