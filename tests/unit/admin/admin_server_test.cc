#include "dataplane/admin/admin_server.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>

#include "tests/support/dataplane/peer.h"

namespace headgate::admin {
namespace {

constexpr size_t kPiece = 32 * 1024;
constexpr int kPieces = 3000;  // more than the kernel buffers on loopback

class AdminServerTest : public testing::Test {
 protected:
  AdminServerTest() {
    auto socket = net::BindTcp(*base::Address::ParseHostPort("127.0.0.1:0"));
    EXPECT_TRUE(socket.ok()) << socket.status();
    server_ = std::make_unique<AdminServer>(*std::move(socket));
    server_->Handle("/small", "", [] { return AdminReply{.body = "small\n"}; });
    server_->Handle("/pieces", "", [this] {
      AdminReply reply{.body = "first "};
      reply.more = [this, left = kPieces, piece = std::string(kPiece, 'x')]() mutable {
        ++pieces_made_;
        return left-- > 0 ? std::string_view(piece) : std::string_view();
      };
      return reply;
    });
    server_->Start();
  }

  test::Peer Ask(std::string_view path, std::string_view version = "1.1") {
    test::Peer client = test::Peer::Connect(server_->address().port());
    client.Send("GET " + std::string(path) + " HTTP/" + std::string(version) +
                "\r\nHost: a\r\n\r\n");
    return client;
  }

  std::atomic<int> pieces_made_{0};
  std::unique_ptr<AdminServer> server_;
};

TEST_F(AdminServerTest, SendsABodyInPieces) {
  const test::Peer::Message reply = Ask("/pieces").ReadResponse();
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body.size(), 6 + kPiece * kPieces);
  EXPECT_TRUE(reply.body.starts_with("first xxx"));
}

TEST_F(AdminServerTest, APieceIsMadeWhenTheClientHasTakenTheOnesBefore) {
  test::Peer slow = Ask("/pieces");
  EXPECT_EQ(Ask("/small").ReadResponse().body, "small\n");
  EXPECT_TRUE(slow.ReadHead().find("chunked") != std::string::npos);
  EXPECT_LT(pieces_made_, kPieces);
  slow.Abort();
  EXPECT_EQ(Ask("/small").ReadResponse().body, "small\n");
}

TEST_F(AdminServerTest, AnOldClientGetsThePiecesUntilTheConnectionEnds) {
  test::Peer client = Ask("/pieces", "1.0");
  EXPECT_TRUE(client.ReadHead().find("chunked") == std::string::npos);
  EXPECT_EQ(client.ReadToEnd().size(), 6 + kPiece * kPieces);
}

TEST_F(AdminServerTest, StopsInTheMiddleOfAReply) {
  test::Peer client = Ask("/pieces");
  client.ReadHead();
  server_->Stop();
  EXPECT_LT(pieces_made_, kPieces);
}

}  // namespace
}  // namespace headgate::admin
