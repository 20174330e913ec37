#include "controller/app/webhook_server.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <utility>

#include "common/file.h"
#include "common/log.h"
#include "common/openssl_ptr.h"
#include "common/strings.h"

namespace headgate::app {
namespace {

constexpr size_t kMaxPem = 1 << 20;

absl::StatusOr<std::shared_ptr<SSL_CTX>> MakeContext(const ServingPair& pair) {
  std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  if (context == nullptr) return absl::ResourceExhaustedError("out of memory");
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_mode(context.get(),
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  const BioPtr chain(
      BIO_new_mem_buf(pair.certificate.data(), static_cast<int>(pair.certificate.size())));
  int certificates = 0;
  while (const X509Ptr certificate{PEM_read_bio_X509(chain.get(), nullptr, nullptr, nullptr)}) {
    const bool leaf = certificates++ == 0;
    const int used = leaf ? SSL_CTX_use_certificate(context.get(), certificate.get())
                          : SSL_CTX_add1_chain_cert(context.get(), certificate.get());
    if (used != 1) break;
  }
  const BioPtr key_text(
      BIO_new_mem_buf(pair.key.Reveal().data(), static_cast<int>(pair.key.size())));
  const KeyPtr key(PEM_read_bio_PrivateKey(key_text.get(), nullptr, nullptr, nullptr));
  const bool fits = certificates > 0 && key != nullptr &&
                    SSL_CTX_use_PrivateKey(context.get(), key.get()) == 1 &&
                    SSL_CTX_check_private_key(context.get()) == 1;
  ERR_clear_error();
  if (!fits) return absl::InvalidArgumentError("certificate and key are no PEM or do not fit");
  return context;
}

}  // namespace

ServingPairSource PairOfFiles(const std::string& certificate, const std::string& key) {
  struct Files {
    WatchedFile certificate;
    WatchedFile key;
    std::shared_ptr<const ServingPair> pair;
  };
  const auto files = std::make_shared<Files>(Files{.certificate = WatchedFile(certificate, kMaxPem),
                                                   .key = WatchedFile(key, kMaxPem),
                                                   .pair = nullptr});
  return [files]() -> absl::StatusOr<std::shared_ptr<const ServingPair>> {
    for (WatchedFile* file : {&files->certificate, &files->key}) {
      if (const absl::StatusOr<bool> refreshed = file->Refresh(); !refreshed.ok())
        return refreshed.status();
    }
    const std::string &chain = files->certificate.content(), &secret = files->key.content();
    if (files->pair == nullptr || files->pair->certificate != chain ||
        files->pair->key.Reveal() != secret) {
      files->pair = std::make_shared<const ServingPair>(
          ServingPair{.certificate = chain,
                      .key = SecretBytes(secret),
                      .origin = StrCat(files->certificate.path(), ", ", files->key.path())});
    }
    return files->pair;
  };
}

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
      source_(options.pair) {}

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
  auto pair = source_();
  if (!pair.ok()) return pair.status();
  if (*pair == pair_ || *pair == nullptr) return absl::OkStatus();
  pair_ = *std::move(pair);
  auto context = MakeContext(*pair_);
  if (!context.ok())
    return absl::InvalidArgumentError(
        StrCat(pair_->origin, ": ", ToStd(context.status().message())));
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
