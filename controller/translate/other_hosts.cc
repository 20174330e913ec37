#include "controller/translate/other_hosts.h"

#include <string>
#include <utility>

#include "common/strings.h"
#include "controller/translate/emit.h"

namespace headgate::translate {

VirtualHostResult WithoutHost(const VirtualHostInput& input) {
  VirtualHostResult result;
  for (const HostClaim& canary : *input.role.canaries) {
    result.diagnostics.push_back(
        {kube::Kind::kIngress, canary.ingress->key(),
         canary.rules->empty() ? "spec.defaultBackend" : RuleField(canary.rules->front()),
         Reason::kCanaryUnused, Severity::kWarning,
         StrCat("no other Ingress has rules for host \"", input.host,
                "\"; the canary has no effect")});
  }
  return result;
}

VirtualHostResult RedirectHost(const VirtualHostInput& input, std::string_view to) {
  v1::Resource resource;
  v1::VirtualHost& host = *resource.mutable_virtual_host();
  host.set_host(std::string(input.host));
  host.set_tls_configured(input.tls.configured);
  if (input.tls.secret) host.add_certificates(CertificateName(*input.tls.secret));
  v1::Route& route = *host.add_routes();
  route.mutable_match()->set_prefix_path("/");
  v1::Redirect& redirect = *route.mutable_redirect();
  redirect.set_status(input.defaults.redirect_code);
  redirect.set_host(std::string(to));
  redirect.set_with_port(true);
  redirect.set_drop_final_slash(true);
  for (const HostClaim& claim : *input.role.rules) {
    if (!claim.ingress->settings.headers.www_redirect) continue;
    route.mutable_origin()->set_namespace_(claim.ingress->key().ns);
    route.mutable_origin()->set_ingress(claim.ingress->key().name);
    AddProvenance(resource, kube::Kind::kIngress, claim.ingress->key(), "metadata.annotations");
    break;
  }
  VirtualHostResult result;
  result.resource = Finish(VirtualHostName(input.host), std::move(resource));
  return result;
}

}  // namespace headgate::translate
