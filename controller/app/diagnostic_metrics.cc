#include "controller/app/diagnostic_metrics.h"

namespace headgate::app {

void DiagnosticMetrics::Apply(const translate::TranslationUpdate& update) {
  std::lock_guard lock(mutex_);
  for (const translate::Diagnostic& diagnostic : update.raised) Count(diagnostic, +1);
  for (const translate::Diagnostic& diagnostic : update.cleared) Count(diagnostic, -1);
}

void DiagnosticMetrics::Count(const translate::Diagnostic& diagnostic, int64_t change) {
  // A kind that was there once stays, at 0.
  kinds_[{diagnostic.severity, diagnostic.reason}] += change;
  const auto place = places_
                         .try_emplace({diagnostic.severity, diagnostic.reason, diagnostic.kind,
                                       diagnostic.object, diagnostic.field})
                         .first;
  place->second += change;
  if (place->second == 0) places_.erase(place);
}

void DiagnosticMetrics::Collect(MetricsWriter& writer) const {
  std::lock_guard lock(mutex_);
  const auto text = [](std::string_view view) { return std::string(view); };
  writer.Family("headgate_diagnostics", MetricType::kGauge,
                "What is wrong with objects now, by severity and reason.");
  for (const auto& [kind, count] : kinds_) {
    writer.Sample({{"severity", text(translate::SeverityName(kind.first))},
                   {"reason", text(translate::ReasonName(kind.second))}},
                  static_cast<double>(count));
  }
  writer.Family("headgate_object_diagnostics", MetricType::kGauge,
                "What is wrong now, by object and field; the most severe, up to a limit.");
  size_t shown = 0;
  for (auto at = places_.begin(); at != places_.end() && shown < kMaxSeries; ++at, ++shown) {
    const Place& place = at->first;
    writer.Sample({{"severity", text(translate::SeverityName(place.severity))},
                   {"reason", text(translate::ReasonName(place.reason))},
                   {"kind", text(kube::KindName(place.kind))},
                   {"namespace", place.object.ns},
                   {"name", place.object.name},
                   {"field", place.field}},
                  static_cast<double>(at->second));
  }
  writer.Family("headgate_object_diagnostics_left_out", MetricType::kGauge,
                "Objects and fields beyond that limit.");
  writer.Sample({}, static_cast<uint64_t>(places_.size() - shown));
}

}  // namespace headgate::app
