#include "dataplane/tracing/exporter.h"

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "proto/otlp/trace_service.grpc.pb.h"

namespace headgate::tracing {
namespace {

namespace otlp = opentelemetry::proto::collector::trace::v1;
using ::testing::HasSubstr;

// A collector on loopback that keeps what it gets.
class Collector final : public otlp::TraceService::Service {
 public:
  explicit Collector(int port = 0) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:" + std::to_string(port), grpc::InsecureServerCredentials(),
                             &port_);
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
  }
  ~Collector() override {
    Release();
    server_->Shutdown();
  }

  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

  // Waits until there are as many spans.
  std::vector<otlp::Span> WaitForSpans(size_t count) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(
        changed_.wait_for(lock, std::chrono::seconds(20), [&] { return spans_.size() >= count; }));
    return spans_;
  }
  std::vector<size_t> batches() {
    std::lock_guard lock(mutex_);
    return batches_;
  }
  std::map<std::string, std::string> resource() {
    std::lock_guard lock(mutex_);
    return resource_;
  }
  // Calls wait until Release, or until their client gives up.
  void Hold() {
    std::lock_guard lock(mutex_);
    held_ = true;
  }
  void Release() {
    std::lock_guard lock(mutex_);
    held_ = false;
    changed_.notify_all();
  }
  void WaitForCall() {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, std::chrono::seconds(20), [&] { return calls_ > 0; }));
  }
  void Reject(int64_t spans) {
    std::lock_guard lock(mutex_);
    rejected_ = spans;
  }

 private:
  grpc::Status Export(grpc::ServerContext* context, const otlp::ExportTraceServiceRequest* request,
                      otlp::ExportTraceServiceResponse* response) override {
    std::unique_lock lock(mutex_);
    ++calls_;
    changed_.notify_all();
    while (held_ && !context->IsCancelled()) changed_.wait_for(lock, std::chrono::milliseconds(10));
    for (const otlp::ResourceSpans& resource : request->resource_spans()) {
      for (const otlp::KeyValue& attribute : resource.resource().attributes()) {
        resource_[attribute.key()] = attribute.value().string_value();
      }
      for (const otlp::ScopeSpans& scope : resource.scope_spans()) {
        spans_.insert(spans_.end(), scope.spans().begin(), scope.spans().end());
        batches_.push_back(static_cast<size_t>(scope.spans_size()));
      }
    }
    if (rejected_ > 0) response->mutable_partial_success()->set_rejected_spans(rejected_);
    changed_.notify_all();
    return grpc::Status::OK;
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<otlp::Span> spans_;
  std::vector<size_t> batches_;
  std::map<std::string, std::string> resource_;
  bool held_ = false;
  int calls_ = 0;
  int64_t rejected_ = 0;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

std::unique_ptr<observe::Span> Named(std::string name) {
  auto span = std::make_unique<observe::Span>();
  span->context.trace_id[0] = 1;
  span->context.span_id[0] = 2;
  span->context.sampled = true;
  span->name = std::move(name);
  return span;
}

class ExporterTest : public ::testing::Test {
 protected:
  static std::shared_ptr<const config::Tracing> To(const std::string& collector, size_t batch,
                                                   int64_t delay_ms, size_t most = 1000) {
    auto tracing = std::make_shared<config::Tracing>();
    tracing->collector = collector;
    tracing->service_name = "edge";
    tracing->max_export_batch_size = batch;
    tracing->max_queue_size = most;
    tracing->schedule_delay = std::chrono::milliseconds(delay_ms);
    return tracing;
  }
  std::string Metrics(const Exporter& exporter) {
    std::string text;
    MetricsWriter out(&text);
    exporter.Collect(out);
    return text;
  }

  SystemClock clock;
  observe::SpanQueue queue;
  ExporterOptions options{.instance = "pod-1", .build_version = "1.2"};
};

TEST_F(ExporterTest, ASpanArrivesAsItIs) {
  Collector collector;
  Exporter exporter(queue, options, clock);
  exporter.Configure(To(collector.address(), 512, 20));
  auto span = Named("GET /");
  span->parent[7] = 9;
  span->trace_state = "a=1";
  span->start_ns = 1'700'000'000'000'000'001;
  span->end_ns = 1'700'000'000'500'000'001;
  span->texts = {{"url.path", "/caf\xc3\xa9"}, {"http.request.method", "GET"}};
  span->numbers = {{"http.response.status_code", 502}};
  span->failed = true;
  queue.Add(std::move(span));

  const otlp::Span got = collector.WaitForSpans(1).at(0);
  EXPECT_EQ(got.trace_id(), std::string("\1") + std::string(15, '\0'));
  EXPECT_EQ(got.span_id(), std::string("\2") + std::string(7, '\0'));
  EXPECT_EQ(got.parent_span_id(), std::string(7, '\0') + "\x09");
  EXPECT_EQ(got.trace_state(), "a=1");
  EXPECT_EQ(got.name(), "GET /");
  EXPECT_EQ(got.kind(), otlp::Span::SERVER);
  EXPECT_EQ(got.start_time_unix_nano(), 1'700'000'000'000'000'001u);
  EXPECT_EQ(got.end_time_unix_nano(), 1'700'000'000'500'000'001u);
  ASSERT_EQ(got.attributes_size(), 3);
  EXPECT_EQ(got.attributes(0).value().string_value(), "/caf??");
  EXPECT_EQ(got.attributes(2).key(), "http.response.status_code");
  EXPECT_EQ(got.attributes(2).value().int_value(), 502);
  EXPECT_EQ(got.status().code(), otlp::Status::ERROR);
  EXPECT_EQ(got.flags(), 1u);
  EXPECT_EQ(collector.resource()["service.name"], "edge");
  EXPECT_EQ(collector.resource()["service.instance.id"], "pod-1");
}

TEST_F(ExporterTest, ABatchIsSentAsSoonAsItIsThere) {
  Collector collector;
  Exporter exporter(queue, options, clock);
  exporter.Configure(To(collector.address(), 3, 3'600'000));
  for (int i = 0; i < 3; ++i) queue.Add(Named(std::to_string(i)));
  EXPECT_EQ(collector.WaitForSpans(3).size(), 3u);
}

TEST_F(ExporterTest, NoBatchIsLargerThanItMayBe) {
  Collector collector;
  queue.SetLimits(100, 100);
  for (int i = 0; i < 7; ++i) queue.Add(Named(std::to_string(i)));
  Exporter exporter(queue, options, clock);
  exporter.Configure(To(collector.address(), 3, 3'600'000));
  const auto spans = collector.WaitForSpans(7);
  for (size_t i = 0; i < 7; ++i) EXPECT_EQ(spans[i].name(), std::to_string(i));
  EXPECT_EQ(collector.batches(), (std::vector<size_t>{3, 3, 1}));
}

TEST_F(ExporterTest, WhatIsLeftIsSentAtTheEnd) {
  Collector collector;
  {
    Exporter exporter(queue, options, clock);
    exporter.Configure(To(collector.address(), 512, 3'600'000));
    queue.Add(Named("last"));
  }
  EXPECT_EQ(collector.WaitForSpans(1).at(0).name(), "last");
}

TEST_F(ExporterTest, WithoutACollectorNothingIsTaken) {
  Exporter exporter(queue, options, clock);
  exporter.Configure(To("", 512, 10));
  queue.Add(Named("x"));
  EXPECT_EQ(queue.dropped(), 1u);
  exporter.Configure(nullptr);
  queue.Add(Named("x"));
  EXPECT_EQ(queue.dropped(), 2u);
}

TEST_F(ExporterTest, ASlowCollectorCostsSpansAndNothingElse) {
  Collector collector;
  collector.Hold();
  Exporter exporter(queue, options, clock);
  exporter.Configure(To(collector.address(), 1, 3'600'000, 2));
  queue.Add(Named("under way"));
  collector.WaitForCall();
  for (int i = 0; i < 5; ++i) queue.Add(Named("waits"));
  EXPECT_EQ(queue.dropped(), 3u);
  EXPECT_THAT(Metrics(exporter), HasSubstr("headgate_trace_spans_dropped_total 3\n"));
  EXPECT_THAT(Metrics(exporter), HasSubstr("headgate_trace_spans_waiting 2\n"));
  collector.Release();
  EXPECT_EQ(collector.WaitForSpans(3).size(), 3u);
}

TEST_F(ExporterTest, WhatACollectorDoesNotTakeIsCounted) {
  Collector collector;
  options.export_timeout = absl::Milliseconds(200);
  Exporter exporter(queue, options, clock);
  collector.Reject(1);
  exporter.Configure(To(collector.address(), 2, 3'600'000));
  queue.Add(Named("x"));
  queue.Add(Named("y"));
  collector.WaitForSpans(2);
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  const auto await = [&](const char* text) {
    while (Metrics(exporter).find(text) == std::string::npos) {
      ASSERT_LT(std::chrono::steady_clock::now(), limit) << Metrics(exporter);
      std::this_thread::yield();
    }
  };
  await("headgate_trace_spans_failed_total 1\n");
  await("headgate_trace_spans_exported_total 1\n");
  // Nobody is there.
  exporter.Configure(To("127.0.0.1:1", 2, 3'600'000));
  queue.Add(Named("x"));
  queue.Add(Named("y"));
  await("headgate_trace_spans_failed_total 3\n");
}

TEST_F(ExporterTest, AnotherCollectorGetsWhatComesThen) {
  Collector first;
  Collector second;
  Exporter exporter(queue, options, clock);
  exporter.Configure(To(first.address(), 1, 3'600'000));
  queue.Add(Named("one"));
  first.WaitForSpans(1);
  exporter.Configure(To(second.address(), 1, 3'600'000));
  queue.Add(Named("two"));
  EXPECT_EQ(second.WaitForSpans(1).at(0).name(), "two");
  EXPECT_EQ(first.WaitForSpans(1).size(), 1u);
}

TEST_F(ExporterTest, ACallThatHangsDoesNotHoldUpTheEnd) {
  Collector collector;
  collector.Hold();
  {
    Exporter exporter(queue, options, clock);
    exporter.Configure(To(collector.address(), 1, 3'600'000));
    queue.Add(Named("x"));
    collector.WaitForCall();
  }
  EXPECT_TRUE(queue.Take().empty());
}

}  // namespace
}  // namespace headgate::tracing
