#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "common/clock.h"
#include "common/metrics.h"
#include "dataplane/config/tracing.h"
#include "dataplane/observe/span_queue.h"

namespace grpc {
class Channel;
class ClientContext;
}  // namespace grpc

namespace headgate::tracing {

struct ExporterOptions {
  std::string instance;  // attribute service.instance.id of all spans
  std::string build_version;
  // For one batch. What has not been taken then is given up.
  absl::Duration export_timeout = absl::Seconds(10);
  // For all that is left when the process ends.
  absl::Duration last_export_timeout = absl::Seconds(2);
};

// Sends spans to the collector that the settings name, by OTLP over gRPC. Nothing waits for it:
// while the collector is away or slow, spans wait in the queue, and what does not fit there is
// dropped and counted.
//
// Thread: has one of its own. Configure from one thread; Collect from any.
class Exporter {
 public:
  // `queue` and `clock` outlive this; nobody else reads the queue. Takes no spans before it is told
  // where to send them.
  Exporter(observe::SpanQueue& queue, ExporterOptions options, const Clock& clock);
  // Sends what is left.
  ~Exporter();
  Exporter(const Exporter&) = delete;
  Exporter& operator=(const Exporter&) = delete;

  // Null: no request is traced.
  void Configure(const std::shared_ptr<const config::Tracing>& tracing);

  void Collect(MetricsWriter& out) const;

 private:
  struct Numbers {
    uint64_t exported = 0;
    uint64_t failed = 0;  // spans that the collector did not take
  };
  using Spans = std::vector<std::unique_ptr<observe::Span>>;

  void Run();
  void Export(const config::Tracing& tracing, const Spans& spans);
  void ExportBatch(const config::Tracing& tracing, const Spans& spans, size_t first, size_t count);

  observe::SpanQueue& queue_;
  const ExporterOptions options_;
  const Clock& clock_;

  // The thread's own.
  std::string channel_target_;
  std::shared_ptr<grpc::Channel> channel_;

  mutable std::mutex mutex_;
  std::shared_ptr<const config::Tracing> tracing_ ABSL_GUARDED_BY(mutex_);
  grpc::ClientContext* call_ ABSL_GUARDED_BY(mutex_) = nullptr;  // under way
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Time end_ ABSL_GUARDED_BY(mutex_) = absl::InfiniteFuture();  // of all calls
  Numbers numbers_ ABSL_GUARDED_BY(mutex_);

  std::thread thread_;  // last: starts when everything else is there
};

}  // namespace headgate::tracing
