#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "common/metrics.h"
#include "controller/translate/translation.h"

namespace headgate::app {

// Until when the certificates of hosts are good, and what they are, under the names of
// ingress-nginx: for alerts that were made for it. A host has a series for each Secret that it
// offers, or one for the default certificate. The number of series is bounded, since whoever may
// write Ingresses decides how many hosts there are; the rest is counted.
//
// Thread: any.
class CertificateMetrics {
 public:
  static constexpr size_t kMaxSeries = 5'000;

  // What all series have: who we are.
  struct Labels {
    std::string controller_class;
    std::string controller_namespace;
    std::string controller_pod;
  };
  explicit CertificateMetrics(Labels labels) : labels_(std::move(labels)) {}

  // Takes in what came and what went.
  void Apply(const translate::TranslationUpdate& update);
  void Collect(MetricsWriter& writer) const;

 private:
  struct Leaf {
    std::string ns;  // of the Secret; empty: there is none
    std::string secret;
    int64_t not_after = 0;     // seconds since 1970
    std::string serial;        // decimal
    std::string organization;  // of the issuer
    std::string common_name;   // of the issuer
    std::string algorithm;     // of the key
  };

  static Leaf Read(const v1::Resource& resource);
  MetricLabels LabelsOf(const std::string& host, const Leaf& leaf) const;
  template <typename Visit>
  size_t ForEach(const Visit& visit) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Labels labels_;
  mutable std::mutex mutex_;
  std::map<std::string, Leaf> leaves_ ABSL_GUARDED_BY(mutex_);  // by name of the Certificate
  std::map<std::string, std::vector<std::string>> hosts_
      ABSL_GUARDED_BY(mutex_);  // the names of what they offer
};

}  // namespace headgate::app
