#include "dataplane/tls/tls_transport.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/unit/tls/tls_connection.h"

namespace headgate::tls {
namespace {

TEST_F(TlsTransportTest, ChoosesTheCertificateByServerName) {
  EXPECT_EQ(ShownTo("a.com"), "a.com");
  EXPECT_EQ(ShownTo("A.Com"), "a.com");
  EXPECT_EQ(ShownTo("x.b.com"), "*.b.com");
  EXPECT_EQ(ShownTo("x.y.b.com"), "default");
  EXPECT_EQ(ShownTo("b.com"), "default");
  EXPECT_EQ(ShownTo(""), "default");
}

TEST_F(TlsTransportTest, TellsTheServerNameInLowerCase) {
  Connection connection(context_, {.server_name = "X.B.Com"});
  ASSERT_TRUE(connection.Handshake());
  EXPECT_EQ(connection.server->server_name(), "x.b.com");
  EXPECT_TRUE(connection.server->is_tls());
}

TEST_F(TlsTransportTest, WithoutAnyCertificateTheHandshakeFails) {
  const CertTable empty;
  context_.SetCertificates(&empty);
  EXPECT_EQ(ShownTo("a.com"), "no handshake");
  context_.SetCertificates(nullptr);
  EXPECT_EQ(ShownTo("a.com"), "no handshake");
}

TEST_F(TlsTransportTest, ANewTableTakesEffectWithTheNextHandshake) {
  Connection before(context_, {.server_name = "a.com"});
  ASSERT_TRUE(before.Handshake());
  const CertTable renewed = MakeTable({{"a.com", {Certify("renewed")}}}, Certify("default"));
  context_.SetCertificates(&renewed);
  EXPECT_EQ(ShownTo("a.com"), "renewed");
  before.client->Write("still here");
  EXPECT_EQ(before.ServerRead(10), "still here");
}

TEST_F(TlsTransportTest, OffersTheKeyTypeThatTheClientCanVerify) {
  const CertTable both =
      MakeTable({{"a.com", {Certify("ecdsa"), Certify("rsa", KeyType::kRsa)}}}, Certify("default"));
  context_.SetCertificates(&both);
  EXPECT_EQ(ShownTo("a.com"), "ecdsa");
  Connection rsa_only(context_,
                      {.server_name = "a.com", .signature_algorithms = "rsa_pss_rsae_sha256"});
  ASSERT_TRUE(rsa_only.Handshake());
  EXPECT_EQ(rsa_only.client->CertificateName(), "rsa");
}

INSTANTIATE_TEST_SUITE_P(Versions, TlsVersionTest,
                         ::testing::Values(TLS1_2_VERSION, TLS1_3_VERSION),
                         [](const auto& test_case) {
                           return test_case.param == TLS1_2_VERSION ? "Tls12" : "Tls13";
                         });

TEST_P(TlsVersionTest, CarriesDataBothWays) {
  Connection connection(context_, Options("a.com"));
  ASSERT_TRUE(connection.Handshake());
  EXPECT_EQ(connection.server->version(), GetParam() == TLS1_2_VERSION ? "TLSv1.2" : "TLSv1.3");
  EXPECT_FALSE(connection.server->resumed());
  Exchange(connection);
}

TEST_P(TlsVersionTest, TellsAnOrderlyEndFromACutConnection) {
  Connection orderly(context_, Options("a.com"));
  ASSERT_TRUE(orderly.Handshake());
  orderly.client->Write("last words");
  SSL_shutdown(orderly.client->ssl());
  EXPECT_EQ(orderly.ServerRead(1000), "last words");
  EXPECT_EQ(orderly.last_read.status, Status::kEof);
  EXPECT_EQ(orderly.server->Read(std::span<char>()).status, Status::kEof) << "and stays so";

  Connection cut(context_, Options("a.com"));
  ASSERT_TRUE(cut.Handshake());
  cut.client->Write("half a mess");
  shutdown(cut.client->fd().get(), SHUT_WR);
  EXPECT_EQ(cut.ServerRead(1000), "half a mess");
  EXPECT_EQ(cut.last_read.status, Status::kFailed);
  EXPECT_EQ(cut.last_read.failure, Kind::kClosed);
}

TEST_P(TlsVersionTest, AnswersAfterTheClientHasEndedItsDirection) {
  Connection connection(context_, Options("a.com"));
  ASSERT_TRUE(connection.Handshake());
  connection.client->Write("request");
  SSL_shutdown(connection.client->ssl());
  EXPECT_EQ(connection.ServerRead(1000), "request");
  EXPECT_EQ(connection.last_read.status, Status::kEof);
  EXPECT_EQ(connection.ServerWrite("response").bytes, 8u);
  connection.server->ShutdownWrite();
  // OpenSSL's client does not read after its own close_notify, so the bytes are looked at on the
  // wire: one record with data, one alert, then the end.
  WaitReadable(connection.client->fd().get());
  char wire[4096];
  ssize_t total = 0, got;
  while (total < static_cast<ssize_t>(sizeof(wire))) {
    got = recv(connection.client->fd().get(), wire + total,
               sizeof(wire) - static_cast<size_t>(total), 0);
    if (got == 0) break;
    if (got < 0) WaitReadable(connection.client->fd().get());
    if (got > 0) total += got;
  }
  EXPECT_GT(total, 8);
}

TEST_P(TlsVersionTest, EndsItsOwnDirectionInAnOrderlyWay) {
  Connection connection(context_, Options("a.com"));
  ASSERT_TRUE(connection.Handshake());
  EXPECT_EQ(connection.ServerWrite("bye").bytes, 3u);
  connection.server->ShutdownWrite();
  EXPECT_EQ(connection.ClientRead(100), "bye");
  EXPECT_TRUE(connection.client->closed());
}

TEST_P(TlsVersionTest, GathersSmallPiecesIntoOneRecord) {
  Connection connection(context_, Options("a.com"));
  ASSERT_TRUE(connection.Handshake());
  connection.client->Read();  // the ticket is out of the way
  char text[] = "abcdefghij";
  std::vector<iovec> pieces;
  for (int i = 0; i < 10; ++i) pieces.push_back({text + i, 1});
  pieces.insert(pieces.begin() + 5, iovec{text, 0});
  const IoResult result = connection.server->Write(pieces);
  EXPECT_EQ(result.bytes, 10u);
  EXPECT_FALSE(result.drained);
  WaitReadable(connection.client->fd().get());
  char buffer[100];
  const int got = SSL_read(connection.client->ssl(), buffer, sizeof(buffer));
  EXPECT_EQ(std::string(buffer, static_cast<size_t>(std::max(got, 0))), "abcdefghij");
}

TEST_P(TlsVersionTest, OneReadTakesInManyRecords) {
  Connection connection(context_, Options("a.com"));
  ASSERT_TRUE(connection.Handshake());
  for (int i = 0; i < 20; ++i) connection.client->Write("0123456789");
  // All of it has arrived when the kernel says so.
  std::string all;
  std::vector<char> buffer(65536);
  int calls = 0;
  while (all.size() < 200) {
    WaitReadable(connection.server->fd());
    const IoResult result = connection.server->Read(buffer);
    ASSERT_EQ(result.status, Status::kOk);
    EXPECT_TRUE(result.drained);
    all.append(buffer.data(), result.bytes);
    ++calls;
  }
  EXPECT_LT(calls, 5);
}

TEST_P(TlsVersionTest, SmallReadsGetEverythingWithoutNewEdges) {
  Connection connection(context_, Options("a.com"));
  ASSERT_TRUE(connection.Handshake());
  std::string sent;
  for (int i = 0; i < 50; ++i) sent += "record number " + std::to_string(i) + ";";
  for (size_t i = 0; i < sent.size(); i += 100) connection.client->Write(sent.substr(i, 100));
  EXPECT_EQ(connection.ServerRead(sent.size(), 1), sent);
  char byte;
  EXPECT_EQ(connection.server->Read({&byte, 1}).status, Status::kBlocked);
}

TEST_P(TlsVersionTest, MovesBulkDataThroughAFullSocketWithoutLossOrRepetition) {
  Connection connection(context_, Options("a.com"));
  ASSERT_TRUE(connection.Handshake());
  const int small = 64 * 1024;
  setsockopt(connection.server->fd(), SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
  setsockopt(connection.client->fd().get(), SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
  std::string data(2'000'000, '\0');
  for (size_t i = 0; i < data.size(); ++i) data[i] = static_cast<char>(i * 7 + i / 251);
  std::string received;
  size_t written = 0;
  int blocked = 0;
  while (received.size() < data.size()) {
    // Offered in odd pieces: what was not taken is offered again, cut differently.
    for (int turn = 0; written < data.size(); ++turn) {
      const size_t cut =
          std::min<size_t>(data.size() - written, 100 + (written * 31 + turn) % 30'000);
      const size_t more = std::min<size_t>(data.size() - written - cut, 40'000);
      const iovec pieces[] = {{data.data() + written, cut}, {data.data() + written + cut, more}};
      const IoResult result = connection.server->Write(pieces);
      ASSERT_NE(result.status, Status::kFailed);
      written += result.bytes;
      if (result.status == Status::kBlocked) {
        ++blocked;
        break;
      }
    }
    WaitReadable(connection.client->fd().get());
    received += connection.client->Read();
  }
  EXPECT_EQ(written, data.size());
  EXPECT_TRUE(received == data);
  EXPECT_GT(blocked, 0) << "the socket was never full: this test shows nothing";
}

TEST_P(TlsVersionTest, HandshakesOneByteAtATime) {
  // A relay that passes the client's bytes on singly.
  SocketPair outer = Connect();
  SocketPair inner = Connect();
  TlsClient client(std::move(outer.client), Options("a.com"));
  TlsTransport server(context_, std::move(inner.server));
  IoResult result{.status = Status::kBlocked};
  int client_state = 0;
  int steps = 0;
  while (client_state == 0 || result.status == Status::kBlocked) {
    ASSERT_LT(++steps, 20'000);
    if (client_state == 0) client_state = client.Step();
    char byte;
    if (recv(outer.server.get(), &byte, 1, 0) == 1) {
      ASSERT_EQ(send(inner.client.get(), &byte, 1, 0), 1);
      WaitReadable(server.fd());
    }
    if (result.status == Status::kBlocked) result = server.Handshake();
    ASSERT_NE(result.status, Status::kFailed) << server.failure_detail();
    char back[16384];
    const ssize_t got = recv(inner.client.get(), back, sizeof(back), 0);
    if (got > 0) {
      ASSERT_EQ(send(outer.server.get(), back, static_cast<size_t>(got), 0), got);
    }
  }
  EXPECT_EQ(client_state, 1);
  EXPECT_EQ(result.status, Status::kOk);
}

TEST_F(TlsTransportTest, TheRequestThatComesWithTheHandshakeIsReadWithoutAnEdge) {
  SocketPair pair = Connect();
  TlsTransport server(context_, std::move(pair.server));
  TlsClient client(std::move(pair.client), {.server_name = "a.com"});
  EXPECT_EQ(client.Step(), 0);
  WaitReadable(server.fd());
  EXPECT_EQ(server.Handshake().status, Status::kBlocked);
  WaitReadable(client.fd().get());
  ASSERT_EQ(client.Step(), 1);
  client.Write("early");
  // Finished and request lie in the socket together; the kernel may show them one after the other.
  IoResult result{.status = Status::kBlocked};
  while (result.status == Status::kBlocked) {
    WaitReadable(server.fd());
    result = server.Handshake();
  }
  ASSERT_EQ(result.status, Status::kOk);
  char buffer[100];
  IoResult read = server.Read(buffer);
  if (read.status == Status::kBlocked) {
    WaitReadable(server.fd());
    read = server.Read(buffer);
  }
  EXPECT_EQ(std::string(buffer, read.bytes), "early");
  // The ticket comes with the response at the latest.
  const iovec piece{buffer, 5};
  EXPECT_EQ(server.Write({&piece, 1}).bytes, 5u);
  std::string answer;
  while (answer.size() < 5) {
    WaitReadable(client.fd().get());
    answer += client.Read();
  }
  EXPECT_EQ(answer, "early");
  EXPECT_EQ(client.sessions_received(), 1);
}

TEST_F(TlsTransportTest, NegotiatesAlpn) {
  ServerContext both(keys_);
  both.SetProtocols({"h2", "http/1.1"});
  both.SetCertificates(&table_);
  Connection picks_ours(both, {.alpn = {"http/1.1", "h2"}});
  ASSERT_TRUE(picks_ours.Handshake());
  EXPECT_EQ(picks_ours.server->alpn(), "h2");
  EXPECT_EQ(picks_ours.client->alpn(), "h2");

  Connection without(both);
  ASSERT_TRUE(without.Handshake());
  EXPECT_EQ(without.server->alpn(), "");

  Connection only_http1(context_, {.alpn = {"h2", "http/1.1"}});
  ASSERT_TRUE(only_http1.Handshake());
  EXPECT_EQ(only_http1.server->alpn(), "http/1.1");

  Connection stranger(context_, {.alpn = {"spdy/3"}});
  EXPECT_FALSE(stranger.Handshake());
  EXPECT_EQ(stranger.server_result.failure, Kind::kTlsHandshake);
}

TEST_F(TlsTransportTest, PolicyLimitsVersions) {
  context_.SetPolicy({.min_version = Version::kTls13, .ciphers = ""});
  Connection old(context_, {.max_version = TLS1_2_VERSION});
  EXPECT_FALSE(old.Handshake());
  EXPECT_EQ(old.server_result.failure, Kind::kTlsHandshake);
  EXPECT_FALSE(old.server->failure_detail().empty());
  context_.SetPolicy(
      {.min_version = Version::kTls12, .max_version = Version::kTls12, .ciphers = ""});
  Connection young(context_);
  ASSERT_TRUE(young.Handshake());
  EXPECT_EQ(young.server->version(), "TLSv1.2");
}

TEST_F(TlsTransportTest, RefusesTls11) {
  Connection old(context_, {.max_version = TLS1_1_VERSION});
  EXPECT_FALSE(old.Handshake());
}

TEST_F(TlsTransportTest, GarbageIsAFailedHandshakeAndHarmsNobodyElse) {
  Connection healthy(context_, {.server_name = "a.com"});
  ASSERT_TRUE(healthy.Handshake());
  for (const std::string& garbage :
       {std::string(100, '\0'),
        std::string("\x16\x03\x01\x02\x00garbage, not a hello") + std::string(600, 'x'),
        std::string("\x80\x2e\x01\x00\x02", 5), std::string(20'000, '\xff')}) {
    SocketPair pair = Connect();
    TlsTransport server(context_, std::move(pair.server));
    ASSERT_GT(send(pair.client.get(), garbage.data(), garbage.size(), 0), 0);
    shutdown(pair.client.get(), SHUT_WR);
    IoResult result{.status = Status::kBlocked};
    while (result.status == Status::kBlocked) {
      WaitReadable(server.fd());
      result = server.Handshake();
    }
    EXPECT_EQ(result.status, Status::kFailed);
    EXPECT_FALSE(server.plain_http());
    EXPECT_EQ(ERR_peek_error(), 0u);
    EXPECT_EQ(server.Handshake().status, Status::kFailed) << "and stays so";
    char buffer[10];
    EXPECT_EQ(server.Read(buffer).status, Status::kFailed);
  }
  healthy.client->Write("fine");
  EXPECT_EQ(healthy.ServerRead(4), "fine");
}

TEST_F(TlsTransportTest, AConnectionClosedInTheHandshakeIsClosed) {
  SocketPair pair = Connect();
  TlsTransport server(context_, std::move(pair.server));
  EXPECT_EQ(server.Handshake().status, Status::kBlocked);
  pair.client.Close();
  WaitReadable(server.fd());
  const IoResult result = server.Handshake();
  EXPECT_EQ(result.status, Status::kFailed);
  EXPECT_EQ(result.failure, Kind::kClosed);
}

TEST_F(TlsTransportTest, AResetIsAReset) {
  Connection connection(context_);
  ASSERT_TRUE(connection.Handshake());
  const linger at_once{1, 0};
  setsockopt(connection.client->fd().get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
  connection.client->fd().Close();
  EXPECT_EQ(connection.ServerRead(1), "");
  EXPECT_EQ(connection.last_read.failure, Kind::kReset);
  const IoResult write = connection.ServerWrite("x");
  EXPECT_EQ(write.status, Status::kFailed);
}

TEST_F(TlsTransportTest, ABrokenRecordIsAProtocolError) {
  Connection connection(context_);
  ASSERT_TRUE(connection.Handshake());
  const std::string fake("\x17\x03\x03\x00\x20" + std::string(32, 'x'));
  ASSERT_GT(send(connection.client->fd().get(), fake.data(), 5, 0), 0);
  ASSERT_GT(send(connection.client->fd().get(), std::string(32, 'x').data(), 32, 0), 0);
  EXPECT_EQ(connection.ServerRead(1), "");
  EXPECT_EQ(connection.last_read.failure, Kind::kProtocol);
}

TEST_F(TlsTransportTest, RenegotiationIsRefused) {
  Connection connection(context_, {.max_version = TLS1_2_VERSION});
  ASSERT_TRUE(connection.Handshake());
  SSL_renegotiate(connection.client->ssl());
  connection.client->Step();
  char buffer[10];
  WaitReadable(connection.server->fd());
  EXPECT_EQ(connection.server->Read(buffer).status, Status::kBlocked) << "a warning, no handshake";
}

TEST_F(TlsTransportTest, KnowsPlainHttpByItsFirstByte) {
  for (const std::string request :
       {"GET / HTTP/1.1\r\nHost: a.com\r\n\r\n", "OPTIONS * HTTP/1.1\r\n", "P"}) {
    SocketPair pair = Connect();
    TlsTransport server(context_, std::move(pair.server));
    ASSERT_GT(send(pair.client.get(), request.data(), request.size(), 0), 0);
    WaitReadable(server.fd());
    const IoResult result = server.Handshake();
    EXPECT_EQ(result.status, Status::kFailed);
    EXPECT_EQ(result.failure, Kind::kTlsHandshake);
    ASSERT_TRUE(server.plain_http());
    server.ReplyInPlain("HTTP/1.1 400 Bad Request\r\n\r\n");
    WaitReadable(pair.client.get());
    char answer[100];
    const ssize_t got = recv(pair.client.get(), answer, sizeof(answer), 0);
    EXPECT_EQ(std::string(answer, static_cast<size_t>(std::max<ssize_t>(got, 0))),
              "HTTP/1.1 400 Bad Request\r\n\r\n");
  }
}

}  // namespace
}  // namespace headgate::tls
