// auth-url and what belongs to it: another server is asked whether a request may pass. auth-method,
// auth-signin, auth-signin-redirect-param, auth-response-headers, auth-request-redirect,
// auth-always-set-cookie, auth-cache-key, auth-cache-duration, auth-proxy-set-headers,
// auth-keepalive, auth-keepalive-requests, auth-keepalive-timeout, enable-global-auth.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "controller/translate/annotations/reader.h"
#include "controller/translate/annotations/settings.h"

namespace headgate::translate {

inline constexpr std::array<std::string_view, 15> kExternalAuthNames = {
    "auth-url",
    "auth-method",
    "auth-signin",
    "auth-signin-redirect-param",
    "auth-response-headers",
    "auth-request-redirect",
    "auth-always-set-cookie",
    "auth-proxy-set-headers",
    "auth-cache-key",
    "auth-cache-duration",
    "auth-keepalive",
    "auth-keepalive-requests",
    "auth-keepalive-timeout",
    "auth-keepalive-share-vars",
    "enable-global-auth"};

// A bad value denies every request, but of auth-keepalive and its kin, where it is ignored: without
// these, connections with the server are kept as those with all endpoints are. Without auth-url the
// others mean nothing, but for enable-global-auth.
void ReadExternalAuth(AnnotationReader& reader, IngressSettings& settings);

// The parts, from annotations or from the ConfigMap. Empty texts count as not given.
struct ExternalAuthInput {
  std::string_view url;
  std::string_view method;
  std::string_view signin;
  std::string_view signin_parameter;
  std::string_view response_headers;
  std::string_view request_redirect;
  std::string_view always_set_cookie;
  std::string_view cache_key;
  std::string_view cache_duration;
};

struct ExternalAuthProblem {
  std::string_view part;  // as the annotation is named, without "auth-"
  std::string accepted;   // what would be valid
};

// Nothing when a part is bad, which `problem` then says. `unknown`: variables that are not known,
// and so are empty.
std::optional<ExternalAuthSettings> ParseExternalAuth(const ExternalAuthInput& input,
                                                      ExternalAuthProblem& problem,
                                                      std::vector<std::string>& unknown);

}  // namespace headgate::translate
