#include "controller/admission/host_index.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "common/strings.h"
#include "controller/translate/annotations/other_names.h"

namespace headgate::admission {
std::vector<std::string> HostIndex::HostsOf(const kube::Ingress& ingress) const {
  std::vector<std::string> hosts;
  if (ingress.default_backend) hosts.emplace_back();
  for (const kube::IngressRule& rule : ingress.rules) {
    hosts.push_back(absl::AsciiStrToLower(rule.host));
  }
  if (const std::string* aliases =
          ingress.meta.FindAnnotation(StrCat(annotation_prefix_, translate::kServerAlias))) {
    for (std::string& alias : translate::AliasesIn(*aliases)) hosts.push_back(std::move(alias));
  }
  std::sort(hosts.begin(), hosts.end());
  hosts.erase(std::unique(hosts.begin(), hosts.end()), hosts.end());
  return hosts;
}

void HostIndex::Update(const state::ClusterState& state, const state::KeySet& ingresses) {
  for (const kube::ObjectKey& key : ingresses) {
    if (const auto at = hosts_.find(key); at != hosts_.end()) {
      for (const std::string& host : at->second) {
        const auto entry = ingresses_.find(host);
        entry->second.erase(key);
        if (entry->second.empty()) ingresses_.erase(entry);
      }
      hosts_.erase(at);
    }
    const kube::Ingress* ingress = state.FindIngress(key);
    if (ingress == nullptr) continue;
    std::vector<std::string> hosts = HostsOf(*ingress);
    for (const std::string& host : hosts) ingresses_[host].insert(key);
    hosts_[key] = std::move(hosts);
  }
}

std::vector<kube::ObjectKey> HostIndex::Neighbours(const kube::Ingress& ingress) const {
  std::vector<kube::ObjectKey> found;
  for (const std::string& host : HostsOf(ingress)) {
    const auto at = ingresses_.find(host);
    if (at == ingresses_.end()) continue;
    for (const kube::ObjectKey& key : at->second) {
      if (key != ingress.meta.key) found.push_back(key);
    }
  }
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

}  // namespace headgate::admission
