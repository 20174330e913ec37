#include "controller/translate/diagnostic.h"

#include "common/strings.h"

namespace headgate::translate {

std::string_view ReasonName(Reason reason) {
  switch (reason) {
    case Reason::kUndecodable: return "Undecodable";
    case Reason::kInvalidHost: return "InvalidHost";
    case Reason::kInvalidPath: return "InvalidPath";
    case Reason::kPathCharacters: return "PathCharacters";
    case Reason::kPatternBacktracks: return "PatternBacktracks";
    case Reason::kInvalidBackend: return "InvalidBackend";
    case Reason::kPathConflict: return "PathConflict";
    case Reason::kCanaryUnused: return "CanaryUnused";
    case Reason::kDefaultBackendUnused: return "DefaultBackendUnused";
    case Reason::kServiceNotFound: return "ServiceNotFound";
    case Reason::kServicePortNotFound: return "ServicePortNotFound";
    case Reason::kUnsupportedProtocol: return "UnsupportedProtocol";
    case Reason::kResourceBackend: return "ResourceBackend";
    case Reason::kUnknownAnnotation: return "UnknownAnnotation";
    case Reason::kInvalidAnnotation: return "InvalidAnnotation";
    case Reason::kSecretNotFound: return "SecretNotFound";
    case Reason::kSecretNotReadable: return "SecretNotReadable";
    case Reason::kInvalidCertificate: return "InvalidCertificate";
    case Reason::kCertificateHostMismatch: return "CertificateHostMismatch";
    case Reason::kCertificateExpired: return "CertificateExpired";
    case Reason::kCertificateExpiresSoon: return "CertificateExpiresSoon";
    case Reason::kInvalidClientCa: return "InvalidClientCa";
    case Reason::kConfigMapNotFound: return "ConfigMapNotFound";
    case Reason::kUnknownOption: return "UnknownOption";
    case Reason::kInvalidOption: return "InvalidOption";
    case Reason::kRefusedByDataPlane: return "RefusedByDataPlane";
  }
  return "Unknown";
}

std::string_view SeverityName(Severity severity) {
  switch (severity) {
    case Severity::kInfo: return "info";
    case Severity::kWarning: return "warning";
    case Severity::kError: return "error";
  }
  return "unknown";
}

std::string Diagnostic::ToString() const {
  return StrCat(SeverityName(severity), " ", KindName(kind), " ", object.ToString(), " ", field,
                " ", ReasonName(reason), ": ", message);
}

}  // namespace headgate::translate
