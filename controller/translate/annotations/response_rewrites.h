// proxy-cookie-domain, proxy-cookie-path, proxy-redirect-from, proxy-redirect-to: what is replaced
// in endpoints' answers.
#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "controller/translate/annotations/reader.h"
#include "controller/translate/annotations/settings.h"
#include "proto/headgate/v1/snapshot.pb.h"

namespace headgate::translate {

inline constexpr std::array<std::string_view, 4> kResponseRewriteNames = {
    "proxy-cookie-domain", "proxy-cookie-path", "proxy-redirect-from", "proxy-redirect-to"};
inline constexpr std::string_view kCookieValues = "off, or two words: what is replaced and by what";
inline constexpr std::string_view kRedirectFromValues = "off, default, or the beginning of a URL";
inline constexpr std::string_view kRedirectToValues = "off, or the beginning of a URL";

// Bad values are ignored.
void ReadResponseRewrites(AnnotationReader& reader, IngressSettings& settings);

// "off" or "FROM TO"; nothing for anything else.
std::optional<Replacement> ParseReplacement(std::string_view text);
// Characters of a URL, no blanks.
bool IsRedirectText(std::string_view text);

// Field by field the settings, else the defaults. Nothing is set when nothing is to be replaced.
// `path`: of the route.
void SetResponseRewrites(const RewriteSettings& settings, const RewriteSettings& defaults,
                         std::string_view path, v1::RoutePolicy& policy);

}  // namespace headgate::translate
