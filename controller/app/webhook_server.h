#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "common/clock.h"
#include "common/metrics.h"
#include "common/secret_bytes.h"
#include "controller/admission/review.h"
#include "controller/app/http_server.h"

namespace headgate::app {

// PEM.
struct ServingPair {
  std::string certificate;  // chain, leaf first
  SecretBytes key;
  std::string origin;  // for errors
};

// What to serve now; the same pointer as before: nothing has changed. Null: there is nothing yet,
// and connections end. An error: what was served before is served on. Called on the server's
// thread.
using ServingPairSource = std::function<absl::StatusOr<std::shared_ptr<const ServingPair>>()>;

// Files, which are read again when they change.
ServingPairSource PairOfFiles(const std::string& certificate, const std::string& key);

struct WebhookOptions {
  HostPort listen;
  ServingPairSource pair;
};

// Answers the reviews of API servers (admission/review.h) over TLS 1.2 or later, at
// /networking/v1/ingresses.
//
// Thread: one owner; works on a thread of its own.
class WebhookServer {
 public:
  // As ingress-nginx has it.
  static constexpr char kPath[] = "/networking/v1/ingresses";
  // A review holds an object before and after, each of which etcd takes up to 1.5 MiB of.
  static constexpr size_t kMaxBody = 4 << 20;
  static constexpr size_t kMaxConnections = 16;

  // INVALID_ARGUMENT and errors of the source: what it gives cannot be used. `clock` and `metrics`,
  // and what `judge` and the source refer to, outlive the server.
  static absl::StatusOr<std::unique_ptr<WebhookServer>> Start(const WebhookOptions& options,
                                                              admission::Judgement judge,
                                                              const Clock& clock,
                                                              MetricsRegistry& metrics);
  WebhookServer(const WebhookServer&) = delete;
  WebhookServer& operator=(const WebhookServer&) = delete;

  uint16_t port() const { return server_->port(); }

 private:
  WebhookServer(const WebhookOptions& options, admission::Judgement judge, const Clock& clock,
                MetricsRegistry& metrics);

  // Of what the source gives now; if it cannot be used, what was there before.
  absl::Status LoadTls();
  HttpReply Answer(const HttpRequest& request);

  const admission::Judgement judge_;
  const Clock& clock_;
  Counter& allowed_;
  Counter& refused_;
  Counter& malformed_;
  Histogram& seconds_;
  const ServingPairSource source_;
  // The server's thread's, once it runs.
  std::shared_ptr<const ServingPair> pair_;
  std::shared_ptr<ssl_ctx_st> tls_;

  std::unique_ptr<HttpServer> server_;  // last: stops first
};

}  // namespace headgate::app
