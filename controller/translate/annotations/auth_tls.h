// auth-tls-secret and what belongs to it: which clients a host lets in by certificate.
// auth-tls-secret names a Secret with the CAs; the others refine: auth-tls-verify-client,
// auth-tls-verify-depth, auth-tls-error-page, auth-tls-pass-certificate-to-upstream,
// auth-tls-match-cn.
#pragma once

#include <array>
#include <string_view>

#include "controller/translate/annotations/reader.h"
#include "controller/translate/annotations/settings.h"

namespace headgate::translate {

inline constexpr std::array<std::string_view, 6> kAuthTlsNames = {
    "auth-tls-secret",     "auth-tls-verify-client", "auth-tls-verify-depth",
    "auth-tls-error-page", "auth-tls-match-cn",      "auth-tls-pass-certificate-to-upstream"};

// A bad reference closes the whole host; a bad mode or depth takes the default, which is the
// strictest; a bad value of the rest refuses the Ingress. Without auth-tls-secret the others mean
// nothing, and a subject that cannot be checked denies the Ingress's requests.
void ReadAuthTls(AnnotationReader& reader, IngressSettings& settings);

}  // namespace headgate::translate
