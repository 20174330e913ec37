#include "controller/translate/config_map/tracing_options.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "common/host_port.h"
#include "common/strings.h"
#include "controller/translate/text_template.h"

namespace headgate::translate {
namespace {

constexpr int64_t kMostSpans = 1'000'000;

std::string ReadCollector(OptionReader& reader) {
  const auto host = reader.Text("otlp-collector-host");
  const int64_t port = reader.Int("otlp-collector-port", 1, 65535).value_or(4317);
  if (!host) return {};
  const std::string collector =
      HostPort{std::string(*host), static_cast<uint16_t>(port)}.ToString();
  const auto parsed = ParseHostPort(collector);
  if (parsed.ok() && parsed->host == *host) return collector;
  reader.Ignore("otlp-collector-host", "a host name or an IP address");
  return {};
}

void ReadOperationName(OptionReader& reader, v1::TextTemplate& out) {
  const auto text = reader.Text("opentelemetry-operation-name");
  if (!text) return;
  std::optional<ParsedTemplate> parsed = ParseTemplate(*text);
  if (!parsed || !parsed->unknown.empty()) {
    return reader.Ignore("opentelemetry-operation-name",
                         "text with variables of the request, such as $request_method $host");
  }
  out = std::move(parsed->text);
}

void ReadSampler(OptionReader& reader, v1::Tracing& out) {
  const std::string_view sampler = reader.Text("otel-sampler").value_or("AlwaysOn");
  if (sampler == "AlwaysOff") {
    out.set_sampler(v1::Tracing::ALWAYS_OFF);
  } else if (sampler == "TraceIdRatioBased") {
    out.set_sampler(v1::Tracing::TRACE_ID_RATIO);
  } else if (sampler != "AlwaysOn") {
    reader.Ignore("otel-sampler", "AlwaysOn, AlwaysOff or TraceIdRatioBased");
  }
  const auto text = reader.Text("otel-sampler-ratio");
  double ratio = 0.01;
  if (text && !(absl::SimpleAtod(ToAbsl(*text), &ratio) && ratio >= 0 && ratio <= 1)) {
    reader.Ignore("otel-sampler-ratio", "a number from 0 to 1");
    ratio = 0.01;
  }
  if (out.sampler() == v1::Tracing::TRACE_ID_RATIO) out.set_ratio(ratio);
  out.set_parent_based(reader.Bool("otel-sampler-parent-based").value_or(true));
}

}  // namespace

void ReadTracingOptions(OptionReader& reader, GlobalSettings& global) {
  v1::Tracing tracing;
  const bool enabled = reader.Bool("enable-opentelemetry").value_or(false);
  tracing.mutable_defaults()->set_enabled(enabled);
  const auto trust = reader.Bool("opentelemetry-trust-incoming-span");
  if (trust) tracing.mutable_defaults()->set_trust_incoming(*trust);
  ReadOperationName(reader, *tracing.mutable_defaults()->mutable_operation_name());
  tracing.set_collector(ReadCollector(reader));
  if (const auto name = reader.Text("otel-service-name"))
    tracing.set_service_name(std::string(*name));
  ReadSampler(reader, tracing);
  if (const auto most = reader.Int("otel-max-queuesize", 1, kMostSpans)) {
    tracing.set_max_queue_size(static_cast<uint32_t>(*most));
  }
  if (const auto most = reader.Int("otel-max-export-batch-size", 1, kMostSpans)) {
    tracing.set_max_export_batch_size(static_cast<uint32_t>(*most));
  }
  if (const auto delay = reader.Int("otel-schedule-delay-millis", 1, 3'600'000)) {
    tracing.mutable_schedule_delay()->set_seconds(*delay / 1000);
    tracing.mutable_schedule_delay()->set_nanos(static_cast<int32_t>(*delay % 1000 * 1'000'000));
  }
  if (enabled || !tracing.collector().empty())
    *global.settings.mutable_tracing() = std::move(tracing);
}

}  // namespace headgate::translate
