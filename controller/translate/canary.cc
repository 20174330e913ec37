#include "controller/translate/canary.h"

namespace headgate::translate {

CanaryChoice ChooseCanary(const IngressModel& canary, const IngressModel& main,
                          const BackendRef& backend) {
  const bool anew = canary.settings.headers.canary_sessions_decided_anew;
  IngressSettings spoken = main.settings;
  spoken.upstream.balancing = canary.settings.upstream.balancing;
  if (!anew) spoken.upstream.balancing.affinity = main.settings.upstream.balancing.affinity;
  return {ChooseClusters(backend, spoken), anew};
}

void SetCanary(const CanarySettings& settings, const CanaryChoice& choice, v1::Canary& out) {
  out.set_cluster(ClusterName(choice.clusters.plain));
  if (choice.clusters.tls != choice.clusters.plain)
    out.set_tls_cluster(ClusterName(choice.clusters.tls));
  out.set_weight(settings.weight);
  if (settings.weight_total != 100) out.set_weight_total(settings.weight_total);
  out.set_header(settings.header);
  out.set_header_value(settings.header_value);
  out.set_header_pattern(settings.header_pattern);
  out.set_cookie(settings.cookie);
  out.set_sessions_decided_anew(choice.sessions_decided_anew);
}

}  // namespace headgate::translate
