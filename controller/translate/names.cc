#include "controller/translate/names.h"

#include "common/strings.h"

namespace headgate::translate {
namespace {

std::string Backend(std::string_view kind, const BackendRef& backend) {
  return StrCat(kind, backend.service.ns, "/", backend.service.name, "/",
                backend.port.empty() ? "0" : backend.port.ToString());
}

}  // namespace

std::string VirtualHostName(std::string_view host) { return StrCat("vhost/", host); }
std::string ClusterName(const BackendRef& backend) { return Backend("cluster/", backend); }
std::string EndpointsName(const BackendRef& backend) { return Backend("endpoints/", backend); }
std::string CertificateName(const kube::ObjectKey& secret) {
  return StrCat("cert/", secret.ns, "/", secret.name);
}

std::string SecretName(const kube::ObjectKey& secret) {
  return StrCat("secret/", secret.ns, "/", secret.name);
}

std::string UpstreamSecretName(const kube::ObjectKey& secret) {
  return StrCat(SecretName(secret), "/upstream");
}

bool IsNamePart(std::string_view name) {
  return !name.empty() && name.find('/') == std::string_view::npos;
}

}  // namespace headgate::translate
