#include "controller/kube/rest_transport.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <future>
#include <memory>
#include <thread>
#include <vector>

#include "common/strings.h"
#include "controller/kube/reflector.h"
#include "tests/unit/kube/https_server.h"
#include "tests/unit/kube/recording_sink.h"

namespace headgate::kube {
namespace {

using ::headgate::testing::MakeCertificate;
using ::headgate::testing::PemPair;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr std::string_view kChunkedHead =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";

class RestTransportTest : public ::testing::Test {
 protected:
  RestTransportTest() {
    signal(SIGPIPE, SIG_IGN);  // as Shutdown does in the program
    InitializeRest();
    config.tls_server_name = "api.test";
    config.ca = CredentialText::Inline(certificate.chain);
  }

  void Serve(HttpsServer::Handler handler, const std::string& client_ca = {}) {
    server = std::make_unique<HttpsServer>(certificate, client_ca, std::move(handler));
    config.url = StrCat("https://127.0.0.1:", server->port());
    transport = MakeRestTransport(config);
  }
  absl::StatusOr<HttpResult> Get(const std::string& target,
                                 absl::Duration idle = absl::Seconds(10)) {
    body.clear();
    return transport->Get(target, idle, [this](std::string_view bytes) {
      body.append(bytes);
      return true;
    });
  }

  const PemPair certificate = MakeCertificate({"api.test", "localhost"});
  ApiServerConfig config;
  std::unique_ptr<HttpsServer> server;
  std::unique_ptr<Transport> transport;
  std::string body;
};

TEST_F(RestTransportTest, SendsTheRequestAndReadsTheBody) {
  config.token = CredentialText::Inline("tok-1\n");
  std::string head;
  Serve([&](ServerConnection& connection) {
    head = connection.ReadHead();
    connection.Write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
    connection.AwaitClose();
  });
  const auto result =
      Get("/api/v1/services?limit=500&continue=a%2Fb%3D&fieldSelector=type%3Dkubernetes.io%2Ftls");
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->status, 200);
  EXPECT_EQ(body, "hello");
  transport.reset();
  server.reset();
  EXPECT_THAT(head, StartsWith("GET /api/v1/services?limit=500&continue=a%2Fb%3D&fieldSelector="
                               "type%3Dkubernetes.io%2Ftls HTTP/1.1\r\n"));
  EXPECT_THAT(head, HasSubstr("Authorization:Bearer tok-1\r\n"));
  EXPECT_THAT(head, HasSubstr("Accept:application/json\r\n"));
}

TEST_F(RestTransportTest, PostsADocument) {
  config.token = CredentialText::Inline("tok-1\n");
  std::string head;
  std::string document;
  Serve([&](ServerConnection& connection) {
    head = connection.ReadHead();
    document = connection.ReadHead();  // up to its blank line
    connection.Write("HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}");
    connection.AwaitClose();
  });
  const auto result = transport->Write(WriteMethod::kPost, "/api/v1/namespaces/n/events",
                                       "{\"kind\":\"Event\"}\r\n\r\n", absl::Seconds(10),
                                       [&](std::string_view bytes) {
                                         body.append(bytes);
                                         return true;
                                       });
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->status, 201);
  EXPECT_EQ(result->error_body, "");
  EXPECT_EQ(body, "{}");
  transport.reset();
  server.reset();
  EXPECT_THAT(head, StartsWith("POST /api/v1/namespaces/n/events HTTP/1.1\r\n"));
  EXPECT_THAT(head, HasSubstr("Content-Type:application/json"));
  EXPECT_THAT(head, HasSubstr("Authorization:Bearer tok-1\r\n"));
  EXPECT_EQ(document, "{\"kind\":\"Event\"}\r\n\r\n");
}

TEST_F(RestTransportTest, PartsOfAStreamArriveAsTheyAreSent) {
  std::promise<void> first_seen;
  Serve([&](ServerConnection& connection) {
    connection.ReadHead();
    connection.Write(kChunkedHead);
    connection.WriteChunk("line one\nline ");
    first_seen.get_future().wait_for(std::chrono::seconds(10));
    connection.WriteChunk("two\n");
    connection.Write("0\r\n\r\n");
    connection.AwaitClose();
  });
  std::vector<std::string> parts;
  const auto result = transport->Get("/watch", absl::Seconds(10), [&](std::string_view bytes) {
    parts.emplace_back(bytes);
    if (parts.size() == 1) first_seen.set_value();
    return true;
  });
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_THAT(parts, ::testing::ElementsAre("line one\nline ", "two\n"));
}

TEST_F(RestTransportTest, AConnectionIsUsedAgain) {
  Serve([&](ServerConnection& connection) {
    while (!connection.ReadHead().empty()) {
      connection.Write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    }
  });
  constexpr int kRequests = 20;
  for (int i = 0; i < kRequests; ++i) {
    ASSERT_TRUE(Get("/x").ok());
    EXPECT_EQ(body, "ok");
  }
  // The client puts a connection back into its pool on a thread of its own: now and then the next
  // request is faster.
  EXPECT_LT(server->connections(), kRequests / 2);
}

TEST_F(RestTransportTest, ASilentStreamIsADeadConnection) {
  Serve([](ServerConnection& connection) {
    connection.ReadHead();
    connection.Write(kChunkedHead);
    connection.WriteChunk("something");
    EXPECT_TRUE(connection.AwaitClose());
  });
  const auto result = Get("/watch", absl::Milliseconds(100));
  EXPECT_EQ(result.status().code(), absl::StatusCode::kDeadlineExceeded) << result.status();
  EXPECT_EQ(body, "something");
}

TEST_F(RestTransportTest, AServerThatDoesNotAnswerIsGivenUp) {
  Serve([](ServerConnection& connection) {
    connection.ReadHead();
    connection.AwaitClose();
  });
  transport = MakeRestTransport(config, {.head_limit = absl::Milliseconds(300)});
  const auto result = Get("/watch");
  EXPECT_EQ(result.status().code(), absl::StatusCode::kDeadlineExceeded) << result.status();
}

TEST_F(RestTransportTest, AStreamCutInTheMiddleIsAnError) {
  Serve([](ServerConnection& connection) {
    connection.ReadHead();
    connection.Write(kChunkedHead);
    connection.WriteChunk("a whole line\n");
    connection.Write("20\r\nhalf a li");
  });
  const auto result = Get("/watch");
  EXPECT_EQ(result.status().code(), absl::StatusCode::kUnavailable) << result.status();
  EXPECT_THAT(body, StartsWith("a whole line\n"));
}

TEST_F(RestTransportTest, ABodyCutBeforeItsLengthIsAnError) {
  Serve([](ServerConnection& connection) {
    connection.ReadHead();
    connection.Write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
  });
  EXPECT_EQ(Get("/list").status().code(), absl::StatusCode::kUnavailable);
}

TEST_F(RestTransportTest, CancelEndsAQuietWatchAndAllLaterRequests) {
  std::promise<void> quiet;
  Serve([&](ServerConnection& connection) {
    connection.ReadHead();
    connection.Write(kChunkedHead);
    connection.WriteChunk("x");
    EXPECT_TRUE(connection.AwaitClose());
  });
  std::thread canceller([&] {
    quiet.get_future().wait_for(std::chrono::seconds(10));
    transport->Cancel();
  });
  const auto result = transport->Get("/watch", absl::Hours(1), [&](std::string_view) {
    quiet.set_value();
    return true;
  });
  canceller.join();
  EXPECT_EQ(result.status().code(), absl::StatusCode::kCancelled) << result.status();
  EXPECT_EQ(Get("/list").status().code(), absl::StatusCode::kCancelled);
}

TEST_F(RestTransportTest, CancelEndsTheWaitForTheHead) {
  std::promise<void> asked;
  Serve([&](ServerConnection& connection) {
    connection.ReadHead();
    asked.set_value();
    EXPECT_TRUE(connection.AwaitClose());
  });
  std::thread canceller([&] {
    asked.get_future().wait_for(std::chrono::seconds(10));
    transport->Cancel();
  });
  EXPECT_EQ(Get("/list").status().code(), absl::StatusCode::kCancelled);
  canceller.join();
}

TEST_F(RestTransportTest, OtherStatusesComeWithTheBeginningOfTheirBody) {
  Serve([](ServerConnection& connection) {
    for (std::string head = connection.ReadHead(); !head.empty(); head = connection.ReadHead()) {
      if (head.find("/gone") == std::string::npos) {
        connection.Write(
            "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 7\r\nContent-Length: 9\r\n\r\nslow "
            "down");
      } else {
        connection.Write(
            StrCat("HTTP/1.1 410 Gone\r\nContent-Length: 5000\r\n\r\n", std::string(5000, 'x')));
      }
    }
  });
  auto result = Get("/busy");
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->status, 429);
  EXPECT_EQ(result->error_body, "slow down");
  EXPECT_EQ(result->retry_after, absl::Seconds(7));
  result = Get("/gone");
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->status, 410);
  EXPECT_EQ(result->error_body.size(), 1024u);
  EXPECT_EQ(body, "");
}

TEST_F(RestTransportTest, ARedirectIsNotFollowed) {
  Serve([](ServerConnection& connection) {
    connection.ReadHead();
    connection.Write(
        "HTTP/1.1 302 Found\r\nLocation: https://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n");
    connection.AwaitClose();
  });
  const auto result = Get("/list");
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->status, 302);
  EXPECT_EQ(server->connections(), 1);
}

TEST_F(RestTransportTest, TheReaderMayEndARequest) {
  Serve([](ServerConnection& connection) {
    connection.ReadHead();
    connection.Write(kChunkedHead);
    connection.WriteChunk("enough");
    EXPECT_TRUE(connection.AwaitClose());
  });
  const auto result =
      transport->Get("/watch", absl::Seconds(10), [](std::string_view) { return false; });
  EXPECT_EQ(result.status().code(), absl::StatusCode::kAborted);
}

TEST_F(RestTransportTest, NobodyListening) {
  Serve([](ServerConnection&) {});
  server.reset();
  EXPECT_EQ(Get("/list").status().code(), absl::StatusCode::kUnavailable);
}

TEST_F(RestTransportTest, TrustsOnlyTheGivenAuthority) {
  config.ca = CredentialText::Inline(MakeCertificate({"other"}).chain);
  Serve([](ServerConnection& connection) { connection.ReadHead(); });
  EXPECT_EQ(Get("/list").status().code(), absl::StatusCode::kUnavailable);
}

TEST_F(RestTransportTest, ChecksTheName) {
  config.tls_server_name = "wrong.test";
  Serve([](ServerConnection& connection) { connection.ReadHead(); });
  EXPECT_EQ(Get("/list").status().code(), absl::StatusCode::kUnavailable);
  config.tls_server_name = "";  // then the URL's host, an address that is not in the certificate
  transport = MakeRestTransport(config);
  EXPECT_EQ(Get("/list").status().code(), absl::StatusCode::kUnavailable);
}

TEST_F(RestTransportTest, MayBeToldNotToCheck) {
  config.tls_server_name = "";
  config.ca = nullptr;
  config.insecure_skip_tls_verify = true;
  Serve([](ServerConnection& connection) {
    connection.ReadHead();
    connection.Write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    connection.AwaitClose();
  });
  EXPECT_TRUE(Get("/list").ok());
}

TEST_F(RestTransportTest, PresentsTheClientCertificate) {
  const PemPair client = MakeCertificate({"controller"});
  config.client_certificate = CredentialText::Inline(client.chain);
  config.client_key = CredentialText::Inline(client.key);
  std::promise<std::string> name;
  Serve(
      [&](ServerConnection& connection) {
        name.set_value(connection.ClientName());
        connection.ReadHead();
        connection.Write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        connection.AwaitClose();
      },
      client.chain);
  ASSERT_TRUE(Get("/list").ok());
  EXPECT_EQ(name.get_future().get(), "controller");
}

TEST_F(RestTransportTest, BrokenCredentialsAreNamed) {
  Serve([](ServerConnection& connection) { connection.ReadHead(); });
  config.ca = CredentialText::Inline("not PEM");
  transport = MakeRestTransport(config);
  EXPECT_THAT(Get("/list").status().ToString(), HasSubstr("the certificate authority is not PEM"));
  config.ca = CredentialText::Inline(certificate.chain);
  config.client_certificate = CredentialText::Inline(certificate.chain);
  config.client_key = CredentialText::Inline(MakeCertificate({"other"}).key);
  transport = MakeRestTransport(config);
  EXPECT_THAT(Get("/list").status().ToString(), HasSubstr("does not fit the certificate"));
  config.client_certificate = config.client_key = nullptr;
  config.token = CredentialText::Inline("two words");
  transport = MakeRestTransport(config);
  EXPECT_EQ(Get("/list").status().code(), absl::StatusCode::kUnauthenticated);
  config.token = CredentialText::File("/nonexistent/token");
  transport = MakeRestTransport(config);
  EXPECT_EQ(Get("/list").status().code(), absl::StatusCode::kUnauthenticated);
}

TEST_F(RestTransportTest, ARotatedTokenIsUsedForTheNextRequest) {
  const std::string path = ::testing::TempDir() + StrCat("headgate_token_", getpid());
  std::ofstream(path) << "first";
  config.token = CredentialText::File(path);
  std::vector<std::string> heads;
  Serve([&](ServerConnection& connection) {
    for (std::string head = connection.ReadHead(); !head.empty(); head = connection.ReadHead()) {
      heads.push_back(head);
      connection.Write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    }
  });
  ASSERT_TRUE(Get("/x").ok());
  std::ofstream(path) << "other";
  ASSERT_TRUE(Get("/x").ok());
  std::filesystem::remove(path);
  ASSERT_TRUE(Get("/x").ok());  // gone: the last one is used
  transport.reset();
  server.reset();
  ASSERT_EQ(heads.size(), 3u);
  EXPECT_THAT(heads[0], HasSubstr("Authorization:Bearer first\r\n"));
  EXPECT_THAT(heads[1], HasSubstr("Authorization:Bearer other\r\n"));
  EXPECT_THAT(heads[2], HasSubstr("Authorization:Bearer other\r\n"));
}

// The whole way: TLS, chunks, a connection cut in the middle of a line, and back to the truth.
TEST_F(RestTransportTest, AReflectorSurvivesACutConnection) {
  std::atomic<int> watches{0};
  auto handler = [&](ServerConnection& connection) {
    for (std::string head = connection.ReadHead(); !head.empty(); head = connection.ReadHead()) {
      connection.Write(kChunkedHead);
      if (head.find("watch=1") == std::string::npos) {
        connection.WriteChunk(R"({"metadata":{"resourceVersion":"5"},"items":[{"metadata":)");
        connection.WriteChunk(R"({"name":"a","resourceVersion":"4"}}]})");
        connection.Write("0\r\n\r\n");
        continue;
      }
      if (++watches == 1) {
        EXPECT_NE(head.find("resourceVersion=5&"), std::string::npos);
        connection.WriteChunk(
            "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":\"b\","
            "\"resourceVersion\":\"6\"}}}\n{\"type\":\"DELETED\",\"obj");
        return;
      }
      EXPECT_NE(head.find("resourceVersion=6&"), std::string::npos);
      connection.WriteChunk(
          "{\"type\":\"DELETED\",\"object\":{\"metadata\":{\"name\":\"a\","
          "\"resourceVersion\":\"7\"}}}\n");
      EXPECT_TRUE(connection.AwaitClose());
      return;
    }
  };
  Serve(handler);
  RecordingSink sink;
  SystemClock clock;
  MetricsRegistry metrics;
  ReflectorOptions options;
  options.type = &ResourceTypeOf(Kind::kNamespace);
  options.backoff.initial = absl::Milliseconds(1);
  Reflector reflector(options, *transport, sink, clock, metrics, [] {});
  std::thread thread([&] { reflector.Run(); });
  EXPECT_TRUE(sink.AwaitLog("-Namespace a"));
  reflector.Stop();
  thread.join();
  EXPECT_THAT(sink.TakeLog(),
              ::testing::ElementsAre("+Namespace a", "+Namespace b", "-Namespace a"));
  EXPECT_EQ(sink.replacements(), 1);
}

}  // namespace
}  // namespace headgate::kube
