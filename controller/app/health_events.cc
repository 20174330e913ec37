#include "controller/app/health_events.h"

#include <utility>

#include "absl/status/status.h"
#include "common/log.h"

namespace headgate::app {

HealthEvents::HealthEvents(const Clock& clock, MetricsRegistry& metrics)
    : clock_(clock),
      written_(metrics.AddCounter("headgate_events_written_total",
                                  "Events about the health of endpoints.")),
      failed_(metrics.AddCounter("headgate_events_failed_total",
                                 "Events that could not be written.")) {}

HealthEvents::~HealthEvents() { Stop(); }

void HealthEvents::Stop() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
    wake_.notify_all();
  }
  writer_->Cancel();
  thread_.join();
}

void HealthEvents::Start(std::unique_ptr<kube::Transport> transport, Reports reports) {
  writer_ = std::make_unique<kube::EventWriter>(std::move(transport), clock_);
  reports_ = std::move(reports);
  thread_ = std::thread([this] { Run(); });
}

void HealthEvents::Changed() {
  const std::lock_guard<std::mutex> lock(mutex_);
  changed_ = true;
  wake_.notify_all();
}

void HealthEvents::Run() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (!stopping_) {
    clock_.WaitUntil(lock, wake_, digest_.next(), [&] { return stopping_ || changed_; });
    if (stopping_) break;
    changed_ = false;
    lock.unlock();
    for (const publish::HealthNews& news : digest_.Update(reports_(), clock_.MonotonicNow())) {
      Write(news);
    }
    lock.lock();
  }
}

void HealthEvents::Write(const publish::HealthNews& news) {
  const absl::Status status =
      writer_->Write({.kind = kube::Kind::kService,
                      .object = {news.ns, news.service},
                      .uid = {},
                      .warning = news.unhealthy,
                      .reason = news.unhealthy ? "UnhealthyEndpoints" : "HealthyEndpoints",
                      .message = news.message});
  if (status.ok()) return written_.Add();
  failed_.Add();
  HEADGATE_LOG_EVERY(60, kWarn, "events", "an Event could not be written", {"namespace", news.ns},
                     {"service", news.service}, {"error", status});
}

}  // namespace headgate::app
