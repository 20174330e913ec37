// ConfigMaps whose entries are fields of heads: what custom-headers, auth-proxy-set-headers,
// proxy-set-headers and add-headers name.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "controller/kube/objects.h"
#include "controller/state/cluster_state.h"
#include "controller/translate/config_map/settings.h"
#include "controller/translate/diagnostic.h"
#include "controller/translate/model.h"
#include "controller/translate/options.h"
#include "proto/headgate/v1/snapshot.pb.h"

namespace headgate::translate {

// Null: it is not there.
using ConfigMapLookup = std::function<const kube::ConfigMap*(const kube::ObjectKey&)>;

// Those that annotations of the Ingress name, each once.
std::vector<kube::ObjectKey> HeaderConfigMapsOf(const IngressModel& model);

// The fields of an Ingress's custom-headers.
struct CustomHeaders {
  std::vector<std::pair<std::string, std::string>> fields;  // sorted by name
  std::string problem;   // not empty: they cannot be set, and the Ingress is answered 503
  bool missing = false;  // the problem is that there is no such ConfigMap
};
CustomHeaders ReadCustomHeaders(const IngressModel& model, const IngressDefaults& defaults,
                                const ConfigMapLookup& config_map_of);

// The fields of an Ingress's auth-proxy-set-headers.
struct AuthHeaders {
  std::vector<v1::HeaderEdit> edits;  // sorted by name
  std::vector<std::string> unknown;   // variables that are not known, and so are empty
  std::string problem;                // as above
  bool missing = false;
};
AuthHeaders ReadAuthHeaders(const IngressModel& model, const ConfigMapLookup& config_map_of);

// What there is to say about both. Nothing of a ConfigMap while it is not known whether it is
// there.
std::vector<Diagnostic> CheckHeaders(const IngressModel& model, const IngressDefaults& defaults,
                                     const ConfigMapLookup& config_map_of,
                                     const std::function<bool(const kube::ObjectKey&)>& is_known);

// All that is named by the Ingresses and options of a state, whether or not it can be used.
std::vector<kube::ObjectKey> HeaderConfigMapsOf(const state::ClusterState& state,
                                                const Options& options);

// Adds the edits of proxy-set-headers and add-headers. What cannot be set is left out, with a
// diagnostic.
void AddConfigMapHeaders(const HeaderConfigMaps& names, const ConfigMapLookup& config_map_of,
                         v1::Settings& settings, std::vector<Diagnostic>& diagnostics);

// Which of them are not there.
std::vector<Diagnostic> CheckConfigMapHeaders(const HeaderConfigMaps& names,
                                              const state::ClusterState& state,
                                              const Options& options);

}  // namespace headgate::translate
