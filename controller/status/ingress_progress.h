// How far an Ingress has come, for whoever waits for it: `headgate wait`.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "controller/kube/objects.h"
#include "controller/publish/subscriber.h"
#include "controller/state/cluster_state.h"
#include "controller/translate/translation.h"

namespace headgate::status {

struct IngressProgress {
  kube::ObjectKey key;
  std::string resource_version;  // of the form that the controller has
  // The position of the snapshot that has it; nothing: it is not translated yet.
  std::optional<publish::Position> position;
  // What of it is not in effect, as translation says: field and reason.
  std::vector<std::string> rejected;
};

// Thread: the owner's of the state.
class IngressProgressBook {
 public:
  // A translation whose outcome has been handed on, and the position of the snapshot that holds it.
  void OnTurn(const state::ClusterState& state, const state::Changes& changes,
              const translate::TranslationUpdate& update, publish::Position position);
  // Nothing: there is no such Ingress, or it is not ours.
  std::optional<IngressProgress> Find(const state::ClusterState& state,
                                      const kube::ObjectKey& key) const;

 private:
  std::map<kube::ObjectKey, publish::Position> positions_;
  std::map<kube::ObjectKey, std::set<translate::Diagnostic>> errors_;
};

// One JSON object: namespace, name, resourceVersion, inEffect (at every data plane, of which there
// is one at least), rejected, and dataPlanes with the instance, version, inEffect and refused
// (resources made of the Ingress) of each.
std::string RenderProgress(const IngressProgress& progress,
                           const std::vector<publish::SubscriberStatus>& data_planes);

}  // namespace headgate::status
