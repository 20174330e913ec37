#include "dataplane/http1/server_connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <utility>

#include "tests/unit/http1/server_connection_support.h"

namespace headgate::http1 {
namespace {

using http::BodyLength;
using observe::CounterId;
using std::chrono::milliseconds;
using ::testing::EndsWith;
using testing::FakeHandler;
using ::testing::HasSubstr;
using testing::kGet;
using ::testing::Not;
using testing::Peer;
using testing::ServerConnectionTest;
using ::testing::StartsWith;

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

}  // namespace
}  // namespace headgate::http1
