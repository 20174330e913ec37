#include "controller/app/webhook_certificate.h"

#include <algorithm>
#include <utility>

#include "absl/strings/escaping.h"
#include "common/log.h"
#include "common/strings.h"

namespace headgate::app {
namespace {

using kube::Json;

constexpr absl::Duration kRetry = absl::Seconds(2);  // after a failure

// Makes every webhook of the configuration trust `bundle`. False: they do already.
bool PutBundle(const std::string& bundle, Json& configuration) {
  const std::string text = absl::Base64Escape(bundle);
  bool changed = false;
  const auto webhooks = configuration.find("webhooks");
  if (webhooks == configuration.end() || !webhooks->is_array()) return false;
  for (Json& webhook : *webhooks) {
    if (!webhook.is_object()) continue;
    Json& held = webhook["clientConfig"]["caBundle"];
    if (held == text) continue;
    held = text;
    changed = true;
  }
  return changed;
}

}  // namespace

WebhookCertificate::WebhookCertificate(WebhookCertificateOptions options,
                                       std::unique_ptr<kube::Transport> transport,
                                       std::function<bool()> leads, const Clock& clock,
                                       MetricsRegistry& metrics)
    : options_(std::move(options)),
      leads_(std::move(leads)),
      clock_(clock),
      failures_(metrics.AddCounter(
          "headgate_admission_certificate_failures_total",
          "Attempts to read or renew the webhook's own certificate that failed.")),
      not_after_(metrics.AddGauge(
          "headgate_admission_certificate_not_after_seconds",
          "When the webhook's own certificate ends, in Unix time; 0: there is none.")),
      api_(std::move(transport)),
      task_(clock, [this] { return TakeTurn(); }) {}

WebhookCertificate::~WebhookCertificate() { Stop(); }

void WebhookCertificate::Start() { task_.Start(); }

void WebhookCertificate::Stop() {
  task_.Stop([this] { api_.Cancel(); });
}

std::shared_ptr<const ServingPair> WebhookCertificate::pair() const {
  const std::lock_guard lock(mutex_);
  return pair_;
}

absl::Duration WebhookCertificate::settle() const {
  return std::min(absl::Minutes(1), options_.certificate.lifetime / 12);
}

absl::Duration WebhookCertificate::interval() const {
  return std::min(absl::Seconds(10), settle() / 2);
}

absl::Duration WebhookCertificate::TakeTurn() {
  const absl::Status looked = Look();
  // Somebody else wrote the same object: the next look sees what.
  if (!looked.ok() && !absl::IsAborted(looked)) {
    failures_.Add();
    HEADGATE_LOG_EVERY(60, kWarn, "admission",
                       "the webhook's certificate could not be looked after",
                       {"secret", options_.secret.ToString()}, {"error", looked});
  }
  return looked.ok() ? interval() : std::min(kRetry, interval());
}

absl::Status WebhookCertificate::Look() {
  absl::StatusOr<Json> document = api_.Read(kube::PathOf("/api/v1", options_.secret, "secrets"));
  if (!document.ok()) return document.status();
  CertificateSecret secret = ReadCertificateSecret(*document);
  Serve(secret);
  if (!leads_()) {
    announced_.clear();
    return absl::OkStatus();
  }
  return Advance(*std::move(document), std::move(secret));
}

absl::Status WebhookCertificate::Advance(Json document, CertificateSecret secret) {
  if (secret.current) {
    if (const absl::Status told = Announce(secret.Bundle()); !told.ok()) return told;
  }
  const bool announced =
      announced_ == secret.Bundle() && clock_.MonotonicNow() - announced_at_ >= settle();
  const RotationStep step = NextStep(secret, options_.certificate, clock_.WallNow(), announced);
  if (step == RotationStep::kNone) return absl::OkStatus();
  if (const absl::Status taken = Take(step, options_.certificate, clock_.WallNow(), secret);
      !taken.ok())
    return taken;
  PutCertificateSecret(secret, document);
  // With the resourceVersion that was read: another leader's write is not undone.
  const absl::StatusOr<Json> written = api_.Write(
      kube::WriteMethod::kPut, kube::PathOf("/api/v1", options_.secret, "secrets"), document);
  if (!written.ok()) return written.status();
  HEADGATE_LOG(kInfo, "admission",
               step == RotationStep::kPromote ? "the webhook serves its next certificate"
                                              : "a certificate was made for the webhook",
               {"secret", options_.secret.ToString()});
  Serve(secret);
  return Announce(secret.Bundle());
}

absl::Status WebhookCertificate::Announce(const std::string& bundle) {
  const std::string target =
      kube::PathOf("/apis/admissionregistration.k8s.io/v1", {"", options_.configuration},
                   "validatingwebhookconfigurations");
  absl::StatusOr<Json> configuration = api_.Read(target);
  if (!configuration.ok()) return configuration.status();
  if (PutBundle(bundle, *configuration)) {
    announced_.clear();
    const absl::StatusOr<Json> written =
        api_.Write(kube::WriteMethod::kPut, target, *configuration);
    if (!written.ok()) return written.status();
    HEADGATE_LOG(kInfo, "admission", "API servers are told of the webhook's authorities",
                 {"configuration", options_.configuration});
  }
  if (announced_ != bundle) {
    announced_ = bundle;
    announced_at_ = clock_.MonotonicNow();
  }
  return absl::OkStatus();
}

void WebhookCertificate::Serve(const CertificateSecret& secret) {
  if (!secret.current) return;
  const std::optional<absl::Time> end = EndOf(*secret.current);
  if (!end) return;  // what is served stays
  not_after_.Set(absl::ToUnixSeconds(*end));
  const std::lock_guard lock(mutex_);
  if (pair_ != nullptr && pair_->certificate == secret.current->certificate &&
      pair_->key == secret.current->key)
    return;
  pair_ = std::make_shared<const ServingPair>(
      ServingPair{.certificate = secret.current->certificate,
                  .key = secret.current->key,
                  .origin = StrCat("Secret ", options_.secret.ToString())});
}

}  // namespace headgate::app
