#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "common/metrics.h"
#include "controller/translate/translation.h"

namespace headgate::app {

// What is wrong with objects now, for a scrape: counts by severity and reason, and a series for
// each object and field, which goes when the cause has gone. The number of these is bounded, since
// whoever may write Ingresses decides how many are wrong; errors come before warnings, and the rest
// is counted.
//
// Thread: any.
class DiagnosticMetrics {
 public:
  static constexpr size_t kMaxSeries = 500;

  // Takes in what came and what went.
  void Apply(const translate::TranslationUpdate& update);
  void Collect(MetricsWriter& writer) const;

 private:
  using Kind = std::pair<translate::Severity, translate::Reason>;
  // A diagnostic but for its message: what tells one series from another.
  struct Place {
    translate::Severity severity;
    translate::Reason reason;
    kube::Kind kind;
    kube::ObjectKey object;
    std::string field;

    // The most severe first.
    friend bool operator<(const Place& a, const Place& b) {
      if (a.severity != b.severity) return a.severity > b.severity;
      if (const auto order = a.object <=> b.object; order != 0) return order < 0;
      if (a.kind != b.kind) return a.kind < b.kind;
      if (a.reason != b.reason) return a.reason < b.reason;
      return a.field < b.field;
    }
  };

  void Count(const translate::Diagnostic& diagnostic, int64_t change)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  mutable std::mutex mutex_;
  std::map<Kind, int64_t> kinds_ ABSL_GUARDED_BY(mutex_);
  std::map<Place, int64_t> places_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace headgate::app
