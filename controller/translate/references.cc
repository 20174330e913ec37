#include "controller/translate/references.h"

#include <iterator>
#include <utility>

#include "common/strings.h"
#include "controller/translate/annotations/reader.h"
#include "controller/translate/backends.h"
#include "controller/translate/files.h"
#include "controller/translate/message_policy.h"

namespace headgate::translate {

std::vector<Diagnostic> CheckReferences(const IngressModel& model, const state::ClusterState& state,
                                        const Options& options) {
  std::vector<Diagnostic> diagnostics;
  const kube::Ingress& ingress = *model.object;
  if (const auto service = ErrorServiceOf(model)) {
    if (CheckBackendRef(*service, state.FindService(service->service), options) !=
        BackendProblem::kNone) {
      diagnostics.push_back(
          {kube::Kind::kIngress, model.key(), model.AnnotationName("default-backend"),
           Reason::kServiceNotFound, Severity::kWarning,
           StrCat("Service ", service->service.ToString(),
                  " is not there or has no usable port; the annotation has no effect")});
    }
  }
  if (model.settings.static_root) return diagnostics;
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
