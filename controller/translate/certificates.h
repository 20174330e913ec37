// Certificates in Secrets of type kubernetes.io/tls: whether they can be used, for which hosts,
// until when. Pure; the current time is an argument.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "controller/kube/objects.h"
#include "controller/translate/diagnostic.h"
#include "controller/translate/secret_view.h"

namespace headgate::translate {

// What we know of a usable certificate. Immutable.
struct Certificate {
  std::shared_ptr<const kube::Secret> secret;
  // dNSName entries of the leaf, and its common name last; lower case.
  std::vector<std::string> names;
  absl::Time not_after;

  // Whether it may be served for `host` (lower case). A star in a name stands for one whole label;
  // for a wildcard host the same wildcard must be among the names. Thread: any.
  bool Covers(std::string_view host) const;
};

// The chain and key of a Secret, checked: both present, PEM, the chain of X.509 certificates, the
// key not encrypted and that of the first certificate. On failure null, and *field and *error say
// what is wrong.
std::shared_ptr<const Certificate> ParseCertificate(std::shared_ptr<const kube::Secret> secret,
                                                    std::string* field, std::string* error);

// What a Secret that somebody refers to amounts to.
struct CertificateState {
  enum class Use : uint8_t {
    kMissing = 0,  // no such Secret
    kUnreadable,   // nothing is known of the Secret
    kUnusable,     // neither the Secret nor an earlier form of it can be used
    kUsable,
  };
  Use use = Use::kMissing;
  std::shared_ptr<const Certificate> certificate;  // set when kUsable
  std::vector<Diagnostic> diagnostics;             // about the Secret
  // The next moment at which the answer may be another without any change of the Secret.
  absl::Time recheck = absl::InfiniteFuture();
};

// Chooses between the newest form of a Secret (`view`) and its last good one (which may be null).
// The newest is taken if it can be used; one that has expired already only if the last good one
// has, too. Without a newest form there is nothing, whatever was good before: deleting is a
// decision.
CertificateState ChooseCertificate(const SecretView& view,
                                   std::shared_ptr<const kube::Secret> last_good, absl::Time now);

}  // namespace headgate::translate
