#include "dataplane/tracing/exporter.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <utility>

#include "common/log.h"
#include "proto/otlp/trace_service.grpc.pb.h"

namespace headgate::tracing {
namespace {

namespace otlp = opentelemetry::proto::collector::trace::v1;

// Where tracing is off nothing comes; a change of that interrupts the wait.
constexpr absl::Duration kIdle = absl::Hours(1);

template <typename Bytes>
std::string ToBytes(const Bytes& bytes) {
  return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

void AddText(std::string_view key, std::string_view value,
             google::protobuf::RepeatedPtrField<otlp::KeyValue>& out) {
  otlp::KeyValue& attribute = *out.Add();
  attribute.set_key(std::string(key));
  attribute.mutable_value()->set_string_value(std::string(value));
}

// Text of requests may hold any byte, and a message with a string that is no UTF-8 cannot be read
// by everybody.
std::string ToUtf8(std::string_view text) {
  std::string out(text);
  std::replace_if(
      out.begin(), out.end(), [](unsigned char c) { return c >= 0x80; }, '?');
  return out;
}

void ToMessage(const observe::Span& span, otlp::Span& out) {
  out.set_trace_id(ToBytes(span.context.trace_id));
  out.set_span_id(ToBytes(span.context.span_id));
  if (span.parent != observe::SpanId()) out.set_parent_span_id(ToBytes(span.parent));
  out.set_trace_state(span.trace_state);
  out.set_name(ToUtf8(span.name));
  out.set_kind(otlp::Span::SERVER);
  out.set_start_time_unix_nano(static_cast<uint64_t>(span.start_ns));
  out.set_end_time_unix_nano(static_cast<uint64_t>(span.end_ns));
  for (const auto& [key, value] : span.texts)
    AddText(key, ToUtf8(value), *out.mutable_attributes());
  for (const auto& [key, value] : span.numbers) {
    otlp::KeyValue& attribute = *out.add_attributes();
    attribute.set_key(std::string(key));
    attribute.mutable_value()->set_int_value(value);
  }
  if (span.failed) out.mutable_status()->set_code(otlp::Status::ERROR);
  out.set_flags(span.context.sampled ? 1 : 0);
}

}  // namespace

Exporter::Exporter(observe::SpanQueue& queue, ExporterOptions options, const Clock& clock)
    : queue_(queue), options_(std::move(options)), clock_(clock), thread_([this] { Run(); }) {}

Exporter::~Exporter() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    end_ = clock_.WallNow() + options_.last_export_timeout;
    if (call_ != nullptr) call_->TryCancel();
  }
  queue_.Interrupt();
  thread_.join();
}

void Exporter::Configure(const std::shared_ptr<const config::Tracing>& tracing) {
  {
    std::lock_guard lock(mutex_);
    if (tracing_ == tracing) return;
    tracing_ = tracing;
  }
  const bool wanted = tracing != nullptr && !tracing->collector.empty();
  queue_.SetLimits(wanted ? tracing->max_queue_size : 0,
                   wanted ? tracing->max_export_batch_size : 0);
  queue_.Interrupt();
}

void Exporter::Run() {
  std::shared_ptr<const config::Tracing> tracing;
  bool stopping = false;
  while (!stopping) {
    const bool wanted = tracing != nullptr && !tracing->collector.empty();
    queue_.Wait(wanted ? absl::Milliseconds(tracing->schedule_delay.count()) : kIdle);
    {
      std::lock_guard lock(mutex_);
      tracing = tracing_;
      stopping = stopping_;
    }
    const Spans spans = queue_.Take();
    if (tracing == nullptr || tracing->collector.empty() || spans.empty()) continue;
    Export(*tracing, spans);
  }
}

void Exporter::Export(const config::Tracing& tracing, const Spans& spans) {
  if (channel_target_ != tracing.collector) {
    channel_target_ = tracing.collector;
    channel_ = grpc::CreateChannel(channel_target_, grpc::InsecureChannelCredentials());
  }
  for (size_t first = 0; first < spans.size(); first += tracing.max_export_batch_size) {
    const size_t count = std::min(tracing.max_export_batch_size, spans.size() - first);
    ExportBatch(tracing, spans, first, count);
  }
}

void Exporter::ExportBatch(const config::Tracing& tracing, const Spans& spans, size_t first,
                           size_t count) {
  otlp::ExportTraceServiceRequest request;
  otlp::ResourceSpans& of_us = *request.add_resource_spans();
  AddText("service.name", tracing.service_name, *of_us.mutable_resource()->mutable_attributes());
  AddText("service.instance.id", options_.instance,
          *of_us.mutable_resource()->mutable_attributes());
  otlp::ScopeSpans& scope = *of_us.add_scope_spans();
  scope.mutable_scope()->set_name("headgate");
  scope.mutable_scope()->set_version(options_.build_version);
  for (size_t i = first; i < first + count; ++i) ToMessage(*spans[i], *scope.add_spans());

  grpc::ClientContext context;
  context.set_wait_for_ready(true);  // a collector that is being replaced is back soon
  {
    std::lock_guard lock(mutex_);
    context.set_deadline(
        absl::ToChronoTime(std::min(end_, clock_.WallNow() + options_.export_timeout)));
    call_ = &context;
  }
  otlp::ExportTraceServiceResponse response;
  const grpc::Status status =
      otlp::TraceService::NewStub(channel_)->Export(&context, request, &response);
  const auto rejected =
      static_cast<uint64_t>(std::max<int64_t>(0, response.partial_success().rejected_spans()));
  const uint64_t failed = status.ok() ? std::min<uint64_t>(rejected, count) : count;
  if (failed > 0) {
    HEADGATE_LOG_EVERY(30, kWarn, "tracing", "the collector did not take spans",
                       {"collector", tracing.collector}, {"spans", failed},
                       {"error", status.ok() ? response.partial_success().error_message()
                                             : status.error_message()});
  }
  std::lock_guard lock(mutex_);
  call_ = nullptr;
  numbers_.exported += count - failed;
  numbers_.failed += failed;
}

void Exporter::Collect(MetricsWriter& out) const {
  Numbers numbers;
  {
    std::lock_guard lock(mutex_);
    numbers = numbers_;
  }
  const auto one = [&](const char* name, MetricType type, const char* help, uint64_t value) {
    out.Family(name, type, help);
    out.Sample({}, value);
  };
  one("headgate_trace_spans_exported_total", MetricType::kCounter,
      "Spans that the collector has taken.", numbers.exported);
  one("headgate_trace_spans_failed_total", MetricType::kCounter,
      "Spans that could not be given to the collector.", numbers.failed);
  one("headgate_trace_spans_dropped_total", MetricType::kCounter,
      "Spans for which there was no room in the queue.", queue_.dropped());
  one("headgate_trace_spans_waiting", MetricType::kGauge, "Spans that wait to be exported.",
      uint64_t{queue_.waiting()});
}

}  // namespace headgate::tracing
