#include "controller/app/webhook_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <stdlib.h>

#include <filesystem>
#include <memory>
#include <string>

#include "common/check.h"
#include "common/file.h"
#include "common/strings.h"
#include "tests/support/certificates.h"

namespace headgate::app {
namespace {

using headgate::testing::MakeCertificate;
using headgate::testing::PemPair;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class WebhookServerTest : public ::testing::Test {
 protected:
  WebhookServerTest() {
    char folder[] = "/tmp/headgate-webhook-XXXXXX";
    HEADGATE_CHECK(mkdtemp(folder) != nullptr);
    folder_ = folder;
    Write(MakeCertificate({"first.example"}));
  }
  ~WebhookServerTest() override { std::filesystem::remove_all(folder_); }

  void Write(const PemPair& pair) {
    ASSERT_TRUE(WriteFileAtomically(folder_ + "/tls.crt", pair.chain).ok());
    ASSERT_TRUE(WriteFileAtomically(folder_ + "/tls.key", pair.key).ok());
  }
  absl::Status Start() {
    auto started = WebhookServer::Start(
        {.listen = {"127.0.0.1", 0},
         .pair = PairOfFiles(folder_ + "/tls.crt", folder_ + "/tls.key")},
        [](kube::Ingress ingress) {
          return admission::Verdict{
              .allowed = ingress.meta.key.name != "bad", .reason = "no", .warnings = {}};
        },
        clock_, metrics_);
    if (!started.ok()) return started.status();
    server_ = *std::move(started);
    return absl::OkStatus();
  }

  struct Reply {
    std::string text;
    std::string name;  // of the certificate; empty: no handshake
  };
  // `highest`: the newest version of TLS that the client speaks.
  Reply Ask(std::string_view request, int highest = TLS1_3_VERSION) {
    const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(
        SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
    SSL_CTX_set_security_level(context.get(), 0);
    SSL_CTX_set_min_proto_version(context.get(), TLS1_VERSION);
    SSL_CTX_set_max_proto_version(context.get(), highest);
    const std::unique_ptr<BIO, decltype(&BIO_free_all)> bio(BIO_new_ssl_connect(context.get()),
                                                            BIO_free_all);
    BIO_set_conn_hostname(bio.get(), StrCat("127.0.0.1:", server_->port()).c_str());
    Reply reply;
    if (BIO_do_connect(bio.get()) != 1 || BIO_do_handshake(bio.get()) != 1) return reply;
    SSL* tls = nullptr;
    BIO_get_ssl(bio.get(), &tls);
    X509* certificate = SSL_get1_peer_certificate(tls);
    char name[256] = {};
    X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name,
                              sizeof(name));
    X509_free(certificate);
    reply.name = name;
    for (size_t sent = 0; sent < request.size();) {
      const int n =
          BIO_write(bio.get(), request.data() + sent, static_cast<int>(request.size() - sent));
      if (n <= 0) break;
      sent += static_cast<size_t>(n);
    }
    char buffer[4096];
    int n = 0;
    while ((n = BIO_read(bio.get(), buffer, sizeof(buffer))) > 0)
      reply.text.append(buffer, static_cast<size_t>(n));
    return reply;
  }
  static std::string Post(const std::string& body, const std::string& path = WebhookServer::kPath) {
    return StrCat("POST ", path, "?timeout=5s HTTP/1.1\r\nContent-Length: ", body.size(),
                  "\r\n\r\n", body);
  }
  static std::string Question(const std::string& name, const std::string& filler = {}) {
    return StrCat(
        R"({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {"uid": "u",
      "operation": "CREATE", "resource": {"group": "networking.k8s.io", "version": "v1", "resource": "ingresses"},
      "object": {"metadata": {"name": ")",
        name, R"(", "annotations": {"a": ")", filler, R"("}}, "spec": {}}}})");
  }

  SystemClock clock_;
  MetricsRegistry metrics_;
  std::string folder_;
  std::unique_ptr<WebhookServer> server_;
};

TEST_F(WebhookServerTest, AnswersReviews) {
  ASSERT_TRUE(Start().ok());
  const Reply good = Ask(Post(Question("good")));
  EXPECT_THAT(good.text, StartsWith("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"));
  EXPECT_THAT(good.text, HasSubstr("\"allowed\":true"));
  EXPECT_THAT(Ask(Post(Question("bad"))).text, HasSubstr("\"allowed\":false"));
  EXPECT_THAT(Ask(Post("{")).text, StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(Ask(Post("{}", "/other")).text, StartsWith("HTTP/1.1 404"));
  EXPECT_THAT(Ask("GET /networking/v1/ingresses HTTP/1.1\r\n\r\n").text,
              StartsWith("HTTP/1.1 405"));
  EXPECT_THAT(metrics_.Render(),
              HasSubstr("headgate_admission_reviews_total{answer=\"refused\"} 1\n"));
}

TEST_F(WebhookServerTest, TakesLargeReviewsUpToTheLimit) {
  ASSERT_TRUE(Start().ok());
  EXPECT_THAT(Ask(Post(Question("good", std::string(3'000'000, 'x')))).text,
              HasSubstr("\"allowed\":true"));
  EXPECT_THAT(
      Ask(StrCat("POST / HTTP/1.1\r\nContent-Length: ", WebhookServer::kMaxBody + 1, "\r\n\r\n"))
          .text,
      StartsWith("HTTP/1.1 413"));
}

TEST_F(WebhookServerTest, SpeaksTls12AndLaterAndNothingElse) {
  ASSERT_TRUE(Start().ok());
  EXPECT_THAT(Ask(Post(Question("good")), TLS1_2_VERSION).text, StartsWith("HTTP/1.1 200"));
  EXPECT_EQ(Ask(Post(Question("good")), TLS1_1_VERSION).name, "");
}

TEST_F(WebhookServerTest, TakesANewCertificateAndKeepsTheOldOneWhileTheNewIsBad) {
  ASSERT_TRUE(Start().ok());
  EXPECT_EQ(Ask("GET / HTTP/1.1\r\n\r\n").name, "first.example");
  Write(MakeCertificate({"second.example"}));
  EXPECT_EQ(Ask("GET / HTTP/1.1\r\n\r\n").name, "second.example");
  Write({.chain = "rubbish", .key = "rubbish"});
  EXPECT_EQ(Ask("GET / HTTP/1.1\r\n\r\n").name, "second.example");
}

TEST_F(WebhookServerTest, DoesNotStartWithoutAUsableCertificate) {
  Write({.chain = MakeCertificate({"a.example"}).chain, .key = MakeCertificate({"b.example"}).key});
  EXPECT_THAT(std::string(Start().message()), HasSubstr("tls.crt"));
  std::filesystem::remove(folder_ + "/tls.key");
  EXPECT_FALSE(Start().ok());
}

}  // namespace
}  // namespace headgate::app
