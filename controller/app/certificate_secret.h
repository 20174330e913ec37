// A Secret with a certificate that controllers make and renew, and when which part of it changes.
// Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/secret_bytes.h"
#include "controller/kube/json.h"

namespace headgate::app {

// PEM. Each certificate has an authority of its own, whose key is gone when it has signed it:
// nothing else can be made with what the Secret holds.
struct IssuedPair {
  std::string authority;
  std::string certificate;
  SecretBytes key;
};

// A certificate is announced before it is shown: those who are to trust it are told of its
// authority while the one before is still shown, and are told of that one as long as anybody may
// still show it. So whatever is shown, its authority is known.
struct CertificateSecret {
  std::optional<IssuedPair> current;  // "tls.crt", "tls.key" and the authority: shown
  std::optional<IssuedPair> next;     // the same with "next-" in front: announced
  std::string previous_authority;     // with "previous-" in front

  // PEM: the authorities that others are to know, oldest first.
  std::string Bundle() const;
};

// What the authority is called in .data.
inline constexpr std::string_view kAuthorityEntry = "ca.crt";

// From .data of a core/v1 Secret. A pair of which a part is missing or no base64 is not there.
CertificateSecret ReadCertificateSecret(const kube::Json& document,
                                        std::string_view authority = kAuthorityEntry);
// Puts it into .data, which has nothing else then.
void PutCertificateSecret(const CertificateSecret& secret, kube::Json& document,
                          std::string_view authority = kAuthorityEntry);
// An entry of .data; empty for what is not there or no base64.
std::string SecretEntry(const kube::Json& document, std::string_view name);

struct PairSpec {
  std::string subject = "headgate";  // common name; that of the authority has a random end
  std::vector<std::string> names;    // DNS names and IP addresses that the certificate is for
  std::string usage = "serverAuth";  // extendedKeyUsage
  absl::Duration lifetime;
};

enum class RotationStep {
  kNone,
  kMake,      // nothing can be shown: make a pair and show it
  kAnnounce,  // make the next pair
  kPromote,   // show the next pair
};

// `announced`: others have known Bundle() for long enough.
RotationStep NextStep(const CertificateSecret& secret, const PairSpec& spec, absl::Time now,
                      bool announced);
// Takes it. An error, and nothing happened: INTERNAL, see Issue.
absl::Status Take(RotationStep step, const PairSpec& spec, absl::Time now,
                  CertificateSecret& secret);

// When the certificate ends; nothing for one that cannot be shown.
std::optional<absl::Time> EndOf(const IssuedPair& pair);

}  // namespace headgate::app
