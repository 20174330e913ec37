// How requests and connections end: refusals, time limits, half-closed and vanished clients, drain.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "dataplane/http1/server_connection.h"
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

TEST_F(ServerConnectionTest, AnEndAnnouncedIsSaidWithEachResponseAndClosesNothingBefore) {
  Peer idle = Connect();
  Peer busy = Connect();
  busy.Send(kGet);
  ASSERT_TRUE(TurnUntil([&] { return !handler_.exchanges.empty(); }));
  connections_.AnnounceEnd();
  handler_.exchanges[0].Reply(200, "ok");
  EXPECT_THAT(AwaitResponse(busy, "ok"), HasSubstr("Connection: close\r\n"));
  EXPECT_TRUE(TurnUntil([&] { return busy.ended(); }));

  EXPECT_FALSE(idle.ended());
  ReplyToAll();
  Peer late = Connect();
  for (Peer* client : {&idle, &late}) {
    client->Send(kGet);
    EXPECT_THAT(AwaitResponse(*client, "ok"), HasSubstr("Connection: close\r\n"));
    EXPECT_TRUE(TurnUntil([&] { return client->ended(); }));
  }
}

TEST_F(ServerConnectionTest, AResponseBegunBeforeAnEndIsAnnouncedKeepsItsConnectionForOneMore) {
  Peer client = Connect();
  client.Send(kGet);
  ASSERT_TRUE(TurnUntil([&] { return !handler_.exchanges.empty(); }));
  handler_.exchanges[0].SendHead(BodyLength::Fixed(2));
  EXPECT_THAT(AwaitResponse(client, "\r\n\r\n"), Not(HasSubstr("Connection")));
  connections_.AnnounceEnd();
  handler_.exchanges[0].stream->SendBody("ok", true);
  AwaitResponse(client, "ok");
  ReplyToAll();
  client.Send(kGet);
  EXPECT_THAT(AwaitResponse(client, "ok"), HasSubstr("Connection: close\r\n"));
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

TEST_F(ServerConnectionTest, AResponseEndedInsideWritableIsSentBeforeTheConnectionCloses) {
  Peer client = Connect();
  client.Send("GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  ASSERT_TRUE(TurnUntil([&] { return !handler_.exchanges.empty(); }));
  FakeHandler::Exchange& exchange = handler_.exchanges[0];
  exchange.on_writable = [](FakeHandler::Exchange& e) {
    e.stream->SendBody(std::string(20'000'000, 'y'), true);  // more than the socket takes
  };
  exchange.SendHead(BodyLength::Chunked());
  // Little enough waits for the next flush to take all of it, and more than the high-water mark.
  while (exchange.stream->unsent_bytes() <= http::ServerStream::kHighWater) {
    exchange.stream->SendBody(std::string(32 * 1024, 'x'), false);
  }
  std::string received;
  ASSERT_TRUE(TurnUntil([&] {
    received += client.Take();
    return client.ended();
  }));
  EXPECT_GT(received.size(), 20'000'000u);
  EXPECT_TRUE(received.ends_with("y\r\n0\r\n\r\n"));
}

}  // namespace
}  // namespace headgate::http1
