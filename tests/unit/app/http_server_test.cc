#include "controller/app/http_server.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>

#include "common/check.h"

namespace headgate::app {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class Client {
 public:
  explicit Client(uint16_t port) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    HEADGATE_CHECK(connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0);
  }
  ~Client() { close(fd_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void Send(std::string_view text) {
    while (!text.empty()) {
      const ssize_t n = send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
      if (n <= 0) return;
      text.remove_prefix(static_cast<size_t>(n));
    }
  }
  // Until the server closes.
  std::string Read() {
    std::string out;
    char buffer[4096];
    ssize_t n;
    while ((n = recv(fd_, buffer, sizeof(buffer), 0)) > 0)
      out.append(buffer, static_cast<size_t>(n));
    return out;
  }
  std::string Ask(std::string_view request) {
    Send(request);
    return Read();
  }

 private:
  const int fd_;
};

class HttpServerTest : public testing::Test {
 protected:
  HttpServerTest() {
    auto started = HttpServer::Start(
        {.listen = {"127.0.0.1", 0}},
        [](const HttpRequest& request) {
          if (request.path == "/large") return HttpReply{.body = std::string(5'000'000, 'x')};
          return HttpReply{.body = "path " + request.path};
        },
        clock_);
    EXPECT_TRUE(started.ok()) << started.status();
    server_ = *std::move(started);
  }
  std::string Ask(std::string_view request) { return Client(server_->port()).Ask(request); }

  SystemClock clock_;
  std::unique_ptr<HttpServer> server_;
};

TEST_F(HttpServerTest, AnswersAndCloses) {
  const std::string reply = Ask("GET /metrics?x=1 HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_THAT(reply, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(reply, HasSubstr("Content-Length: 13\r\n"));
  EXPECT_THAT(reply, HasSubstr("\r\n\r\npath /metrics"));
}

TEST_F(HttpServerTest, HeadHasNoBody) {
  const std::string reply = Ask("HEAD /a HTTP/1.0\r\n\r\n");
  EXPECT_THAT(reply, HasSubstr("Content-Length: 7\r\n"));
  EXPECT_THAT(reply, Not(HasSubstr("path")));
}

TEST_F(HttpServerTest, TakesARequestInPieces) {
  Client client(server_->port());
  for (const char c : std::string_view("GET / HTTP/1.1\r\n\r")) client.Send(std::string(1, c));
  EXPECT_THAT(client.Ask("\n"), HasSubstr("path /"));
}

TEST_F(HttpServerTest, SendsLargeReplies) {
  EXPECT_GT(Ask("GET /large HTTP/1.1\r\n\r\n").size(), 5'000'000u);
}

TEST_F(HttpServerTest, RefusesWhatIsNotARequest) {
  EXPECT_THAT(Ask("garbage\r\n\r\n"), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(Ask("\r\n\r\n"), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(Ask("GET  HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(Ask("GET http://x/ HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(Ask("POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc"), StartsWith("HTTP/1.1 405"));
  EXPECT_THAT(Ask("GET / HTTP/1.1\r\nX: " + std::string(20'000, 'x')), StartsWith("HTTP/1.1 431"));
}

TEST_F(HttpServerTest, IdleClientsDoNotKeepOthersOut) {
  std::vector<std::unique_ptr<Client>> idle;
  for (int i = 0; i < 50; ++i) idle.push_back(std::make_unique<Client>(server_->port()));
  EXPECT_THAT(Ask("GET / HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 200"));
}

TEST_F(HttpServerTest, ClientsThatGoAwayDoNoHarm) {
  for (int i = 0; i < 200; ++i) {
    Client client(server_->port());
    client.Send(i % 2 == 0 ? "GET /large HTTP/1.1\r\n\r\n" : "GET /");
  }
  EXPECT_THAT(Ask("GET / HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 200"));
}

TEST_F(HttpServerTest, APortInUseIsAnError) {
  auto second = HttpServer::Start({.listen = {"127.0.0.1", server_->port()}}, nullptr, clock_);
  EXPECT_FALSE(second.ok());
}

class HttpServerPostTest : public testing::Test {
 protected:
  HttpServerPostTest() {
    auto started = HttpServer::Start(
        {.listen = {"127.0.0.1", 0}, .max_body = 100'000},
        [](const HttpRequest& request) {
          return HttpReply{.body = request.method + " " + std::to_string(request.body.size()) +
                                   " " + request.body.substr(0, 5)};
        },
        clock_);
    EXPECT_TRUE(started.ok()) << started.status();
    server_ = *std::move(started);
  }
  std::string Ask(std::string_view request) { return Client(server_->port()).Ask(request); }

  SystemClock clock_;
  std::unique_ptr<HttpServer> server_;
};

TEST_F(HttpServerPostTest, TakesABodyOfTheLengthThatIsSaid) {
  EXPECT_THAT(Ask("POST / HTTP/1.1\r\ncontent-length: 3\r\n\r\nabc"),
              HasSubstr("\r\n\r\nPOST 3 abc"));
  EXPECT_THAT(Ask("POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcdef"), HasSubstr("POST 3 abc"));
  EXPECT_THAT(Ask("POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n"), HasSubstr("POST 0 "));
  EXPECT_THAT(Ask("POST / HTTP/1.1\r\nContent-Length: 100000\r\n\r\n" + std::string(100'000, 'x')),
              HasSubstr("POST 100000 xxxxx"));
}

TEST_F(HttpServerPostTest, TakesABodyInPieces) {
  Client client(server_->port());
  for (const char c : std::string_view("POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nabcd")) {
    client.Send(std::string(1, c));
  }
  EXPECT_THAT(client.Ask("e"), HasSubstr("POST 5 abcde"));
}

TEST_F(HttpServerPostTest, RefusesBodiesWithoutLengthOrBeyondTheLimit) {
  EXPECT_THAT(Ask("POST / HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 411"));
  EXPECT_THAT(Ask("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\nabc"),
              StartsWith("HTTP/1.1 411"));
  EXPECT_THAT(Ask("POST / HTTP/1.1\r\nContent-Length: 100001\r\n\r\n"), StartsWith("HTTP/1.1 413"));
  EXPECT_THAT(Ask("POST / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n"),
              StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(Ask("POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n"), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(Ask("PUT / HTTP/1.1\r\nContent-Length: 1\r\n\r\nx"), StartsWith("HTTP/1.1 405"));
}

TEST(HttpServerTimeTest, ASilentClientIsCutOff) {
  FakeClock clock;
  auto started = HttpServer::Start(
      {.listen = {"127.0.0.1", 0}}, [](const HttpRequest&) { return HttpReply{}; }, clock);
  ASSERT_TRUE(started.ok());
  Client silent((*started)->port());
  silent.Send("GET / HT");
  clock.Advance(absl::Minutes(1));
  // Another client makes the server look at its watch, whether or not it had accepted the silent
  // one before.
  EXPECT_THAT(Client((*started)->port()).Ask("GET / HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 200"));
  clock.Advance(absl::Minutes(1));
  EXPECT_THAT(Client((*started)->port()).Ask("GET / HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 200"));
  EXPECT_EQ(silent.Read(), "");
}

}  // namespace
}  // namespace headgate::app
