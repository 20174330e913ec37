#include "dataplane/http1/server_connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "tests/unit/http1/loop_test_support.h"

namespace headgate::http1 {
namespace {

using http::BodyLength;
using observe::CounterId;
using testing::ConnectPair;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using testing::LoopTest;
using ::testing::Not;
using testing::Peer;
using ::testing::StartsWith;

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

constexpr std::string_view kGet = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";

class ServerConnectionTest : public LoopTest {
 protected:
  Peer Connect(int buffer = 0) {
    testing::ConnectedPair pair = ConnectPair(buffer);
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

  ServerOptions options_;
  FakeHandler handler_;
  ServerConnections connections_{io_, options_, handler_};
};

TEST_F(ServerConnectionTest, AnswersARequestAndKeepsTheConnection) {
  ReplyToAll();
  Peer client = Connect();
  client.Send(kGet);
  const std::string response = AwaitResponse(client, "ok");
  EXPECT_THAT(response, StartsWith("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nDate: "));
  EXPECT_THAT(response, Not(HasSubstr("Connection")));
  EXPECT_THAT(response, EndsWith("\r\n\r\nok"));
  ASSERT_EQ(handler_.exchanges.size(), 1u);
  EXPECT_TRUE(TurnUntil([&] { return handler_.exchanges[0].done; }));
  EXPECT_EQ(handler_.exchanges[0].target, "/a");
  EXPECT_EQ(handler_.exchanges[0].authority, "x");

  client.Send(kGet);
  AwaitResponse(client, "ok");
  EXPECT_EQ(handler_.exchanges.size(), 2u);
  EXPECT_EQ(connections_.size(), 1u);
  EXPECT_EQ(count(CounterId::kDownstreamConnections), 1u);
  EXPECT_EQ(count(CounterId::kDownstreamRequests), 2u);
}

TEST_F(ServerConnectionTest, AcceptsAHeadInSingleBytes) {
  ReplyToAll();
  Peer client = Connect();
  for (char c : kGet) {
    client.Send({&c, 1});
    Turn(1);
  }
  AwaitResponse(client, "ok");
}

TEST_F(ServerConnectionTest, DeliversAFixedBody) {
  ReplyToAll();
  Peer client = Connect();
  client.Send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\nhello");
  ASSERT_TRUE(TurnUntil([&] { return !handler_.exchanges.empty(); }));
  EXPECT_FALSE(handler_.exchanges[0].request_end);
  client.Send(" world");
  AwaitResponse(client, "ok");
  EXPECT_EQ(handler_.exchanges[0].body, "hello world");
}

TEST_F(ServerConnectionTest, DeliversAChunkedBodyWithTrailersInSingleBytes) {
  ReplyToAll();
  Peer client = Connect();
  const std::string_view request =
      "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
      "5;ext=1\r\nhello\r\n1\r\n!\r\n0\r\nX-Sum: 7\r\nHost: evil\r\n\r\n";
  for (char c : request) {
    client.Send({&c, 1});
    Turn(1);
  }
  AwaitResponse(client, "ok");
  EXPECT_EQ(handler_.exchanges[0].body, "hello!");
  EXPECT_EQ(handler_.exchanges[0].trailers, "X-Sum=7;");
}

TEST_F(ServerConnectionTest, AnswersPipelinedRequestsInOrder) {
  Peer client = Connect();
  client.Send(
      "POST /1 HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab"
      "GET /2 HTTP/1.1\r\nHost: x\r\n\r\n"
      "GET /3 HTTP/1.1\r\nHost: x\r\n\r\n");
  Turn(5);
  // The next one is not looked at before the first is answered.
  ASSERT_EQ(handler_.exchanges.size(), 1u);
  EXPECT_EQ(handler_.exchanges[0].body, "ab");
  handler_.exchanges[0].Reply(200, "one");
  ASSERT_TRUE(TurnUntil([&] { return handler_.exchanges.size() == 2; }));
  EXPECT_EQ(handler_.exchanges[1].target, "/2");
  handler_.exchanges[1].Reply(200, "two");
  ASSERT_TRUE(TurnUntil([&] { return handler_.exchanges.size() == 3; }));
  handler_.exchanges[2].Reply(200, "three");
  const std::string response = AwaitResponse(client, "three");
  EXPECT_LT(response.find("one"), response.find("two"));
}

TEST_F(ServerConnectionTest, MergesHeadAndBodyIntoOneSegmentAtTheEndOfTheTurn) {
  Peer client = Connect();
  client.Send(kGet);
  ASSERT_TRUE(TurnUntil([&] { return !handler_.exchanges.empty(); }));
  handler_.exchanges[0].SendHead(BodyLength::Chunked());
  handler_.exchanges[0].stream->SendBody("a", false);
  handler_.exchanges[0].stream->SendBody("b", false);
  EXPECT_EQ(client.received(), "");
  EXPECT_GT(handler_.exchanges[0].stream->unsent_bytes(), 0u);
  loop_.RunOnce(net::milliseconds(0));
  EXPECT_EQ(handler_.exchanges[0].stream->unsent_bytes(), 0u);
  EXPECT_THAT(client.received(), EndsWith("\r\n\r\n1\r\na\r\n1\r\nb\r\n"));
}

TEST_F(ServerConnectionTest, WritesLargePiecesAtOnce) {
  Peer client = Connect();
  client.Send(kGet);
  ASSERT_TRUE(TurnUntil([&] { return !handler_.exchanges.empty(); }));
  handler_.exchanges[0].SendHead(BodyLength::Fixed(20'000));
  handler_.exchanges[0].stream->SendBody(std::string(20'000, 'x'), true);
  EXPECT_EQ(handler_.exchanges[0].stream->unsent_bytes(), 0u);
  EXPECT_THAT(client.received(), EndsWith(std::string(20'000, 'x')));
  EXPECT_FALSE(handler_.exchanges[0].done);  // never from inside a call
  EXPECT_TRUE(TurnUntil([&] { return handler_.exchanges[0].done; }));
}

TEST_F(ServerConnectionTest, SendsChunksWithTrailers) {
  Peer client = Connect();
  client.Send(kGet);
  ASSERT_TRUE(TurnUntil([&] { return !handler_.exchanges.empty(); }));
  handler_.exchanges[0].SendHead(BodyLength::UntilClose());
  handler_.exchanges[0].stream->SendBody("hello", false);
  http::HeaderMap trailers;
  trailers.Add("X-Sum", "1");
  handler_.exchanges[0].stream->SendTrailers(trailers);
  const std::string response = AwaitResponse(client, "0\r\nX-Sum: 1\r\n\r\n");
  EXPECT_THAT(response, HasSubstr("Transfer-Encoding: chunked\r\n"));
  EXPECT_THAT(response, HasSubstr("\r\n\r\n5\r\nhello\r\n0\r\n"));
  client.Send(kGet);
  EXPECT_TRUE(TurnUntil([&] { return handler_.exchanges.size() == 2; }));
}

TEST_F(ServerConnectionTest, Http10GetsNoChunksAndTheEndOfTheConnection) {
  Peer client = Connect();
  client.Send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  ASSERT_TRUE(TurnUntil([&] { return !handler_.exchanges.empty(); }));
  handler_.exchanges[0].SendHead(BodyLength::Chunked());
  handler_.exchanges[0].stream->SendBody("hello", true);
  ASSERT_TRUE(TurnUntil([&] { return client.ended(); }));
  EXPECT_THAT(client.received(), HasSubstr("Connection: close\r\n"));
  EXPECT_THAT(client.received(), EndsWith("\r\n\r\nhello"));
  EXPECT_FALSE(client.was_reset());
}

TEST_F(ServerConnectionTest, Http10KeepsTheConnectionOnRequest) {
  ReplyToAll();
  Peer client = Connect();
  client.Send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_THAT(AwaitResponse(client, "ok"), HasSubstr("Connection: keep-alive\r\n"));
  client.Send("GET / HTTP/1.0\r\n\r\n");
  EXPECT_THAT(AwaitResponse(client, "ok"), HasSubstr("Connection: close\r\n"));
  EXPECT_TRUE(TurnUntil([&] { return client.ended() && connections_.size() == 0; }));
}

TEST_F(ServerConnectionTest, ClosesWhenTheClientAsksForIt) {
  ReplyToAll();
  Peer client = Connect();
  client.Send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(AwaitResponse(client, "ok"), HasSubstr("Connection: close\r\n"));
  EXPECT_TRUE(TurnUntil([&] { return client.ended() && connections_.size() == 0; }));
  EXPECT_FALSE(client.was_reset());
}

TEST_F(ServerConnectionTest, HeadResponsesHaveNoBody) {
  Peer client = Connect();
  client.Send("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(TurnUntil([&] { return !handler_.exchanges.empty(); }));
  handler_.exchanges[0].Reply(200, "body");
  const std::string response = AwaitResponse(client, "\r\n\r\n");
  EXPECT_THAT(response, HasSubstr("Content-Length: 4\r\n"));
  client.Send(kGet);
  EXPECT_TRUE(TurnUntil([&] { return handler_.exchanges.size() == 2; }));
}

TEST_F(ServerConnectionTest, ResponsesWithoutBodyHaveNone) {
  for (uint16_t status : {uint16_t{204}, uint16_t{304}}) {
    Peer client = Connect();
    const size_t index = handler_.exchanges.size();
    client.Send(kGet);
    ASSERT_TRUE(TurnUntil([&] { return handler_.exchanges.size() > index; }));
    http::ResponseHead head;
    head.status = status;
    handler_.exchanges[index].stream->SendHead(head, true);
    const std::string response = AwaitResponse(client, "\r\n\r\n");
    EXPECT_THAT(response, Not(HasSubstr("Content-Length")));
    EXPECT_THAT(response, Not(HasSubstr("Connection: close")));
  }
}

TEST_F(ServerConnectionTest, AnEmptyResponseSaysSo) {
  Peer client = Connect();
  client.Send(kGet);
  ASSERT_TRUE(TurnUntil([&] { return !handler_.exchanges.empty(); }));
  handler_.exchanges[0].SendHead(BodyLength::Chunked(), true);
  EXPECT_THAT(AwaitResponse(client, "\r\n\r\n"), HasSubstr("Content-Length: 0\r\n"));
}

TEST_F(ServerConnectionTest, SendsContinueWhenTheBodyIsWanted) {
  handler_.on_request = [](FakeHandler::Exchange& e) { e.stream->PauseReading(); };
  Peer client = Connect();
  client.Send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  ASSERT_TRUE(TurnUntil([&] { return !handler_.exchanges.empty(); }));
  Turn();
  EXPECT_EQ(client.received(), "");
  handler_.exchanges[0].stream->ResumeReading();
  EXPECT_EQ(AwaitResponse(client, "\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.Send("ab");
  ASSERT_TRUE(TurnUntil([&] { return handler_.exchanges[0].request_end; }));
  handler_.exchanges[0].Reply(200, "ok");
  EXPECT_THAT(AwaitResponse(client, "ok"), Not(HasSubstr("Connection: close")));
}

TEST_F(ServerConnectionTest, NoContinueAfterAFinalStatusAndTheConnectionEnds) {
  handler_.on_request = [](FakeHandler::Exchange& e) {
    e.stream->PauseReading();
    e.Reply(413, "no");
    e.stream->ResumeReading();
  };
  Peer client = Connect();
  client.Send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  ASSERT_TRUE(TurnUntil([&] { return client.ended(); }));
  EXPECT_THAT(client.received(), StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(client.received(), HasSubstr("Connection: close\r\n"));
}

TEST_F(ServerConnectionTest, NoContinueWhenTheBodyIsThereAlready) {
  ReplyToAll();
  Peer client = Connect();
  client.Send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\nab");
  EXPECT_THAT(AwaitResponse(client, "ok"), StartsWith("HTTP/1.1 200"));
}

TEST_F(ServerConnectionTest, PassesInformationalResponsesToHttp11Only) {
  const auto informational = [](FakeHandler::Exchange& e, uint16_t status) {
    http::ResponseHead head;
    head.status = status;
    head.fields.Add("Link", "</a>");
    e.stream->SendInformational(head);
  };
  handler_.on_request = [&](FakeHandler::Exchange& e) {
    informational(e, 103);
    informational(e, 100);  // nobody waits for it
    informational(e, 101);  // nobody asked for it
    e.Reply(200, "ok");
  };
  Peer client = Connect();
  client.Send(kGet);
  EXPECT_THAT(AwaitResponse(client, "ok"),
              StartsWith("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200"));
  Peer old = Connect();
  old.Send("GET / HTTP/1.0\r\n\r\n");
  EXPECT_THAT(AwaitResponse(old, "ok"), StartsWith("HTTP/1.1 200"));
}

TEST_F(ServerConnectionTest, PausedBodiesWaitInTheKernel) {
  handler_.on_request = [](FakeHandler::Exchange& e) { e.stream->PauseReading(); };
  Peer client = Connect(8192);
  client.Send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n");
  ASSERT_TRUE(TurnUntil([&] { return !handler_.exchanges.empty(); }));
  const std::string data(1'000'000, 'x');
  size_t sent = 0;
  for (int i = 0; i < 50; ++i) {
    sent += client.Send(std::string_view(data).substr(sent));
    Turn(1);
  }
  EXPECT_LT(sent, 500'000u);
  EXPECT_EQ(handler_.exchanges[0].body, "");
  handler_.exchanges[0].stream->ResumeReading();
  ASSERT_TRUE(TurnUntil([&] {
    sent += client.Send(std::string_view(data).substr(sent));
    return handler_.exchanges[0].request_end;
  }));
  EXPECT_EQ(handler_.exchanges[0].body.size(), data.size());
}

TEST_F(ServerConnectionTest, TellsWhenASlowClientHasCaughtUp) {
  Peer client = Connect(8192);
  client.Send(kGet);
  ASSERT_TRUE(TurnUntil([&] { return !handler_.exchanges.empty(); }));
  FakeHandler::Exchange& exchange = handler_.exchanges[0];
  exchange.SendHead(BodyLength::Fixed(2'000'000));
  exchange.stream->SendBody(std::string(1'000'000, 'x'), false);
  Turn();
  EXPECT_GT(exchange.stream->unsent_bytes(), http::ServerStream::kHighWater);
  EXPECT_EQ(exchange.writable, 0);
  exchange.on_writable = [](FakeHandler::Exchange& e) {
    EXPECT_LT(e.stream->unsent_bytes(), http::ServerStream::kLowWater);
    e.stream->SendBody(std::string(1'000'000, 'y'), true);
  };
  size_t received = 0;
  ASSERT_TRUE(TurnUntil([&] {
    received += client.Take().size();
    return exchange.done;
  }));
  EXPECT_EQ(exchange.writable, 1);
  ASSERT_TRUE(TurnUntil([&] {
    received += client.Take().size();
    return received > 2'000'000;
  }));
}

TEST_F(ServerConnectionTest, DropsTheRestOfAShortRequestAfterAnEarlyResponse) {
  handler_.on_request = [](FakeHandler::Exchange& e) { e.Reply(403, "no"); };
  Peer client = Connect();
  client.Send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n");
  EXPECT_THAT(AwaitResponse(client, "no"), Not(HasSubstr("Connection: close")));
  EXPECT_TRUE(handler_.exchanges[0].done);
  ReplyToAll();
  client.Send(std::string(1000, 'x') + std::string(kGet));
  AwaitResponse(client, "ok");
  EXPECT_EQ(handler_.exchanges.size(), 2u);
  EXPECT_EQ(handler_.exchanges[0].body, "");
}

TEST_F(ServerConnectionTest, DropsTheRestOfAChunkedRequestAfterAnEarlyResponse) {
  handler_.on_request = [](FakeHandler::Exchange& e) { e.Reply(403, "no"); };
  Peer client = Connect();
  client.Send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel");
  AwaitResponse(client, "no");
  ReplyToAll();
  client.Send("lo\r\n0\r\nA: b\r\n\r\n" + std::string(kGet));
  AwaitResponse(client, "ok");
  EXPECT_EQ(handler_.exchanges.size(), 2u);
}

TEST_F(ServerConnectionTest, EndsTheConnectionWhenTheRestOfARequestIsLong) {
  handler_.on_request = [](FakeHandler::Exchange& e) { e.Reply(413, "no"); };
  Peer client = Connect();
  client.Send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n");
  const std::string data(100'000, 'x');
  // The client goes on sending; it must still get the whole answer.
  ASSERT_TRUE(TurnUntil([&] {
    client.Send(data);
    return client.ended();
  }));
  EXPECT_FALSE(client.was_reset());
  EXPECT_THAT(client.received(), HasSubstr("Connection: close\r\n"));
  EXPECT_THAT(client.received(), EndsWith("no"));
  client.Close();
  EXPECT_TRUE(TurnUntil([&] { return connections_.size() == 0; }));
}

TEST_F(ServerConnectionTest, EndsTheConnectionWhenAChunkedRequestDoesNotEnd) {
  handler_.on_request = [](FakeHandler::Exchange& e) { e.Reply(413, "no"); };
  Peer client = Connect();
  client.Send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
  AwaitResponse(client, "no");
  ASSERT_TRUE(TurnUntil([&] {
    client.Send("1000\r\n" + std::string(4096, 'x') + "\r\n");
    return client.ended();
  }));
  EXPECT_FALSE(client.was_reset());
}

TEST_F(ServerConnectionTest, AResponseShorterThanPromisedNeverLooksComplete) {
  Peer client = Connect();
  client.Send(kGet);
  ASSERT_TRUE(TurnUntil([&] { return !handler_.exchanges.empty(); }));
  handler_.exchanges[0].SendHead(BodyLength::Fixed(10));
  handler_.exchanges[0].stream->SendBody("short", true);
  ASSERT_TRUE(TurnUntil([&] { return client.ended(); }));
  EXPECT_THAT(client.received(), EndsWith("\r\n\r\nshort"));
}

TEST_F(ServerConnectionTest, AResponseLongerThanPromisedIsCut) {
  handler_.on_request = [](FakeHandler::Exchange& e) {
    e.SendHead(BodyLength::Fixed(2));
    e.stream->SendBody("okHTTP/1.1 200 forged", true);
  };
  Peer client = Connect();
  client.Send(kGet);
  AwaitResponse(client, "\r\n\r\nok");
}

TEST_F(ServerConnectionTest, ResetNeverLooksComplete) {
  const auto run = [&](BodyLength length, std::string_view request) {
    handler_.on_request = [&](FakeHandler::Exchange& e) {
      e.SendHead(length);
      e.stream->SendBody(std::string(20'000, 'x'), false);
    };
    Peer client = Connect();
    const size_t index = handler_.exchanges.size();
    client.Send(request);
    EXPECT_TRUE(TurnUntil([&] { return handler_.exchanges.size() > index; }));
    EXPECT_TRUE(TurnUntil([&] { return client.received().size() > 20'000; }));
    handler_.exchanges[index].stream->Reset();
    EXPECT_TRUE(TurnUntil([&] { return client.ended(); }));
    EXPECT_FALSE(handler_.exchanges[index].over());  // no event after Reset
    return std::pair(client.received(), client.was_reset());
  };
  EXPECT_THAT(run(BodyLength::Chunked(), kGet).first, Not(EndsWith("0\r\n\r\n")));
  run(BodyLength::Fixed(30'000), kGet);
  // Only a reset tells a response that ends with the connection from a broken one.
  EXPECT_TRUE(run(BodyLength::UntilClose(), "GET / HTTP/1.0\r\n\r\n").second);
}

TEST_F(ServerConnectionTest, RefusedRequestsAreAnsweredByTheHandlerAndEndTheConnection) {
  const std::pair<std::string_view, int> kCases[] = {
      {"GET / HTTP/1.1\r\n\r\n", 400},
      {"GET / HTTP/1.1\nHost: a\n\n", 400},
      {"GET / HTTP/3.0\r\nHost: x\r\n\r\n", 505},
      {"CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n", 405},
      {"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501},
      {"\x16\x03\x01\x02\r\n\r\n", 400},
  };
  for (const auto& [request, status] : kCases) {
    Peer client = Connect();
    // What follows must not be answered.
    client.Send(std::string(request) + std::string(kGet));
    ASSERT_TRUE(TurnUntil([&] { return client.ended(); })) << request;
    EXPECT_FALSE(client.was_reset());
    EXPECT_THAT(client.received(), StartsWith("HTTP/1.1 " + std::to_string(status) + " "));
    EXPECT_THAT(client.received(), HasSubstr("Connection: close\r\n"));
    EXPECT_THAT(client.received(), EndsWith("\r\n\r\nbad"));
    EXPECT_EQ(handler_.bad_statuses.back(), status);
    client.Close();
    EXPECT_TRUE(TurnUntil([&] { return connections_.size() == 0; }));
  }
  EXPECT_TRUE(handler_.exchanges.empty());
  EXPECT_EQ(handler_.bad_lines[0], "GET / HTTP/1.1");
  EXPECT_EQ(count(CounterId::kDownstreamBadRequests), std::size(kCases));
  EXPECT_EQ(count(CounterId::kDownstreamRequestsActive), 0u);
}

TEST_F(ServerConnectionTest, TooLongHeadsAreRefusedBeforeTheyEnd) {
  options_.limits.max_head_bytes = 1000;
  options_.limits.max_line_bytes = 500;
  const auto status = [&](std::string text) {
    Peer client = Connect();
    client.Send(text);
    EXPECT_TRUE(TurnUntil([&] { return client.ended(); }));
    return handler_.bad_statuses.back();
  };
  EXPECT_EQ(status("GET /" + std::string(2000, 'a')), 414);
  EXPECT_EQ(status("GET /" + std::string(600, 'a')), 414);
  EXPECT_EQ(status("GET / HTTP/1.1\r\nX: " + std::string(2000, 'a')), 431);
  EXPECT_EQ(status("GET / HTTP/1.1\r\nHost: x\r\nX: " + std::string(2000, 'a') + "\r\n\r\n"), 431);
}

TEST_F(ServerConnectionTest, AMalformedBodyIsAnsweredUnlessAResponseIsUnderWay) {
  Peer client = Connect();
  client.Send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n");
  ASSERT_TRUE(TurnUntil([&] { return client.ended(); }));
  EXPECT_THAT(client.received(), StartsWith("HTTP/1.1 400 "));
  ASSERT_TRUE(handler_.exchanges[0].failure);
  EXPECT_EQ(handler_.exchanges[0].failure->kind, base::Failure::Kind::kProtocol);

  handler_.on_request = [](FakeHandler::Exchange& e) { e.SendHead(BodyLength::Chunked()); };
  Peer second = Connect();
  second.Send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n");
  ASSERT_TRUE(TurnUntil([&] { return second.ended(); }));
  EXPECT_THAT(second.received(), Not(HasSubstr("400")));
  EXPECT_TRUE(handler_.exchanges[1].failure);
}

TEST_F(ServerConnectionTest, ASlowHeadTimesOutWith408) {
  options_.head_timeout = milliseconds(20);
  Peer client = Connect();
  client.Send("GET / HT");
  ASSERT_TRUE(TurnUntil([&] { return client.ended(); }));
  EXPECT_THAT(client.received(), StartsWith("HTTP/1.1 408 "));
  EXPECT_EQ(handler_.bad_lines.back(), "GET / HT");
}

TEST_F(ServerConnectionTest, ASilentConnectionIsClosedSilently) {
  options_.head_timeout = milliseconds(20);
  Peer client = Connect();
  ASSERT_TRUE(TurnUntil([&] { return client.ended(); }));
  EXPECT_EQ(client.received(), "");
  EXPECT_TRUE(handler_.bad_statuses.empty());
}

TEST_F(ServerConnectionTest, ASlowBodyTimesOutWith408) {
  options_.body_timeout = milliseconds(20);
  Peer client = Connect();
  client.Send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\na");
  ASSERT_TRUE(TurnUntil([&] { return client.ended(); }));
  EXPECT_THAT(client.received(), StartsWith("HTTP/1.1 408 "));
  ASSERT_TRUE(handler_.exchanges[0].failure);
  EXPECT_EQ(handler_.exchanges[0].failure->kind, base::Failure::Kind::kTimeout);
}

TEST_F(ServerConnectionTest, APausedBodyDoesNotTimeOut) {
  options_.body_timeout = milliseconds(1);
  handler_.on_request = [](FakeHandler::Exchange& e) { e.stream->PauseReading(); };
  Peer client = Connect();
  client.Send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\na");
  ASSERT_TRUE(TurnUntil([&] { return !handler_.exchanges.empty(); }));
  const auto begin = loop_.now();
  ASSERT_TRUE(TurnUntil([&] { return loop_.now() - begin > milliseconds(60); }));
  EXPECT_FALSE(handler_.exchanges[0].over());
}

TEST_F(ServerConnectionTest, AnIdleConnectionIsClosedSilently) {
  options_.idle_timeout = milliseconds(20);
  ReplyToAll();
  Peer client = Connect();
  client.Send(kGet);
  AwaitResponse(client, "ok");
  ASSERT_TRUE(TurnUntil([&] { return client.ended(); }));
  EXPECT_EQ(client.received(), "");
  EXPECT_EQ(connections_.size(), 0u);
}

TEST_F(ServerConnectionTest, AClientThatDoesNotReadTimesOut) {
  options_.send_timeout = milliseconds(20);
  Peer client = Connect(8192);
  client.Send(kGet);
  ASSERT_TRUE(TurnUntil([&] { return !handler_.exchanges.empty(); }));
  handler_.exchanges[0].Reply(200, std::string(5'000'000, 'x'));
  ASSERT_TRUE(TurnUntil([&] { return handler_.exchanges[0].failure.has_value(); }));
  EXPECT_EQ(handler_.exchanges[0].failure->kind, base::Failure::Kind::kTimeout);
  EXPECT_EQ(connections_.size(), 0u);
}

TEST_F(ServerConnectionTest, AHalfClosedClientGetsItsResponse) {
  Peer client = Connect();
  client.Send(kGet);
  client.EndWriting();
  ASSERT_TRUE(TurnUntil([&] { return !handler_.exchanges.empty(); }));
  Turn();
  handler_.exchanges[0].Reply(200, "ok");
  ASSERT_TRUE(TurnUntil([&] { return client.ended() && connections_.size() == 0; }));
  EXPECT_THAT(client.received(), EndsWith("\r\n\r\nok"));
  EXPECT_TRUE(handler_.exchanges[0].done);
}

TEST_F(ServerConnectionTest, AHalfClosedClientIsGoneIfWeAreToldSo) {
  options_.cancel_on_half_close = true;
  Peer client = Connect();
  client.Send(kGet);
  client.EndWriting();
  ASSERT_TRUE(TurnUntil(
      [&] { return !handler_.exchanges.empty() && handler_.exchanges[0].failure.has_value(); }));
  EXPECT_EQ(connections_.size(), 0u);
}

TEST_F(ServerConnectionTest, AClientThatLeavesInMidBodyFailsTheExchange) {
  Peer client = Connect();
  client.Send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\na");
  ASSERT_TRUE(TurnUntil([&] { return !handler_.exchanges.empty(); }));
  client.Close();
  ASSERT_TRUE(TurnUntil([&] { return handler_.exchanges[0].failure.has_value(); }));
  EXPECT_EQ(handler_.exchanges[0].failure->kind, base::Failure::Kind::kClosed);
}

TEST_F(ServerConnectionTest, AResetWhileWaitingFailsTheExchange) {
  Peer client = Connect();
  client.Send(kGet);
  ASSERT_TRUE(TurnUntil([&] { return !handler_.exchanges.empty(); }));
  client.CloseWithReset();
  ASSERT_TRUE(TurnUntil([&] { return handler_.exchanges[0].failure.has_value(); }));
  EXPECT_EQ(handler_.exchanges[0].failure->kind, base::Failure::Kind::kReset);
  EXPECT_EQ(count(CounterId::kDownstreamRequestsActive), 0u);
  EXPECT_EQ(count(CounterId::kDownstreamConnectionsActive), 0u);
}

TEST_F(ServerConnectionTest, TheLastAllowedRequestEndsTheConnection) {
  options_.max_requests = 2;
  ReplyToAll();
  Peer client = Connect();
  client.Send(kGet);
  EXPECT_THAT(AwaitResponse(client, "ok"), Not(HasSubstr("Connection")));
  client.Send(kGet);
  EXPECT_THAT(AwaitResponse(client, "ok"), HasSubstr("Connection: close\r\n"));
  EXPECT_TRUE(TurnUntil([&] { return client.ended(); }));
}

TEST_F(ServerConnectionTest, DrainClosesIdleConnectionsNowAndOthersAfterTheirResponse) {
  Peer idle = Connect();
  Peer busy = Connect();
  busy.Send(kGet);
  ASSERT_TRUE(TurnUntil([&] { return !handler_.exchanges.empty(); }));
  connections_.Drain();
  ASSERT_TRUE(TurnUntil([&] { return idle.ended(); }));
  EXPECT_EQ(connections_.size(), 1u);
  handler_.exchanges[0].Reply(200, "ok");
  EXPECT_THAT(AwaitResponse(busy, "ok"), HasSubstr("Connection: close\r\n"));
  busy.Close();
  EXPECT_TRUE(TurnUntil([&] { return connections_.size() == 0; }));
}

TEST_F(ServerConnectionTest, CloseAllFailsEveryExchange) {
  Peer idle = Connect();
  Peer busy = Connect();
  busy.Send(kGet);
  ASSERT_TRUE(TurnUntil([&] { return !handler_.exchanges.empty(); }));
  connections_.CloseAll();
  ASSERT_TRUE(handler_.exchanges[0].failure);
  EXPECT_EQ(handler_.exchanges[0].failure->kind, base::Failure::Kind::kDraining);
  EXPECT_TRUE(TurnUntil([&] { return idle.ended() && busy.ended(); }));
}

TEST_F(ServerConnectionTest, ResetInsideAnyCallbackIsSafe) {
  const std::string_view request =
      "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n0\r\nA: "
      "b\r\n\r\n";
  // After how many events the exchange gives up: in OnRequest, in each body event, in the trailers.
  for (int after = 0; after < 4; ++after) {
    int events = 0;
    const auto maybe_reset = [&events, after](FakeHandler::Exchange& e) {
      if (events++ == after) e.stream->Reset();
    };
    handler_.on_request = [&](FakeHandler::Exchange& e) {
      e.on_body = maybe_reset;
      maybe_reset(e);
    };
    Peer client = Connect();
    client.Send(std::string(request) + std::string(kGet));
    ASSERT_TRUE(TurnUntil([&] { return client.ended(); })) << after;
    EXPECT_EQ(connections_.size(), 0u);
    EXPECT_FALSE(handler_.exchanges.back().over());
  }
  handler_.on_request = nullptr;
  handler_.reset_bad_requests = true;
  Peer client = Connect();
  client.Send("bad\r\n\r\n");
  ASSERT_TRUE(TurnUntil([&] { return client.ended(); }));
  EXPECT_EQ(connections_.size(), 0u);
}

TEST_F(ServerConnectionTest, ResetInsideWritableIsSafe) {
  Peer client = Connect(8192);
  client.Send(kGet);
  ASSERT_TRUE(TurnUntil([&] { return !handler_.exchanges.empty(); }));
  FakeHandler::Exchange& exchange = handler_.exchanges[0];
  exchange.on_writable = [](FakeHandler::Exchange& e) { e.stream->Reset(); };
  exchange.SendHead(BodyLength::Fixed(2'000'000));
  exchange.stream->SendBody(std::string(1'000'000, 'x'), false);
  ASSERT_TRUE(TurnUntil([&] {
    client.Take();
    return client.ended();
  }));
  EXPECT_EQ(exchange.writable, 1);
}

}  // namespace
}  // namespace headgate::http1
