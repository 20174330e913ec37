#include "controller/translate/user_secret.h"

#include <utility>

#include "common/strings.h"
#include "controller/translate/annotations/reader.h"
#include "controller/translate/emit.h"
#include "controller/translate/names.h"

namespace headgate::translate {

std::string UserSecretName(const UserSecretRef& ref) {
  return StrCat(SecretName(ref.secret), ref.map ? "/user-map" : "/users");
}

UserSecret ReadUserSecret(const UserSecretRef& ref, const SecretView& view) {
  const kube::Secret* secret = view.secret.get();
  if (secret == nullptr) return {nullptr, StrCat("it ", view.Absence()), view.AbsenceReason()};
  v1::Resource resource;
  resource.mutable_secret_data();
  if (ref.map) {
    for (const auto& [user, hash] : secret->data) AddSecretEntry(resource, user, hash.Reveal());
  } else {
    const SecretBytes* file = secret->Find("auth");
    if (file == nullptr) return {nullptr, "it has no key \"auth\""};
    AddSecretEntry(resource, "auth", file->Reveal());
  }
  AddProvenance(resource, kube::Kind::kSecret, ref.secret, "");
  return {Finish(UserSecretName(ref), std::move(resource)), {}};
}

std::optional<UserSecretRef> UserSecretOf(const IngressModel& ingress) {
  const auto& password = ingress.settings.access.password;
  if (!password) return std::nullopt;
  return UserSecretRef{password->secret, password->map};
}

bool RefersToForbiddenSecret(const IngressModel& ingress, const IngressDefaults& defaults) {
  const auto& password = ingress.settings.access.password;
  return password && password->secret.ns != ingress.key().ns && !defaults.cross_namespace;
}

std::vector<Diagnostic> DescribeUserSecret(const IngressModel& ingress,
                                           const IngressDefaults& defaults,
                                           const UserSecret& state) {
  const auto& password = ingress.settings.access.password;
  if (!password) return {};
  std::string problem = state.problem;
  Reason reason = state.reason;
  if (RefersToForbiddenSecret(ingress, defaults)) {
    problem =
        "it is in another namespace, which the ConfigMap's allow-cross-namespace-resources does "
        "not allow";
    reason = Reason::kInvalidAnnotation;
  }
  if (problem.empty()) return {};
  return {{kube::Kind::kIngress, ingress.key(), ingress.AnnotationName("auth-secret"), reason,
           Severity::kError,
           StrCat("Secret ", password->secret.ToString(), ": ", problem,
                  "; every request to this Ingress is answered 503")}};
}

}  // namespace headgate::translate
