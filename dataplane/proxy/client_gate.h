#pragma once

#include <cstdint>
#include <string_view>

#include "dataplane/http/connection_info.h"
#include "dataplane/tls/client_auth.h"

namespace headgate::proxy {

// What the rules for client certificates of a request's host say to it, before its route is looked
// for.
struct GateDecision {
  enum class Kind : uint8_t {
    kPass,
    kClosed,          // 403: what the host asks for cannot be had
    kMisdirected,     // 421 (RFC 9110 section 15.5.20): the handshake followed other rules
    kNoCertificate,   // 400
    kBadCertificate,  // 400
    kWrongSubject,    // 403
  };
  Kind kind = Kind::kPass;
  // Where to send the client instead of a 400, or a path whose answer it gets instead; empty:
  // neither.
  std::string_view location;
};

// `has_rules`: the host has some; `rules` may still be null, which means that nobody may come in.
// Plain HTTP is held to the subject alone, as it is by ingress-nginx.
GateDecision JudgeClient(bool has_rules, const tls::ClientAuth* rules,
                         const http::ConnectionInfo& connection);

// The page of a decision that is not kPass, and its status.
uint16_t StatusOf(GateDecision::Kind kind);
std::string_view PageOf(GateDecision::Kind kind);

// Fields about the client's certificate, which only we may set.
inline constexpr std::string_view kClientVerifyField = "ssl-client-verify";
inline constexpr std::string_view kClientSubjectField = "ssl-client-subject-dn";
inline constexpr std::string_view kClientIssuerField = "ssl-client-issuer-dn";
inline constexpr std::string_view kClientCertificateField = "ssl-client-cert";
// In any case, and with '_' for '-'.
bool IsOneOfClientFields(std::string_view name);
inline bool IsClientField(std::string_view name) {
  // Few other names are as long and have that letter there.
  return name.size() >= kClientCertificateField.size() && (name[2] | 0x20) == 'l' &&
         IsOneOfClientFields(name);
}

}  // namespace headgate::proxy
