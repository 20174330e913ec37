#include "dataplane/app/config_applier.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/log.h"

namespace headgate::app {

ConfigApplier::ConfigApplier(config::ConfigBuilder::Options options, worker::WorkerPool& workers,
                             health::Checker& checker, upstream::DnsResolver& resolver,
                             tracing::Exporter& exporter)
    : builder_(options),
      workers_(workers),
      checker_(checker),
      resolver_(resolver),
      exporter_(exporter) {}

std::vector<worker::TcpServices::Problem> ConfigApplier::Distribute(
    const config::ConfigUpdate& update) {
  std::vector<worker::TcpServices::Problem> problems = workers_.Apply(update);
  checker_.Apply(update);  // after the workers, who must know the clusters that verdicts are about
  if (update.config != nullptr) exporter_.Configure(update.config->settings->tracing);
  return problems;
}

void ConfigApplier::Resolved(const std::string& name, const std::vector<base::Address>& addresses) {
  Distribute(builder_.Resolved(name, addresses));
}

control::ApplyResult ConfigApplier::Apply(std::string_view version,
                                          absl::Span<const v1::Resource* const> upserts,
                                          absl::Span<const std::string> removed) {
  config::BuildResult built = builder_.Apply(upserts, removed);
  const auto ports = Distribute(built.update);
  for (const std::string& name : built.dns_stopped) resolver_.Stop(name);
  for (const std::string& name : built.dns_started) resolver_.Start(name);
  version_ = version;
  control::ApplyResult result;
  for (config::Refusal& refusal : built.refusals) {
    HEADGATE_LOG(kWarn, "config", "resource refused, its last good form stays",
                 {"resource", refusal.resource}, {"reason", refusal.reason});
    result.refused.push_back({std::move(refusal.resource), std::move(refusal.reason)});
  }
  for (const worker::TcpServices::Problem& problem : ports) {
    HEADGATE_LOG(kWarn, "config", "port of a TCP service is not open", {"port", problem.port},
                 {"reason", problem.reason});
    std::string name = absl::StrCat("tcp/", problem.port);
    const bool is_new = std::any_of(upserts.begin(), upserts.end(),
                                    [&](const v1::Resource* r) { return r->name() == name; });
    if (is_new) result.refused.push_back({std::move(name), problem.reason});
  }
  if (!configured_.load()) {
    // A worker listens once it has taken its first configuration in; before, /readyz would promise
    // too much.
    workers_.OnEach([](worker::Worker&) {});
    configured_.store(true);
    HEADGATE_LOG(kInfo, "config", "first configuration", {"version", version},
                 {"resources", upserts.size()});
  }
  return result;
}

}  // namespace headgate::app
