#include "dataplane/http1/client_connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/unit/http1/loop_test_support.h"

namespace headgate::http1 {
namespace {

using base::Failure;
using http::BodyLength;
using std::chrono::milliseconds;
using testing::ConnectPair;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using testing::LoopTest;
using testing::Peer;
using ::testing::StartsWith;

// Plays the proxy.
struct FakeAttempt : http::ClientStreamEvents {
  http::ClientStream* stream = nullptr;
  std::vector<int> informational;
  int status = 0;
  std::string body, trailers;
  bool end = false;
  int writable = 0;
  std::optional<Failure> failure;
  std::function<void()> on_event;

  void Event() {
    if (on_event) on_event();
  }
  void OnResponseInformational(const http::ResponseHead& head) override {
    informational.push_back(head.status);
    Event();
  }
  void OnResponseHead(const http::ResponseHead& head, bool e) override {
    EXPECT_EQ(status, 0);
    status = head.status;
    end = e;
    Event();
  }
  void OnResponseBody(std::string_view piece, bool e) override {
    EXPECT_NE(status, 0);
    EXPECT_FALSE(end);
    body += piece;
    end = e;
    Event();
  }
  void OnResponseTrailers(const http::HeaderMap& fields) override {
    EXPECT_FALSE(end);
    end = true;
    for (const http::Field& field : fields) trailers += std::string(field.name) + ";";
    Event();
  }
  void OnUpstreamWritable() override {
    ++writable;
    Event();
  }
  void OnUpstreamReset(const Failure& f) override {
    EXPECT_FALSE(failure);
    failure = f;
    Event();
  }
};

class FakeOwner : public ClientConnectionOwner {
 public:
  explicit FakeOwner(net::EventLoop& loop) : loop_(loop) {}
  void OnConnectionIdle(ClientConnection&) override { ++idle; }
  void OnConnectionClosed(ClientConnection& connection) override {
    EXPECT_EQ(&connection, held.get());
    ++closed;
    loop_.Retire(std::move(held));
  }
  std::unique_ptr<ClientConnection> held;
  int idle = 0;
  int closed = 0;

 private:
  net::EventLoop& loop_;
};

class ClientConnectionTest : public LoopTest {
 protected:
  // A connection to a peer that the test plays.
  Peer Connect(int buffer = 0) {
    testing::ConnectedPair pair = ConnectPair(buffer);
    owner_.held = std::make_unique<ClientConnection>(
        io_, options_, owner_, std::make_unique<net::TcpTransport>(std::move(pair.ours)));
    EXPECT_TRUE(owner_.held->Start(milliseconds(1000)));
    return Peer(pair.theirs.Release());
  }
  FakeAttempt& StartAttempt() {
    FakeAttempt& attempt = attempts_.emplace_back();
    attempt.stream = &owner_.held->StartAttempt(attempt, arena_, timeouts_);
    return attempt;
  }
  static http::RequestHead Head(std::string_view method = "GET", BodyLength body = {}) {
    http::RequestHead head;
    head.method_text = method;
    head.method = http::ParseMethod(method);
    head.target = "/";
    head.authority = "x";
    head.body = body;
    return head;
  }
  // Sends GET / and waits until the peer has it.
  FakeAttempt& Get(Peer& peer) {
    FakeAttempt& attempt = StartAttempt();
    attempt.stream->SendHead(Head(), true);
    EXPECT_TRUE(TurnUntil([&] { return peer.received().ends_with("\r\n\r\n"); }));
    peer.Take();
    return attempt;
  }
  // What becomes of a GET that is answered with `response` (and the end of the stream).
  Failure FailureOf(std::string_view response, bool end = true) {
    Peer peer = Connect();
    FakeAttempt& attempt = Get(peer);
    peer.Send(response);
    if (end) peer.EndWriting();
    EXPECT_TRUE(TurnUntil([&] { return attempt.failure.has_value() || attempt.end; })) << response;
    EXPECT_TRUE(attempt.failure.has_value()) << response;
    EXPECT_EQ(owner_.held, nullptr);
    return attempt.failure.value_or(Failure{});
  }

  codec::ClientOptions options_;
  codec::AttemptTimeouts timeouts_;
  FakeOwner owner_{loop_};
  base::Arena arena_{blocks_};
  std::deque<FakeAttempt> attempts_;
};

TEST_F(ClientConnectionTest, CarriesARequestAndIsReused) {
  Peer peer = Connect();
  EXPECT_TRUE(owner_.held->available());
  FakeAttempt& first = StartAttempt();
  EXPECT_FALSE(owner_.held->available());
  EXPECT_FALSE(first.stream->connected());
  first.stream->SendHead(Head(), true);
  ASSERT_TRUE(TurnUntil([&] { return peer.received().ends_with("\r\n\r\n"); }));
  EXPECT_TRUE(first.stream->connected());
  EXPECT_EQ(first.writable, 1);
  EXPECT_EQ(peer.Take(), "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  peer.Send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel");
  ASSERT_TRUE(TurnUntil([&] { return first.body == "hel"; }));
  EXPECT_EQ(owner_.idle, 0);
  peer.Send("lo");
  ASSERT_TRUE(TurnUntil([&] { return first.end; }));
  EXPECT_EQ(owner_.idle, 1);
  EXPECT_FALSE(first.stream->reused());

  FakeAttempt& second = Get(peer);
  EXPECT_TRUE(second.stream->reused());
  peer.Send("HTTP/1.1 204 No Content\r\n\r\n");
  ASSERT_TRUE(TurnUntil([&] { return second.end; }));
  EXPECT_EQ(owner_.idle, 2);
  EXPECT_EQ(owner_.closed, 0);
}

TEST_F(ClientConnectionTest, ReadsAResponseInSingleBytes) {
  Peer peer = Connect();
  FakeAttempt& attempt = Get(peer);
  for (char c : std::string_view(
           "HTTP/1.1 103 Early\r\nLink: a\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: "
           "chunked\r\n\r\n3;x\r\nabc\r\n2\r\nde\r\n0\r\nX-Sum: 1\r\n\r\n")) {
    peer.Send({&c, 1});
    Turn(1);
  }
  ASSERT_TRUE(TurnUntil([&] { return attempt.end; }));
  EXPECT_EQ(attempt.informational, std::vector<int>{103});
  EXPECT_EQ(attempt.body, "abcde");
  EXPECT_EQ(attempt.trailers, "X-Sum;");
  EXPECT_EQ(owner_.idle, 1);
}

TEST_F(ClientConnectionTest, SendsBodies) {
  Peer peer = Connect();
  FakeAttempt& fixed = StartAttempt();
  fixed.stream->SendHead(Head("PUT", BodyLength::Fixed(4)), false);
  fixed.stream->SendBody("ab", false);
  fixed.stream->SendBody("cdEXTRA", true);
  ASSERT_TRUE(TurnUntil([&] { return peer.received().ends_with("cd"); }));
  EXPECT_THAT(peer.Take(), EndsWith("Content-Length: 4\r\n\r\nabcd"));
  peer.Send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  ASSERT_TRUE(TurnUntil([&] { return owner_.idle == 1; }));

  FakeAttempt& chunked = StartAttempt();
  chunked.stream->SendHead(Head("PUT", BodyLength::Chunked()), false);
  chunked.stream->SendBody("ab", false);
  http::HeaderMap trailers;
  trailers.Add("X-Sum", "1");
  chunked.stream->SendTrailers(trailers);
  ASSERT_TRUE(TurnUntil([&] { return peer.received().ends_with("\r\n\r\n"); }));
  EXPECT_THAT(peer.Take(),
              EndsWith("Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nX-Sum: 1\r\n\r\n"));
}

TEST_F(ClientConnectionTest, HeadAnswersHaveNoBody) {
  Peer peer = Connect();
  FakeAttempt& attempt = StartAttempt();
  attempt.stream->SendHead(Head("HEAD"), true);
  ASSERT_TRUE(TurnUntil([&] { return peer.received().ends_with("\r\n\r\n"); }));
  peer.Send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
  ASSERT_TRUE(TurnUntil([&] { return attempt.end; }));
  EXPECT_EQ(owner_.idle, 1);
}

TEST_F(ClientConnectionTest, ABodyUntilCloseEndsWithTheConnection) {
  Peer peer = Connect();
  FakeAttempt& attempt = Get(peer);
  peer.Send("HTTP/1.1 200 OK\r\n\r\nabc");
  ASSERT_TRUE(TurnUntil([&] { return attempt.body == "abc"; }));
  EXPECT_FALSE(attempt.end);
  peer.EndWriting();
  ASSERT_TRUE(TurnUntil([&] { return attempt.end; }));
  EXPECT_FALSE(attempt.failure);
  EXPECT_EQ(owner_.closed, 1);
}

TEST_F(ClientConnectionTest, ABodyUntilCloseThatIsResetIsBroken) {
  Peer peer = Connect();
  FakeAttempt& attempt = Get(peer);
  peer.Send("HTTP/1.1 200 OK\r\n\r\nabc");
  ASSERT_TRUE(TurnUntil([&] { return attempt.body == "abc"; }));
  peer.CloseWithReset();
  ASSERT_TRUE(TurnUntil([&] { return attempt.failure.has_value(); }));
  EXPECT_FALSE(attempt.end);
}

TEST_F(ClientConnectionTest, ResponsesThatForbidReuseEndTheConnection) {
  for (const std::string_view response :
       {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nabc",    // bytes beyond
        "HTTP/1.1 204 No\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"}) {  // an answer nobody asked for
    Peer peer = Connect();
    FakeAttempt& attempt = Get(peer);
    peer.Send(response);
    ASSERT_TRUE(TurnUntil([&] { return owner_.held == nullptr; })) << response;
    EXPECT_TRUE(attempt.end) << response;
    EXPECT_FALSE(attempt.failure);
  }
  EXPECT_EQ(owner_.idle, 0);
}

TEST_F(ClientConnectionTest, MalformedResponsesFail) {
  for (const std::string_view response :
       {"garbage\r\n\r\n", "HTTP/1.1 200 OK\nX: y\n\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"}) {
    const Failure failure = FailureOf(response);
    EXPECT_EQ(failure.kind, Failure::Kind::kProtocol) << response;
    EXPECT_EQ(failure.side, Failure::Side::kUpstream);
    EXPECT_EQ(failure.retry, Failure::Retry::kNever);
  }
  EXPECT_EQ(FailureOf("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n").kind,
            Failure::Kind::kProtocol);
  std::string flood;
  for (int i = 0; i < 40; ++i) flood += "HTTP/1.1 103 x\r\n\r\n";
  EXPECT_EQ(FailureOf(flood).kind, Failure::Kind::kProtocol);
  options_.limits.max_head_bytes = 100;
  EXPECT_EQ(FailureOf("HTTP/1.1 200 OK\r\nX: " + std::string(200, 'x')).kind,
            Failure::Kind::kProtocol);
}

TEST_F(ClientConnectionTest, TruncatedResponsesNeverLookComplete) {
  for (const std::string_view response :
       {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n",
        "HTTP/1.1 200 O"}) {
    const Failure failure = FailureOf(response);
    EXPECT_EQ(failure.kind, Failure::Kind::kClosed) << response;
    EXPECT_EQ(failure.retry, Failure::Retry::kNever) << response;
  }
}

TEST_F(ClientConnectionTest, DeathWithoutAnAnswerMayBeRetriedIfIdempotent) {
  const Failure failure = FailureOf("");
  EXPECT_EQ(failure.kind, Failure::Kind::kClosed);
  EXPECT_EQ(failure.retry, Failure::Retry::kIdempotent);
}

TEST_F(ClientConnectionTest, DeathBeforeTheRequestLeftMayAlwaysBeRetried) {
  Peer peer = Connect();
  Get(peer);
  peer.Send("HTTP/1.1 204 x\r\n\r\n");
  ASSERT_TRUE(TurnUntil([&] { return owner_.idle == 1; }));
  // The end arrives in the turn in which the next request is to leave.
  peer.Close();
  FakeAttempt& attempt = StartAttempt();
  EXPECT_TRUE(attempt.stream->reused());
  ASSERT_TRUE(TurnUntil([&] { return attempt.failure.has_value(); }));
  EXPECT_EQ(attempt.failure->retry, Failure::Retry::kAlways);
}

TEST_F(ClientConnectionTest, AnAnswerBeforeTheRequestIsRefused) {
  Peer peer = Connect();
  FakeAttempt& attempt = StartAttempt();
  peer.Send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  ASSERT_TRUE(TurnUntil([&] { return attempt.failure.has_value(); }));
  EXPECT_EQ(attempt.failure->kind, Failure::Kind::kProtocol);
  EXPECT_EQ(attempt.failure->retry, Failure::Retry::kAlways);
}

TEST_F(ClientConnectionTest, AnIdleConnectionEndsOnAnyByteOrEnd) {
  for (bool byte : {true, false}) {
    Peer peer = Connect();
    Get(peer);
    peer.Send("HTTP/1.1 204 x\r\n\r\n");
    const int idle = owner_.idle;
    ASSERT_TRUE(TurnUntil([&] { return owner_.idle > idle; }));
    if (byte) {
      peer.Send("x");
    } else {
      peer.EndWriting();
    }
    ASSERT_TRUE(TurnUntil([&] { return owner_.held == nullptr; }));
  }
}

TEST_F(ClientConnectionTest, ARefusedConnectionMayAlwaysBeRetried) {
  auto listener = net::BindTcp(*base::Address::ParseIp("127.0.0.1", 0));
  ASSERT_TRUE(listener.ok());  // bound but not listening
  auto socket = net::ConnectTcp(*net::LocalAddress(listener->get()));
  ASSERT_TRUE(socket.ok());
  owner_.held = std::make_unique<ClientConnection>(
      io_, options_, owner_, std::make_unique<net::TcpTransport>(std::move(*socket)));
  ASSERT_TRUE(owner_.held->Start(milliseconds(1000)));
  FakeAttempt& attempt = StartAttempt();
  attempt.stream->SendHead(Head(), true);
  ASSERT_TRUE(TurnUntil([&] { return attempt.failure.has_value(); }));
  EXPECT_EQ(attempt.failure->kind, Failure::Kind::kConnectRefused);
  EXPECT_EQ(attempt.failure->retry, Failure::Retry::kAlways);
}

TEST_F(ClientConnectionTest, ASilentUpstreamTimesOut) {
  timeouts_.read = milliseconds(20);
  Peer peer = Connect();
  FakeAttempt& attempt = Get(peer);
  ASSERT_TRUE(TurnUntil([&] { return attempt.failure.has_value(); }));
  EXPECT_EQ(attempt.failure->kind, Failure::Kind::kTimeout);
  EXPECT_EQ(attempt.failure->retry, Failure::Retry::kIdempotent);
}

TEST_F(ClientConnectionTest, AnUpstreamThatDoesNotReadTimesOut) {
  timeouts_.send = milliseconds(20);
  Peer peer = Connect(8192);
  FakeAttempt& attempt = StartAttempt();
  attempt.stream->SendHead(Head("PUT", BodyLength::Fixed(5'000'000)), false);
  attempt.stream->SendBody(std::string(5'000'000, 'x'), true);
  ASSERT_TRUE(TurnUntil([&] { return attempt.failure.has_value(); }));
  EXPECT_EQ(attempt.failure->kind, Failure::Kind::kTimeout);
}

TEST_F(ClientConnectionTest, APausedResponseWaitsInTheKernelAndDoesNotTimeOut) {
  timeouts_.read = milliseconds(1);
  Peer peer = Connect(8192);
  timeouts_.read = milliseconds(20);
  FakeAttempt& attempt = StartAttempt();
  attempt.stream->PauseReading();
  attempt.stream->SendHead(Head(), true);
  ASSERT_TRUE(TurnUntil([&] { return peer.received().ends_with("\r\n\r\n"); }));
  const std::string response =
      "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + std::string(1'000'000, 'x');
  size_t sent = 0;
  const auto begin = loop_.now();
  ASSERT_TRUE(TurnUntil([&] {
    sent += peer.Send(std::string_view(response).substr(sent));
    return loop_.now() - begin > milliseconds(80);
  }));
  EXPECT_LT(sent, 500'000u);
  EXPECT_EQ(attempt.status, 0);
  attempt.stream->ResumeReading();
  ASSERT_TRUE(TurnUntil([&] {
    sent += peer.Send(std::string_view(response).substr(sent));
    return attempt.end;
  }));
  EXPECT_EQ(attempt.body.size(), 1'000'000u);
}

TEST_F(ClientConnectionTest, AnEarlyAnswerCountsAndTheConnectionIsNotReused) {
  Peer peer = Connect(8192);
  FakeAttempt& attempt = StartAttempt();
  attempt.stream->SendHead(Head("PUT", BodyLength::Fixed(5'000'000)), false);
  attempt.stream->SendBody(std::string(2'000'000, 'x'), false);
  ASSERT_TRUE(TurnUntil([&] { return !peer.received().empty(); }));
  peer.Send("HTTP/1.1 413 No\r\nContent-Length: 2\r\n\r\nno");
  ASSERT_TRUE(TurnUntil([&] { return attempt.end; }));
  EXPECT_EQ(attempt.status, 413);
  EXPECT_EQ(owner_.idle, 0);
  attempt.stream->Reset();
  EXPECT_EQ(owner_.closed, 1);
  EXPECT_FALSE(attempt.failure);
}

TEST_F(ClientConnectionTest, AnEarlyAnswerFromAnUpstreamThatClosesIsRead) {
  Peer peer = Connect();
  FakeAttempt& attempt = StartAttempt();
  attempt.stream->SendHead(Head("PUT", BodyLength::Fixed(5'000'000)), false);
  ASSERT_TRUE(TurnUntil([&] { return !peer.received().empty(); }));
  peer.Send("HTTP/1.1 413 No\r\nContent-Length: 2\r\n\r\nno");
  peer.Close();
  attempt.stream->SendBody(std::string(1'000'000, 'x'), false);
  ASSERT_TRUE(TurnUntil([&] { return attempt.end || attempt.failure; }));
  EXPECT_EQ(attempt.body, "no");
  EXPECT_FALSE(attempt.failure);
}

TEST_F(ClientConnectionTest, TheLastAllowedRequestSaysSo) {
  options_.max_requests = 1;
  Peer peer = Connect();
  FakeAttempt& attempt = StartAttempt();
  attempt.stream->SendHead(Head(), true);
  ASSERT_TRUE(TurnUntil([&] { return peer.received().ends_with("\r\n\r\n"); }));
  EXPECT_THAT(peer.received(), HasSubstr("Connection: close\r\n"));
  peer.Send("HTTP/1.1 204 x\r\n\r\n");
  ASSERT_TRUE(TurnUntil([&] { return owner_.held == nullptr; }));
  EXPECT_TRUE(attempt.end);
}

TEST_F(ClientConnectionTest, ResetInsideAnyCallbackIsSafe) {
  for (int after = 1; after < 8; ++after) {
    Peer peer = Connect();
    FakeAttempt& attempt = Get(peer);
    int events = 0;
    attempt.on_event = [&] {
      if (++events == after) attempt.stream->Reset();
    };
    peer.Send(
        "HTTP/1.1 103 x\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: "
        "chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n"
        "0\r\nX: y\r\n\r\n");
    ASSERT_TRUE(TurnUntil([&] { return owner_.held == nullptr || attempt.end; })) << after;
    EXPECT_FALSE(attempt.failure);
    if (owner_.held != nullptr) owner_.held->Close();
  }
}

TEST_F(ClientConnectionTest, ALargeBodyIsWrittenAsTheUpstreamTakesIt) {
  Peer peer = Connect(8192);
  FakeAttempt& attempt = StartAttempt();
  attempt.stream->SendHead(Head("PUT", BodyLength::Fixed(3'000'000)), false);
  ASSERT_TRUE(TurnUntil([&] { return attempt.writable == 1; }));
  size_t sent = 0;
  size_t received = 0;
  const std::string piece(50'000, 'x');
  const auto send = [&] {
    while (sent < 3'000'000 && attempt.stream->unsent_bytes() <= http::ServerStream::kHighWater) {
      sent += piece.size();
      attempt.stream->SendBody(piece, sent == 3'000'000);
    }
  };
  attempt.on_event = send;  // the next event is that it may go on
  send();
  ASSERT_TRUE(TurnUntil([&] {
    received += peer.Take().size();
    return received > 3'000'000;
  }));
  EXPECT_GT(attempt.writable, 1);
  peer.Send("HTTP/1.1 204 x\r\n\r\n");
  ASSERT_TRUE(TurnUntil([&] { return owner_.idle == 1; }));
}

}  // namespace
}  // namespace headgate::http1
