#include "controller/status/ingress_progress.h"

#include <algorithm>
#include <utility>

#include "common/strings.h"
#include "controller/kube/json.h"

namespace headgate::status {
namespace {

using kube::Json;

bool IsCause(const v1::Resource& resource, const kube::ObjectKey& ingress) {
  return std::any_of(resource.provenance().begin(), resource.provenance().end(),
                     [&](const v1::Provenance& cause) {
                       return cause.kind() == KindName(kube::Kind::kIngress) &&
                              cause.namespace_() == ingress.ns && cause.name() == ingress.name;
                     });
}

}  // namespace

void IngressProgressBook::OnTurn(const state::ClusterState& state, const state::Changes& changes,
                                 const translate::TranslationUpdate& update,
                                 publish::Position position) {
  for (const kube::ObjectKey& key : changes.ingresses) {
    if (state.FindIngress(key) == nullptr) {
      positions_.erase(key);
    } else {
      positions_[key] = position;
    }
  }
  const auto concerns = [](const translate::Diagnostic& diagnostic) {
    return diagnostic.kind == kube::Kind::kIngress &&
           diagnostic.severity == translate::Severity::kError;
  };
  for (const translate::Diagnostic& diagnostic : update.cleared) {
    const auto at = errors_.find(diagnostic.object);
    if (at == errors_.end()) continue;
    at->second.erase(diagnostic);
    if (at->second.empty()) errors_.erase(at);
  }
  for (const translate::Diagnostic& diagnostic : update.raised) {
    if (concerns(diagnostic)) errors_[diagnostic.object].insert(diagnostic);
  }
}

std::optional<IngressProgress> IngressProgressBook::Find(const state::ClusterState& state,
                                                         const kube::ObjectKey& key) const {
  const kube::Ingress* ingress = state.FindIngress(key);
  if (ingress == nullptr) return std::nullopt;
  IngressProgress progress{.key = key,
                           .resource_version = ingress->meta.resource_version,
                           .position = {},
                           .rejected = {}};
  if (const auto at = positions_.find(key); at != positions_.end() && !state.HasChanged(key))
    progress.position = at->second;
  if (const auto at = errors_.find(key); at != errors_.end()) {
    for (const translate::Diagnostic& error : at->second) {
      progress.rejected.push_back(StrCat(error.field, ": ", error.message));
    }
  }
  return progress;
}

std::string RenderProgress(const IngressProgress& progress,
                           const std::vector<publish::SubscriberStatus>& data_planes) {
  bool everywhere = !data_planes.empty();
  Json list = Json::array();
  for (const publish::SubscriberStatus& data_plane : data_planes) {
    const bool here = progress.position && data_plane.acked_position >= *progress.position;
    everywhere = everywhere && here;
    Json refused = Json::array();
    for (const publish::RefusedResource& resource : data_plane.refused) {
      if (!IsCause(*resource.resource, progress.key)) continue;
      refused.push_back(StrCat(resource.resource->name(), ": ", resource.reason));
    }
    list.push_back({{"instance", data_plane.instance},
                    {"version", data_plane.acked_version},
                    {"inEffect", here},
                    {"refused", std::move(refused)}});
  }
  const Json json = {{"namespace", progress.key.ns},
                     {"name", progress.key.name},
                     {"resourceVersion", progress.resource_version},
                     {"inEffect", everywhere},
                     {"rejected", progress.rejected},
                     {"dataPlanes", std::move(list)}};
  // What data planes say need not be UTF-8.
  return StrCat(json.dump(2, ' ', false, Json::error_handler_t::replace), "\n");
}

}  // namespace headgate::status
