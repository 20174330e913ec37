#include "controller/app/webhook_server.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <utility>

#include "common/log.h"
#include "common/openssl_ptr.h"
#include "common/strings.h"

namespace headgate::app {
namespace {

constexpr size_t kMaxPem = 1 << 20;

absl::StatusOr<std::shared_ptr<SSL_CTX>> MakeContext(const std::string& chain_pem,
                                                     const std::string& key_pem) {
  std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  if (context == nullptr) return absl::ResourceExhaustedError("out of memory");
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_mode(context.get(),
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  const BioPtr chain(BIO_new_mem_buf(chain_pem.data(), static_cast<int>(chain_pem.size())));
  int certificates = 0;
  while (const X509Ptr certificate{PEM_read_bio_X509(chain.get(), nullptr, nullptr, nullptr)}) {
    const bool leaf = certificates++ == 0;
    const int used = leaf ? SSL_CTX_use_certificate(context.get(), certificate.get())
                          : SSL_CTX_add1_chain_cert(context.get(), certificate.get());
    if (used != 1) break;
  }
  const BioPtr key_text(BIO_new_mem_buf(key_pem.data(), static_cast<int>(key_pem.size())));
  const KeyPtr key(PEM_read_bio_PrivateKey(key_text.get(), nullptr, nullptr, nullptr));
  const bool fits = certificates > 0 && key != nullptr &&
                    SSL_CTX_use_PrivateKey(context.get(), key.get()) == 1 &&
                    SSL_CTX_check_private_key(context.get()) == 1;
  ERR_clear_error();
  if (!fits) return absl::InvalidArgumentError("certificate and key are no PEM or do not fit");
  return context;
}

}  // namespace

WebhookServer::WebhookServer(const WebhookOptions& options, admission::Judgement judge,
                             const Clock& clock, MetricsRegistry& metrics)
    : judge_(std::move(judge)),
      clock_(clock),
      allowed_(metrics.AddCounter("headgate_admission_reviews_total",
                                  "Ingresses that API servers asked about.",
                                  {{"answer", "allowed"}})),
      refused_(metrics.AddCounter("headgate_admission_reviews_total",
                                  "Ingresses that API servers asked about.",
                                  {{"answer", "refused"}})),
      malformed_(metrics.AddCounter("headgate_admission_reviews_total",
                                    "Ingresses that API servers asked about.",
                                    {{"answer", "malformed"}})),
      seconds_(metrics.AddHistogram("headgate_admission_seconds", "Time to answer.",
                                    {0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3})),
      certificate_(options.certificate, kMaxPem),
      key_(options.key, kMaxPem) {}

absl::StatusOr<std::unique_ptr<WebhookServer>> WebhookServer::Start(const WebhookOptions& options,
                                                                    admission::Judgement judge,
                                                                    const Clock& clock,
                                                                    MetricsRegistry& metrics) {
  std::unique_ptr<WebhookServer> server(
      new WebhookServer(options, std::move(judge), clock, metrics));
  if (absl::Status status = server->LoadTls(); !status.ok()) return status;
  HttpServerOptions http;
  http.listen = options.listen;
  http.max_body = kMaxBody;
  http.max_connections = kMaxConnections;
  http.tls = [raw = server.get()] {
    if (const absl::Status status = raw->LoadTls(); !status.ok()) {
      HEADGATE_LOG_EVERY(60, kWarn, "admission", "the webhook's certificate cannot be used",
                         {"error", status});
    }
    return raw->tls_;
  };
  auto started = HttpServer::Start(
      std::move(http),
      [raw = server.get()](const HttpRequest& request) { return raw->Answer(request); }, clock);
  if (!started.ok()) return started.status();
  server->server_ = *std::move(started);
  return server;
}

absl::Status WebhookServer::LoadTls() {
  const absl::StatusOr<bool> new_certificate = certificate_.Refresh();
  if (!new_certificate.ok()) return new_certificate.status();
  const absl::StatusOr<bool> new_key = key_.Refresh();
  if (!new_key.ok()) return new_key.status();
  if (!*new_certificate && !*new_key) return absl::OkStatus();
  auto context = MakeContext(certificate_.content(), key_.content());
  if (!context.ok()) {
    return absl::InvalidArgumentError(
        StrCat(certificate_.path(), ", ", key_.path(), ": ", ToStd(context.status().message())));
  }
  tls_ = *std::move(context);
  return absl::OkStatus();
}

HttpReply WebhookServer::Answer(const HttpRequest& request) {
  if (request.path != kPath) return {.status = 404, .body = StrCat("There is ", kPath, ".\n")};
  if (request.method != "POST") return {.status = 405, .body = "Reviews are posted.\n"};
  const absl::Duration start = clock_.MonotonicNow();
  bool allowed = true;
  const admission::Answer answer = admission::Review(request.body, [&](kube::Ingress candidate) {
    admission::Verdict verdict = judge_(std::move(candidate));
    allowed = verdict.allowed;
    return verdict;
  });
  seconds_.Observe(absl::ToDoubleSeconds(clock_.MonotonicNow() - start));
  (answer.status != 200 ? malformed_ : allowed ? allowed_ : refused_).Add();
  HttpReply reply;
  reply.status = answer.status;
  if (answer.status == 200) reply.content_type = "application/json";
  reply.body = answer.body;
  return reply;
}

}  // namespace headgate::app
