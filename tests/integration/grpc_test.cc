// What gRPC callers see of the proxy. The client speaks HTTP/1.1, which shows the same heads and
// trailers.

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

#include "tests/support/dataplane/http2_peer.h"
#include "tests/support/dataplane/peer.h"
#include "tests/support/dataplane/test_proxy.h"

namespace headgate::test {
namespace {

constexpr uint32_t kCancel = 8;

std::string Call(std::string_view fields = "") {
  return "POST /pkg.Service/Method HTTP/1.1\r\nHost: a.example\r\nContent-Type: "
         "application/grpc\r\nTE: trailers\r\n"
         "Connection: TE\r\nContent-Length: 5\r\n" +
         std::string(fields) + "\r\n" + std::string(5, '\0');
}

class GrpcTest : public ::testing::Test {
 protected:
  GrpcTest() {
    proxy.Route("a.example", {listener.address()});
    proxy.Apply(
        {"name: \"cluster/test/a.example/80\" cluster { endpoints: \"endpoints/test/a.example/80\" "
         "protocol: H2C }"});
  }

  TestProxy proxy;
  PeerListener listener;
};

TEST_F(GrpcTest, StatusesPassAsTrailersAndAsTrailersOnly) {
  Peer client = proxy.Connect();
  client.Send(Call());
  Http2Peer server(listener.Accept());
  auto request = server.ReadRequest();
  EXPECT_EQ(request.fields["te"], "trailers");
  EXPECT_EQ(request.body.size(), 5u);
  server.SendHeaders(request.stream, {{":status", "200"}, {"content-type", "application/grpc"}},
                     false);
  server.SendData(request.stream, std::string(5, '\0'), false);
  server.SendHeaders(request.stream, {{"grpc-status", "0"}}, true);
  Peer::Message response = client.ReadResponse();
  EXPECT_EQ(response.body.size(), 5u);
  EXPECT_EQ(response.Field("grpc-status"), "0");

  client.Send(Call());
  request = server.ReadRequest();
  server.SendHeaders(
      request.stream,
      {{":status", "200"}, {"content-type", "application/grpc"}, {"grpc-status", "5"}}, true);
  response = client.ReadResponse();
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.Field("grpc-status"), "5");
  EXPECT_EQ(response.body, "");
}

TEST_F(GrpcTest, AnswersOfTheProxyHaveAGrpcStatus) {
  proxy.Apply({EndpointsText("endpoints/test/a.example/80", {})});
  Peer client = proxy.Connect();
  client.Send(Call());
  const Peer::Message response = client.ReadResponse();
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.Field("Content-Type"), "application/grpc");
  EXPECT_EQ(response.Field("grpc-status"), "14");
  EXPECT_EQ(response.Field("grpc-message"), "no endpoint is available");
  EXPECT_EQ(response.body, "");
}

TEST_F(GrpcTest, ADeadlineCancelsTheCall) {
  Peer client = proxy.Connect();
  client.Send(Call("grpc-timeout: 100m\r\n"));
  Http2Peer server(listener.Accept());
  const auto request = server.ReadRequest();
  const Peer::Message response = client.ReadResponse();
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.Field("grpc-status"), "4");
  EXPECT_EQ(server.ReadReset(request.stream), kCancel);
}

TEST_F(GrpcTest, ADeadlineEndsAResponseThatHasBegun) {
  Peer client = proxy.Connect();
  client.Send(Call("grpc-timeout: 300m\r\n"));
  Http2Peer server(listener.Accept());
  const auto request = server.ReadRequest();
  server.SendHeaders(request.stream, {{":status", "200"}, {"content-type", "application/grpc"}},
                     false);
  server.SendData(request.stream, "first", false);
  const Peer::Message response = client.ReadResponse();
  EXPECT_EQ(response.body, "first");
  EXPECT_EQ(response.Field("grpc-status"), "4");
  EXPECT_EQ(server.ReadReset(request.stream), kCancel);
}

TEST_F(GrpcTest, ADeadlineThatIsKeptChangesNothing) {
  Peer client = proxy.Connect();
  client.Send(Call("grpc-timeout: 10S\r\n"));
  Http2Peer server(listener.Accept());
  server.Reply(server.ReadRequest().stream);
  EXPECT_EQ(client.ReadResponse().body, "ok");
}

}  // namespace
}  // namespace headgate::test
