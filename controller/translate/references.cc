#include "controller/translate/references.h"

#include <iterator>
#include <utility>

#include "controller/translate/backends.h"
#include "controller/translate/files.h"

namespace headgate::translate {

std::vector<Diagnostic> CheckReferences(const IngressModel& model,
                                        const state::ClusterState& state, const Options& options) {
  std::vector<Diagnostic> diagnostics;
  if (model.settings.static_root) return diagnostics;
  const kube::Ingress& ingress = *model.object;
  ForEachBackend(ingress, [&](const kube::IngressBackend& backend, const std::string& field) {
    if (const auto config_map = ToConfigMapRef(ingress, backend)) {
      if (state.KnowsMissingConfigMap(*config_map)) {
        diagnostics.push_back(DescribeMissingConfigMap(ingress, field, *config_map));
      }
      return;
    }
    const auto ref = ToBackendRef(ingress, backend);
    if (!ref) return;
    const BackendProblem problem = CheckBackendRef(*ref, state.FindService(ref->service), options);
    auto described = DescribeProblem(ingress, field, *ref, problem);
    std::move(described.begin(), described.end(), std::back_inserter(diagnostics));
  });
  return diagnostics;
}

}  // namespace headgate::translate
