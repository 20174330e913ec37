// A request's place in a trace: what its upstream is told, and its span.
#include <chrono>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <utility>

#include "dataplane/base/arena.h"
#include "dataplane/observe/trace_context.h"
#include "dataplane/policy/text_template.h"
#include "dataplane/proxy/exchange.h"
#include "dataplane/proxy/variables.h"

namespace headgate::proxy {

using observe::TraceContext;

struct Exchange::Trace {
  TraceContext context;      // our own span's
  observe::SpanId parent{};  // all zero: there is none
  std::string_view state;    // what goes with the client's trace
  std::string_view name;     // of the span; empty where there is none
};

namespace {

void FillAtRandom(RequestIdSource& ids, uint8_t* bytes, size_t size) {
  for (size_t at = 0; at < size; at += sizeof(uint64_t)) {
    const uint64_t random = ids.Random() | 1;  // never all zero
    std::memcpy(bytes + at, &random, sizeof(random));
  }
}

// The client's context, if there is exactly one and it is valid.
std::optional<TraceContext> ReadContext(const http::HeaderMap& fields) {
  const http::Field* found = nullptr;
  for (const http::Field& field : fields) {
    if (!http::EqualsIgnoreCase(field.name, observe::kTraceparent)) continue;
    if (found != nullptr) return std::nullopt;
    found = &field;
  }
  return found == nullptr ? std::nullopt : observe::ParseTraceparent(found->value);
}

// All tracestate fields as one value; empty if it is not to be passed on.
std::string_view ReadState(const http::HeaderMap& fields, base::Arena& arena) {
  std::string_view state;
  for (const http::Field& field : fields) {
    if (!http::EqualsIgnoreCase(field.name, observe::kTracestate)) continue;
    state = state.empty() ? field.value : arena.Join(state, ",", field.value);
  }
  return observe::IsTracestate(state) ? state : std::string_view();
}

// OpenTelemetry's TraceIdRatioBased: by the last 63 bits, so that all who have the same ratio
// choose the same traces.
bool InRatio(const observe::TraceId& id, double ratio) {
  if (ratio >= 1) return true;
  uint64_t low = 0;
  for (size_t i = 8; i < id.size(); ++i) low = low << 8 | id[i];
  return static_cast<double>(low >> 1) < ratio * static_cast<double>(uint64_t{1} << 63);
}

bool Samples(const config::Tracing& tracing, const TraceContext& context) {
  switch (tracing.sampler) {
    case config::Tracing::Sampler::kAlwaysOn: return true;
    case config::Tracing::Sampler::kAlwaysOff: return false;
    case config::Tracing::Sampler::kTraceIdRatio: return InRatio(context.trace_id, tracing.ratio);
  }
  return false;
}

int64_t Nanoseconds(const timespec& time) {
  return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

}  // namespace

void Exchange::BeginTrace(const config::Tracing& tracing) {
  const config::RouteExtras* const rules = extras();
  const config::RouteTracing* const route =
      rules != nullptr && rules->tracing ? &*rules->tracing : nullptr;
  if (!(route != nullptr ? route->enabled.value_or(tracing.enabled) : tracing.enabled)) return;
  const bool trust = route != nullptr ? route->trust_incoming.value_or(tracing.trust_incoming)
                                      : tracing.trust_incoming;

  base::Arena& arena = downstream_->arena();
  trace_ = new (arena.Allocate(sizeof(Trace))) Trace;
  const std::optional<TraceContext> incoming = trust ? ReadContext(request_->fields) : std::nullopt;
  TraceContext& context = trace_->context;
  FillAtRandom(services_.ids(), context.span_id.data(), context.span_id.size());
  if (incoming) {
    context.trace_id = incoming->trace_id;
    trace_->parent = incoming->span_id;
    trace_->state = ReadState(request_->fields, arena);
  } else {
    FillAtRandom(services_.ids(), context.trace_id.data(), context.trace_id.size());
  }
  context.sampled =
      incoming && tracing.parent_based ? incoming->sampled : Samples(tracing, context);
  if (!context.sampled || services_.spans() == nullptr || tracing.collector.empty()) return;
  const policy::TextTemplate& name = route != nullptr && !route->operation_name.empty()
                                         ? route->operation_name
                                         : tracing.operation_name;
  trace_->name = policy::Expand(name, variables(), arena);
  if (!trace_->name.empty()) return;
  trace_->name = record_.route_path.empty() ? record_.method
                                            : arena.Join(record_.method, " ", record_.route_path);
}

void Exchange::TellTrace() {
  http::HeaderMap& fields = upstream_head_.fields;
  fields.Remove(observe::kTraceparent);
  fields.Remove(observe::kTracestate);
  char* const text = downstream_->arena().Allocate(observe::kTraceparentSize);
  observe::WriteTraceparent(trace_->context, text);
  fields.Add(observe::kTraceparent, {text, observe::kTraceparentSize});
  if (!trace_->state.empty()) fields.Add(observe::kTracestate, trace_->state);
}

void Exchange::EndTrace() {
  if (trace_->name.empty()) return;
  auto span = std::make_unique<observe::Span>();
  span->context = trace_->context;
  span->parent = trace_->parent;
  span->trace_state = trace_->state;
  span->name = trace_->name;
  span->start_ns = Nanoseconds(record_.received);
  span->end_ns = span->start_ns +
                 std::chrono::duration_cast<std::chrono::nanoseconds>(record_.duration).count();
  span->failed = record_.status >= 500 || !record_.failure.empty();
  const auto add = [&](std::string_view name, std::string_view value) {
    if (!value.empty()) span->texts.emplace_back(name, value);
  };
  add("http.request.method", record_.method);
  add("url.scheme", record_.scheme);
  add("url.path", request_->path());
  add("server.address", record_.host);
  add("client.address", record_.client_ip);
  add("user_agent.original", record_.user_agent);
  add("http.route", record_.route_path);
  add("k8s.namespace.name", record_.route_namespace);
  add("k8s.ingress.name", record_.route_ingress);
  add("k8s.service.name", record_.route_service);
  add("headgate.request_id", record_.request_id);
  if (record_.attempt_count > 0)
    add("headgate.upstream.address", record_.attempts().back().address);
  if (span->failed)
    add("error.type",
        record_.failure.empty() ? std::to_string(record_.status) : std::string(record_.failure));
  span->numbers = {{"http.response.status_code", record_.status},
                   {"http.request.body.size",
                    static_cast<int64_t>(record_.request_bytes - request_->head_bytes)},
                   {"http.response.body.size", static_cast<int64_t>(record_.response_body_bytes)},
                   {"headgate.attempts", static_cast<int64_t>(record_.attempt_count)}};
  services_.spans()->Add(std::move(span));
}

}  // namespace headgate::proxy
