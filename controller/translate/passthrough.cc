#include "controller/translate/passthrough.h"

#include <utility>

#include "common/strings.h"
#include "controller/translate/access_policy.h"
#include "controller/translate/annotations/reader.h"

namespace headgate::translate {
namespace {

using kube::IngressPath;

// The Service of the rule for everything under the host, of the oldest Ingress that has one.
std::optional<BackendRef> RootBackend(const HostClaims& claims) {
  for (const HostClaim& claim : claims) {
    const kube::Ingress& ingress = *claim.ingress->object;
    for (const uint32_t rule : *claim.rules) {
      for (const IngressPath& path : ingress.rules[rule].paths) {
        const bool is_root =
            path.type != kube::PathType::kExact && (path.path.empty() || path.path == "/");
        if (is_root) return ToBackendRef(ingress, path.backend);
      }
    }
  }
  const kube::Ingress& first = *claims.front().ingress->object;
  return first.default_backend ? ToBackendRef(first, *first.default_backend) : std::nullopt;
}

}  // namespace

PassthroughResult ResolvePassthrough(std::string_view host, const HostClaims& claims,
                                     const IngressDefaults& defaults) {
  PassthroughResult result;
  for (const HostClaim& claim : claims) {
    const IngressModel& ingress = *claim.ingress;
    if (!ingress.settings.ssl_passthrough) continue;
    std::string problem;
    std::optional<BackendRef> backend;
    if (!defaults.ssl_passthrough) {
      problem = "no effect without --enable-ssl-passthrough of the controller";
    } else if (host == kEveryHost) {
      problem = "no effect on rules without host: connections are told apart by the name";
    } else if (!(backend = RootBackend(claims))) {
      problem = StrCat("no effect on host \"", host,
                       "\": no Service has all that is under it (Prefix /)");
    } else if (!IsDenied(ingress, defaults, host) && !result.choice) {
      const ClusterRef cluster{
          *backend, {{}, {}, ingress.settings.upstream, ingress.settings.upstream_proxy_protocol}};
      result.choice = {cluster, ingress.settings.tunnel_idle_timeout};
    }
    if (problem.empty()) continue;
    result.diagnostics.push_back(
        {kube::Kind::kIngress, ingress.key(), ingress.AnnotationName("ssl-passthrough"),
         Reason::kInvalidAnnotation, Severity::kWarning, std::move(problem)});
  }
  return result;
}

bool SpeaksTlsByPassthrough(const IngressSettings& settings, const IngressDefaults& defaults) {
  return settings.ssl_passthrough && defaults.ssl_passthrough &&
         settings.backend_protocol != BackendProtocol::kGrpc &&
         settings.backend_protocol != BackendProtocol::kGrpcs;
}

}  // namespace headgate::translate
