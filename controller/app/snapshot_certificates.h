// The certificates by which controllers and data planes know each other, where controllers renew
// them.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/clock.h"
#include "common/metrics.h"
#include "controller/app/certificate_secret.h"
#include "controller/kube/json_api.h"
#include "controller/kube/objects.h"
#include "controller/kube/recurring_task.h"

namespace headgate::app {

struct SnapshotCertificatesOptions {
  // The Secrets that both programs have their files from: "tls.crt" and "tls.key" are shown, and
  // "ca.crt" is whom the program trusts. They are there already.
  kube::ObjectKey controller;
  kube::ObjectKey data_plane;
  std::vector<std::string> names;  // by which data planes call controllers
  absl::Duration lifetime;
};

// The leader makes the next certificate of a side when a third of the lifetime is left, each with
// an authority of its own. The other side is told of that authority first; when every pod has had
// the time to read it, the certificate takes its place, and the one before stays trusted until the
// next time. Nobody is cut off, whichever pod reads its files when. What the Secrets hold before,
// with one authority for both sides ("ca.crt"), is used until it is time. Needs leave to get and
// update the two Secrets.
//
// Thread: Start, Stop and the destructor one owner; LeadChanged any. Works on a thread of its own.
class SnapshotCertificates {
 public:
  // `leads`: whether this controller is the leader; asked on the thread. `clock` and `metrics`
  // outlive the object.
  SnapshotCertificates(SnapshotCertificatesOptions options,
                       std::unique_ptr<kube::Transport> transport, std::function<bool()> leads,
                       const Clock& clock, MetricsRegistry& metrics);
  ~SnapshotCertificates() { Stop(); }
  SnapshotCertificates(const SnapshotCertificates&) = delete;
  SnapshotCertificates& operator=(const SnapshotCertificates&) = delete;

  void Start() { task_.Start(); }
  void Stop();
  // We may lead by now.
  void LeadChanged() { task_.Wake(); }

 private:
  // The controllers, or the data planes.
  struct Side {
    kube::ObjectKey secret;
    PairSpec spec;
    Gauge& not_after;
    // The authorities that the other side's Secret was last seen to say, and since when.
    std::string told;
    absl::Duration told_at;
  };
  // What is in its Secret.
  struct Held {
    kube::Json document;
    CertificateSecret certificates;
    std::string trusted;
  };

  absl::Duration TakeTurn();
  absl::Status Look();
  absl::StatusOr<Held> Read(const Side& side);
  // The leader's part: takes the step that is due for a side, of which the other one trusts
  // `trusted`.
  absl::Status Advance(Side& side, const std::string& trusted, CertificateSecret& certificates);
  // Between two looks, and until every pod has read what was written.
  absl::Duration interval() const;
  absl::Duration settle() const;

  const std::function<bool()> leads_;
  const absl::Duration lifetime_;
  const Clock& clock_;
  Counter& failures_;
  // The thread's own.
  kube::JsonApi api_;
  std::array<Side, 2> sides_;

  kube::RecurringTask task_;
};

}  // namespace headgate::app
