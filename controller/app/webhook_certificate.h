// The certificate of the admission webhook where controllers make it themselves.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/clock.h"
#include "common/metrics.h"
#include "controller/app/certificate_secret.h"
#include "controller/app/webhook_server.h"
#include "controller/kube/json_api.h"
#include "controller/kube/objects.h"
#include "controller/kube/recurring_task.h"

namespace headgate::app {

struct WebhookCertificateOptions {
  kube::ObjectKey secret;     // there already, perhaps without content
  std::string configuration;  // name of the ValidatingWebhookConfiguration
  PairSpec certificate;
};

// All controllers read the Secret and serve what it holds. The leader writes it: makes the first
// certificate, and the next one when a third of its lifetime is left; and writes the authorities
// into the ValidatingWebhookConfiguration (caBundle), also when somebody took them away. Needs
// leave to get and update these two objects.
//
// Thread: Start, Stop and the destructor one owner; the rest any. Works on a thread of its own.
class WebhookCertificate {
 public:
  // `leads`: whether this controller is the leader; asked on the thread. `clock` and `metrics`
  // outlive the object.
  WebhookCertificate(WebhookCertificateOptions options, std::unique_ptr<kube::Transport> transport,
                     std::function<bool()> leads, const Clock& clock, MetricsRegistry& metrics);
  ~WebhookCertificate();
  WebhookCertificate(const WebhookCertificate&) = delete;
  WebhookCertificate& operator=(const WebhookCertificate&) = delete;

  void Start();
  void Stop();
  // We may lead by now.
  void LeadChanged() { task_.Wake(); }

  // What to serve now; null: nothing yet.
  std::shared_ptr<const ServingPair> pair() const;

 private:
  absl::Duration TakeTurn();
  absl::Status Look();
  // The leader's part: takes the steps that are due.
  absl::Status Advance(kube::Json document, CertificateSecret secret);
  // Makes API servers know the authorities.
  absl::Status Announce(const std::string& bundle);
  void Serve(const CertificateSecret& secret);
  // Between two looks, and until API servers have heard what was written for them.
  absl::Duration interval() const;
  absl::Duration settle() const;

  const WebhookCertificateOptions options_;
  const std::function<bool()> leads_;
  const Clock& clock_;
  Counter& failures_;
  Gauge& not_after_;
  kube::JsonApi api_;  // the thread's own

  // What the configuration was last seen to say, and since when.
  std::string announced_;
  absl::Duration announced_at_;

  mutable std::mutex mutex_;
  std::shared_ptr<const ServingPair> pair_ ABSL_GUARDED_BY(mutex_);

  kube::RecurringTask task_;
};

}  // namespace headgate::app
