// Secrets that proxy-ssl-secret names: what endpoints are verified with, and the certificate they
// are shown.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "controller/kube/objects.h"
#include "controller/translate/diagnostic.h"
#include "controller/translate/model.h"
#include "controller/translate/secret_view.h"
#include "controller/translate/translation.h"

namespace headgate::translate {

// What such a Secret amounts to.
struct UpstreamSecret {
  // The form in use; null when there is none.
  std::shared_ptr<const kube::Secret> secret;
  // SecretData "secret/<ns>/<name>/upstream" with ca.crt, tls.crt and tls.key, as far as `secret`
  // has them. Without it data planes answer 503 for the clusters that refer to it.
  ResourcePtr resource;
  Reason reason = Reason::kSecretNotFound;  // of the problem
  std::string problem;                      // of the newest form; empty: none
};

// Chooses between the newest form of a Secret and its last good one (which may be null). It holds
// ca.crt, or tls.crt with its tls.key, or all three; empty values count as left out. Without a
// newest form there is nothing, whatever was good before: deleting is a decision.
UpstreamSecret ChooseUpstreamSecret(const kube::ObjectKey& key, const SecretView& newest,
                                    std::shared_ptr<const kube::Secret> last_good);

// The Secret that an Ingress refers to, if any.
std::optional<kube::ObjectKey> UpstreamSecretOf(const IngressModel& ingress);

// What is wrong with the Secret, as the Ingress that refers to it is told.
std::vector<Diagnostic> DescribeUpstreamSecret(const IngressModel& ingress,
                                               const UpstreamSecret& state);

}  // namespace headgate::translate
