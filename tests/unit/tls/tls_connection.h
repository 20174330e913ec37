// Server connections and their clients, for tests of TLS.
#pragma once

#include <gtest/gtest.h>
#include <openssl/err.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/check.h"
#include "dataplane/tls/tls_transport.h"
#include "tests/support/certificates.h"
#include "tests/unit/tls/tls_client.h"

namespace headgate::tls {

using headgate::testing::KeyType;
using headgate::testing::MakeCertificate;
using net::IoResult;
using Status = IoResult::Status;
using Kind = base::Failure::Kind;

inline std::shared_ptr<const Certificate> Certify(const std::string& name,
                                                  KeyType type = KeyType::kEcdsa) {
  static CertificateParser* const parser = new CertificateParser;
  const auto pem = MakeCertificate({name}, type);
  auto certificate = parser->Parse(pem.chain, pem.key);
  HEADGATE_CHECK(certificate.ok());
  return *certificate;
}

// One server connection with its client, moved along in turns on one thread.
class Connection {
 public:
  Connection(ServerContext& context, const ClientOptions& options = {}) {
    SocketPair pair = Connect();
    server = std::make_unique<TlsTransport>(context, std::move(pair.server));
    client = std::make_unique<TlsClient>(std::move(pair.client), options);
  }

  // Runs the handshake to its end; true when both sides agree.
  bool Handshake() {
    int client_state = 0;
    for (int turn = 0; turn < 100; ++turn) {
      if (client_state == 0) client_state = client->Step();
      if (server_result.status == Status::kBlocked) {
        server_result = server->Handshake();
        EXPECT_EQ(ERR_peek_error(), 0u);
      }
      if (server_result.status == Status::kFailed) client_state = client->Step();
      if (client_state != 0 && server_result.status != Status::kBlocked) {
        return client_state == 1 && server_result.status == Status::kOk;
      }
      WaitForInput(client->fd().get(), server->fd());
    }
    return false;
  }

  // Reads on the server until `count` bytes are there or reading ends.
  std::string ServerRead(size_t count, size_t step = 65536) {
    std::string all;
    std::vector<char> buffer(step);
    while (all.size() < count) {
      last_read = server->Read(buffer);
      EXPECT_EQ(ERR_peek_error(), 0u);
      if (last_read.status == Status::kBlocked) {
        WaitReadable(server->fd());
        continue;
      }
      if (last_read.status != Status::kOk) break;
      all.append(buffer.data(), last_read.bytes);
    }
    return all;
  }

  IoResult ServerWrite(std::string_view data) {
    const iovec piece{const_cast<char*>(data.data()), data.size()};
    return server->Write({&piece, 1});
  }

  std::string ClientRead(size_t count) {
    std::string all;
    while (all.size() < count && !client->closed()) {
      all += client->Read();
      if (all.size() < count && !client->closed()) WaitReadable(client->fd().get());
    }
    return all;
  }

  IoResult server_result{.status = Status::kBlocked};
  IoResult last_read;
  std::unique_ptr<TlsTransport> server;
  std::unique_ptr<TlsClient> client;
};

class TlsTransportTest : public ::testing::Test {
 protected:
  TlsTransportTest() {
    context_.SetProtocols({"http/1.1"});
    context_.SetCertificates(&table_);
  }

  static CertTable MakeTable(
      const std::vector<std::pair<std::string, HostCertificates::List>>& hosts,
      std::shared_ptr<const Certificate> fallback) {
    base::HostMap<HostCertificates>::Edit edit{base::HostMap<HostCertificates>()};
    for (const auto& [host, list] : hosts) {
      edit.Set(std::make_shared<HostCertificates>(host, list));
    }
    return CertTable(std::move(edit).Finish(), std::move(fallback));
  }

  std::string ShownTo(const std::string& server_name) {
    Connection connection(context_, {.server_name = server_name});
    return connection.Handshake() ? connection.client->CertificateName() : "no handshake";
  }

  std::shared_ptr<const TicketKeys> keys_ = TicketKeys::Random();
  CertTable table_ = MakeTable({{"a.com", {Certify("a.com")}}, {"*.b.com", {Certify("*.b.com")}}},
                               Certify("default"));
  ServerContext context_{keys_};
};

class TlsVersionTest : public TlsTransportTest, public ::testing::WithParamInterface<int> {
 protected:
  ClientOptions Options(const std::string& name, SSL_SESSION* resume = nullptr) {
    return {.server_name = name, .max_version = GetParam(), .resume = resume};
  }
  // Both directions once; the client then holds its ticket.
  static void Exchange(Connection& connection) {
    connection.client->Write("ping");
    EXPECT_EQ(connection.ServerRead(4), "ping");
    EXPECT_EQ(connection.ServerWrite("pong").bytes, 4u);
    EXPECT_EQ(connection.ClientRead(4), "pong");
  }
};

}  // namespace headgate::tls
