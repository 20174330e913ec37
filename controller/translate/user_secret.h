// Secrets that auth-secret names: users and the hashes of their passwords.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <vector>

#include "controller/kube/objects.h"
#include "controller/translate/config_map/settings.h"
#include "controller/translate/diagnostic.h"
#include "controller/translate/model.h"
#include "controller/translate/secret_view.h"
#include "controller/translate/translation.h"

namespace headgate::translate {

// A Secret and how it is read.
struct UserSecretRef {
  kube::ObjectKey secret;
  bool map = false;  // each key is a user; else "auth" is a file of them
  friend auto operator<=>(const UserSecretRef&, const UserSecretRef&) = default;
  friend bool operator==(const UserSecretRef&, const UserSecretRef&) = default;
  template <typename H>
  friend H AbslHashValue(H h, const UserSecretRef& ref) {
    return H::combine(std::move(h), ref.secret, ref.map);
  }
};

// "secret/NS/NAME/users" or "secret/NS/NAME/user-map".
std::string UserSecretName(const UserSecretRef& ref);

// What such a Secret amounts to. Where there is no resource, data planes answer 503 for the routes
// that refer to it.
struct UserSecret {
  ResourcePtr resource;
  std::string problem;                      // why there is none; empty otherwise
  Reason reason = Reason::kSecretNotFound;  // of the problem
};

// No earlier form is kept: users who were taken away do not come in any longer.
UserSecret ReadUserSecret(const UserSecretRef& ref, const SecretView& view);

// What an Ingress refers to; nothing if it refers to none.
std::optional<UserSecretRef> UserSecretOf(const IngressModel& ingress);

// Whether it refers to one that it may not use.
bool RefersToForbiddenSecret(const IngressModel& ingress, const IngressDefaults& defaults);

// What is wrong with the reference, if anything.
std::vector<Diagnostic> DescribeUserSecret(const IngressModel& ingress,
                                           const IngressDefaults& defaults,
                                           const UserSecret& state);

}  // namespace headgate::translate
