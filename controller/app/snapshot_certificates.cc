#include "controller/app/snapshot_certificates.h"

#include <algorithm>
#include <utility>

#include "absl/strings/escaping.h"
#include "common/log.h"
#include "common/strings.h"

namespace headgate::app {
namespace {

using kube::Json;

constexpr absl::Duration kRetry = absl::Seconds(2);  // after a failure
// Whom the program trusts, which is not who signed its own certificate.
constexpr std::string_view kTrustedEntry = "ca.crt";
constexpr std::string_view kOwnAuthority = "own-ca.crt";

std::string PathOf(const kube::ObjectKey& secret) {
  return kube::PathOf("/api/v1", secret, "secrets");
}

Gauge& AddEnd(MetricsRegistry& metrics, std::string side) {
  return metrics.AddGauge(
      "headgate_snapshot_certificate_not_after_seconds",
      "When the certificate of a side ends, where controllers renew it, in Unix time.",
      {{"side", std::move(side)}});
}

}  // namespace

SnapshotCertificates::SnapshotCertificates(SnapshotCertificatesOptions options,
                                           std::unique_ptr<kube::Transport> transport,
                                           std::function<bool()> leads, const Clock& clock,
                                           MetricsRegistry& metrics)
    : leads_(std::move(leads)),
      lifetime_(options.lifetime),
      clock_(clock),
      failures_(metrics.AddCounter(
          "headgate_snapshot_certificate_failures_total",
          "Attempts to read or renew the certificates of controllers and data planes that "
          "failed.")),
      api_(std::move(transport)),
      sides_{Side{std::move(options.controller),
                  {.subject = "headgate-controller",
                   .names = std::move(options.names),
                   .lifetime = options.lifetime},
                  AddEnd(metrics, "controller"),
                  {},
                  {}},
             Side{std::move(options.data_plane),
                  {.subject = "headgate-dataplane",
                   .names = {},
                   .usage = "clientAuth",
                   .lifetime = options.lifetime},
                  AddEnd(metrics, "dataplane"),
                  {},
                  {}}},
      task_(clock, [this] { return TakeTurn(); }) {}

void SnapshotCertificates::Stop() {
  task_.Stop([this] { api_.Cancel(); });
}

// The kubelet looks at Secrets every minute, and may see what they were a minute ago.
absl::Duration SnapshotCertificates::settle() const {
  return std::min(absl::Minutes(10), lifetime_ / 12);
}

absl::Duration SnapshotCertificates::interval() const {
  return std::min(absl::Minutes(1), settle() / 2);
}

absl::Duration SnapshotCertificates::TakeTurn() {
  const absl::Status looked = Look();
  // Somebody else wrote the same object: the next look sees what.
  if (!looked.ok() && !absl::IsAborted(looked)) {
    failures_.Add();
    HEADGATE_LOG_EVERY(60, kWarn, "app",
                       "the certificates of controllers and data planes could not be looked after",
                       {"error", looked});
  }
  return looked.ok() ? interval() : std::min(kRetry, interval());
}

absl::StatusOr<SnapshotCertificates::Held> SnapshotCertificates::Read(const Side& side) {
  absl::StatusOr<Json> document = api_.Read(PathOf(side.secret));
  if (!document.ok()) return document.status();
  // Until controllers have written it, both sides have one authority, which they trust.
  const bool ours = !SecretEntry(*document, kOwnAuthority).empty();
  Held held;
  held.certificates = ReadCertificateSecret(*document, ours ? kOwnAuthority : kTrustedEntry);
  held.trusted = SecretEntry(*document, kTrustedEntry);
  held.document = *std::move(document);
  return held;
}

absl::Status SnapshotCertificates::Look() {
  std::array<Held, 2> held;
  for (size_t i = 0; i < sides_.size(); ++i) {
    absl::StatusOr<Held> read = Read(sides_[i]);
    if (!read.ok()) return read.status();
    held[i] = *std::move(read);
    const auto& current = held[i].certificates.current;
    const std::optional<absl::Time> end = current ? EndOf(*current) : std::nullopt;
    if (end) sides_[i].not_after.Set(absl::ToUnixSeconds(*end));
  }
  if (!leads_()) {
    for (Side& side : sides_) side.told.clear();
    return absl::OkStatus();
  }
  for (size_t i = 0; i < sides_.size(); ++i) {
    const absl::Status taken = Advance(sides_[i], held[1 - i].trusted, held[i].certificates);
    if (!taken.ok()) return taken;
  }
  for (size_t i = 0; i < sides_.size(); ++i) {
    Json document = held[i].document;
    PutCertificateSecret(held[i].certificates, document, kOwnAuthority);
    document["data"][std::string(kTrustedEntry)] =
        absl::Base64Escape(held[1 - i].certificates.Bundle());
    if (document == held[i].document) continue;
    // With the resourceVersion that was read: another leader's write is not undone.
    const absl::StatusOr<Json> written =
        api_.Write(kube::WriteMethod::kPut, PathOf(sides_[i].secret), document);
    if (!written.ok()) return written.status();
  }
  return absl::OkStatus();
}

absl::Status SnapshotCertificates::Advance(Side& side, const std::string& trusted,
                                           CertificateSecret& certificates) {
  const std::string bundle = certificates.Bundle();
  if (trusted != bundle) {
    side.told.clear();
  } else if (side.told != bundle) {
    side.told = bundle;
    side.told_at = clock_.MonotonicNow();
  }
  const bool announced = side.told == bundle && clock_.MonotonicNow() - side.told_at >= settle();
  const RotationStep step = NextStep(certificates, side.spec, clock_.WallNow(), announced);
  if (step == RotationStep::kNone) return absl::OkStatus();
  HEADGATE_LOG(kInfo, "app",
               step == RotationStep::kPromote ? "the next certificate is shown to the other side"
                                              : "a certificate is made for the other side",
               {"secret", side.secret.ToString()});
  return Take(step, side.spec, clock_.WallNow(), certificates);
}

}  // namespace headgate::app
