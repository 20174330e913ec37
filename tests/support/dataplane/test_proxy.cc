#include "tests/support/dataplane/test_proxy.h"

#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <cstdint>
#include <future>

#include "absl/strings/escaping.h"

namespace headgate::test {

TestProxy::TestProxy(int workers, uint64_t spill_limit, files::StaticRoots static_roots,
                     size_t max_pipes, observe::AccessLogFile* access_log)
    : builder_(config::ConfigBuilder::Options{.allow_local_dns = true}),
      checker_(
          [this](std::vector<config::HealthVerdict> verdicts) { pool_->ApplyHealth(verdicts); }) {
  signal(SIGPIPE, SIG_IGN);  // as Shutdown does in the program
  const base::Address any_port = *base::Address::ParseHostPort("127.0.0.1:0");
  worker::PoolOptions options;
  options.workers = workers;
  options.http_listen = {any_port};
  options.https_listen = {any_port};
  options.spill_dir = testing::TempDir();
  options.spill_limit = spill_limit;
  options.max_pipes = max_pipes;
  options.static_roots = std::move(static_roots);
  options.access_log = access_log;
  options.route_details = true;
  options.spans = &spans_;
  options.release = [this](std::shared_ptr<const config::CompiledConfig> config) {
    std::lock_guard lock(released_mutex_);
    released_.push_back(std::move(config));
    ++released_count_;
  };
  auto pool = worker::WorkerPool::Create(std::move(options));
  EXPECT_TRUE(pool.ok()) << pool.status();
  pool_ = *std::move(pool);
  pool_->Start();
  checker_.Start();
}

TestProxy::~TestProxy() {
  checker_.Stop();
  pool_.reset();
  released_.clear();
}

std::vector<config::Refusal> TestProxy::Apply(const std::vector<std::string>& resources,
                                              const std::vector<std::string>& removed) {
  std::vector<v1::Resource> parsed(resources.size());
  std::vector<const v1::Resource*> pointers;
  for (size_t i = 0; i < resources.size(); ++i) {
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(resources[i], &parsed[i]))
        << resources[i];
    parsed[i].set_hash(i + 1);
    pointers.push_back(&parsed[i]);
  }
  config::BuildResult result = builder_.Apply(pointers, removed);
  for (config::Refusal& refusal : Distribute(result.update))
    result.refusals.push_back(std::move(refusal));
  return std::move(result.refusals);
}

void TestProxy::Resolve(std::string_view name, const std::vector<base::Address>& addresses) {
  Distribute(builder_.Resolved(name, addresses));
}

std::vector<config::Refusal> TestProxy::Distribute(const config::ConfigUpdate& update) {
  std::vector<config::Refusal> result;
  for (const worker::TcpServices::Problem& problem : pool_->Apply(update)) {
    result.push_back({"tcp/" + std::to_string(problem.port), 0, problem.reason});
  }
  checker_.Apply(update);
  pool_->OnEach([](worker::Worker&) {});
  std::lock_guard lock(released_mutex_);
  released_.clear();
  return result;
}

void TestProxy::Route(std::string_view host, const std::vector<base::Address>& upstreams,
                      std::string_view route) {
  const std::string suffix = "test/" + std::string(host == "_" ? "any" : host) + "/80";
  Apply({
      "name: \"vhost/" + std::string(host) + "\" virtual_host { host: \"" + std::string(host) +
          "\" routes { match { prefix_path: \"/\" } forward { clusters { cluster: \"cluster/" +
          suffix + "\" } } " + std::string(route) + " } }",
      "name: \"cluster/" + suffix + "\" cluster { endpoints: \"endpoints/" + suffix +
          "\" log_name: \"log-" + std::string(host) + "\" }",
      EndpointsText("endpoints/" + suffix, upstreams),
  });
}

uint64_t TestProxy::Count(observe::CounterId id) {
  pool_->OnEach([](worker::Worker&) {});
  return pool_->Sum(id);
}

bool TestProxy::WaitForCount(observe::CounterId id, uint64_t value) {
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (std::chrono::steady_clock::now() < limit) {
    if (Count(id) >= value) return true;
    std::this_thread::yield();
  }
  return false;
}

void TestProxy::WaitForClosedUpstreams() {
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (Count(observe::CounterId::kUpstreamConnectionsActive) > 0) {
    ASSERT_LT(std::chrono::steady_clock::now(), limit) << "a connection stays open";
    std::this_thread::yield();
  }
}

observe::RouteCounters TestProxy::RouteCount(std::string_view host) {
  pool_->OnEach([](worker::Worker&) {});
  observe::RouteCounters sum;
  for (const observe::RouteStats::Route* route : pool_->Routes()) {
    if (route->labels().host == host) sum.Add(route->counters());
  }
  return sum;
}

size_t TestProxy::released_configs() {
  std::lock_guard lock(released_mutex_);
  return released_count_;
}

std::string EndpointsText(std::string_view name, const std::vector<base::Address>& addresses) {
  std::string text = "name: \"" + std::string(name) + "\" endpoints {";
  for (const base::Address& address : addresses) {
    const std::string bytes(address.bytes());
    text += " endpoints { address: \"" + absl::CEscape(bytes) +
            "\" port: " + std::to_string(address.port()) + " }";
  }
  return text + " }";
}

}  // namespace headgate::test
