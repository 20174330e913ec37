// The Secret with the certificate that controllers make for the admission webhook, and when which
// part of it changes. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/secret_bytes.h"
#include "controller/kube/json.h"

namespace headgate::app {

// PEM. Each certificate has an authority of its own, whose key is gone when it has signed it:
// nothing else can be made with what the Secret holds.
struct WebhookPair {
  std::string authority;
  std::string certificate;
  SecretBytes key;
};

// A certificate is announced before it is shown: API servers are told of its authority while the
// one before is still served, and are told of that one as long as a controller may still serve it.
// So whatever a controller serves, API servers know the authority of.
struct WebhookSecret {
  std::optional<WebhookPair> current;  // "tls.crt", "tls.key", "ca.crt": served
  std::optional<WebhookPair> next;     // the same with "next-" in front: announced
  std::string previous_authority;      // "previous-ca.crt"

  // PEM: the authorities that API servers are to know, oldest first.
  std::string Bundle() const;
};

// From .data of a core/v1 Secret. A pair of which a part is missing or no base64 is not there.
WebhookSecret ReadWebhookSecret(const kube::Json& document);
// Puts it into .data, which has nothing else then.
void PutWebhookSecret(const WebhookSecret& secret, kube::Json& document);

struct WebhookCertificateSpec {
  std::vector<std::string>
      names;  // DNS names and IP addresses by which API servers call the webhook
  absl::Duration lifetime;
};

enum class RotationStep {
  kNone,
  kMake,      // nothing can be served: make a pair and serve it
  kAnnounce,  // make the next pair
  kPromote,   // serve the next pair
};

// `announced`: API servers have known Bundle() for long enough.
RotationStep NextStep(const WebhookSecret& secret, const WebhookCertificateSpec& spec,
                      absl::Time now, bool announced);
// Takes it. An error, and nothing happened: INTERNAL, see Issue.
absl::Status Take(RotationStep step, const WebhookCertificateSpec& spec, absl::Time now,
                  WebhookSecret& secret);

// When the certificate ends; nothing for one that cannot be served.
std::optional<absl::Time> EndOf(const WebhookPair& pair);

}  // namespace headgate::app
