// What translation has to say to people: about one object, one field, in one line. Diagnostics
// become log lines, metrics, Events and admission warnings; they are data, so that equal state
// gives equal diagnostics.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "controller/kube/objects.h"

namespace headgate::translate {

enum class Severity : uint8_t {
  kInfo = 0,  // works as asked, worth knowing
  kWarning,   // something asked for is not in effect, or not as written
  kError,     // the object, or its latest version, is not in effect
};

// Why. Stable names: they are metric labels and Event reasons (ReasonName).
enum class Reason : uint8_t {
  kUndecodable = 0,       // the object does not have the form of its kind
  kInvalidHost,           // a rule's host is no host name
  kInvalidPath,           // a path is no absolute path
  kPathCharacters,        // a path looks like a pattern, and is none by its type
  kPatternBacktracks,     // a path is a regular expression that needs PCRE2
  kInvalidBackend,        // a backend names nothing, or a loopback address
  kPathConflict,          // an older Ingress owns the same host, path and type
  kCanaryUnused,          // nothing for the canary to have a share of
  kDefaultBackendUnused,  // an older Ingress decides what unmatched paths of the host get
  kServiceNotFound,
  kServicePortNotFound,
  kUnsupportedProtocol,  // the Service port's protocol or appProtocol cannot be proxied
  kResourceBackend,      // a backend that is not a Service
  kUnknownAnnotation,
  kInvalidAnnotation,
  kSecretNotFound,
  kSecretNotReadable,        // it is outside of what the controller reads
  kInvalidCertificate,       // the Secret does not hold a usable certificate and key
  kCertificateHostMismatch,  // the certificate does not cover the host
  kCertificateExpired,
  kCertificateExpiresSoon,
  kInvalidClientCa,  // the Secret with the CA of client certificates cannot be used
  kConfigMapNotFound,
  kUnknownOption,
  kInvalidOption,
  kRefusedByDataPlane,  // a data plane NACKed a resource that came from the object
};

// "PathConflict".
std::string_view ReasonName(Reason reason);
// "info", "warning", "error".
std::string_view SeverityName(Severity severity);

struct Diagnostic {
  kube::Kind kind = kube::Kind::kIngress;
  kube::ObjectKey object;
  // Path of the field ("spec.rules[0].host") or the full name of the annotation; never empty.
  std::string field;
  Reason reason = Reason::kUndecodable;
  Severity severity = Severity::kWarning;
  // One line; contains no secret. May quote values of the object.
  std::string message;

  friend auto operator<=>(const Diagnostic&, const Diagnostic&) = default;
  friend bool operator==(const Diagnostic&, const Diagnostic&) = default;

  // "warning Ingress default/shop spec.rules[0].host InvalidHost: ...".
  std::string ToString() const;
};

}  // namespace headgate::translate
