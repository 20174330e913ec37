// A Secret that something refers to, as far as it is known. Pure.
#pragma once

#include <memory>
#include <string_view>

#include "controller/kube/objects.h"
#include "controller/state/cluster_state.h"
#include "controller/translate/diagnostic.h"

namespace headgate::translate {

// What becomes of a reference that leads to nothing: the end of a sentence about the Secret.
inline constexpr std::string_view kSecretMissing = "does not exist";
inline constexpr std::string_view kSecretUnreadable =
    "may not be read by the controller (see --watch-secrets)";

struct SecretView {
  std::shared_ptr<const kube::Secret> secret;  // null: there is nothing to be used
  bool readable = true;                        // false: whether it is there is not known

  // Of one that is null.
  std::string_view Absence() const { return readable ? kSecretMissing : kSecretUnreadable; }
  Reason AbsenceReason() const {
    return readable ? Reason::kSecretNotFound : Reason::kSecretNotReadable;
  }
};

inline SecretView LookUpSecret(const state::ClusterState& state, const kube::ObjectKey& key) {
  if (!state.ReadsSecret(key)) return {nullptr, false};
  return {state.FindSecret(key)};
}

}  // namespace headgate::translate
