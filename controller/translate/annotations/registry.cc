#include "controller/translate/annotations/registry.h"

#include <algorithm>
#include <array>
#include <span>
#include <string_view>

#include "common/strings.h"
#include "controller/translate/annotations/affinity.h"
#include "controller/translate/annotations/auth_tls.h"
#include "controller/translate/annotations/basic_auth.h"
#include "controller/translate/annotations/body_size.h"
#include "controller/translate/annotations/buffering.h"
#include "controller/translate/annotations/canary.h"
#include "controller/translate/annotations/catalog.h"
#include "controller/translate/annotations/compression.h"
#include "controller/translate/annotations/cors.h"
#include "controller/translate/annotations/dead.h"
#include "controller/translate/annotations/errors.h"
#include "controller/translate/annotations/external_auth.h"
#include "controller/translate/annotations/message_headers.h"
#include "controller/translate/annotations/mirror.h"
#include "controller/translate/annotations/next_upstream.h"
#include "controller/translate/annotations/other_names.h"
#include "controller/translate/annotations/rate_limit.h"
#include "controller/translate/annotations/reader.h"
#include "controller/translate/annotations/redirect.h"
#include "controller/translate/annotations/response_rewrites.h"
#include "controller/translate/annotations/rewrite.h"
#include "controller/translate/annotations/snippets.h"
#include "controller/translate/annotations/source_range.h"
#include "controller/translate/annotations/ssl_ciphers.h"
#include "controller/translate/annotations/ssl_passthrough.h"
#include "controller/translate/annotations/ssl_redirect.h"
#include "controller/translate/annotations/static_files.h"
#include "controller/translate/annotations/timeouts.h"
#include "controller/translate/annotations/tracing.h"
#include "controller/translate/annotations/unavailable.h"
#include "controller/translate/annotations/upstream_protocol.h"
#include "controller/translate/annotations/upstream_registry.h"
#include "controller/translate/annotations/values.h"

namespace headgate::translate {
namespace {

struct Family {
  std::span<const std::string_view> names;  // as AnnotationReader takes them
  void (*read)(AnnotationReader& reader, IngressSettings& settings);
};

// In the order in which they are read; none depends on another.
const std::array<Family, 29> kFamilies = {{
    {kTimeoutNames, ReadTimeouts},
    {kBodySizeNames, ReadBodySize},
    {kBufferingNames, ReadBuffering},
    {kCompressionNames, ReadCompression},
    {kSslRedirectNames, ReadSslRedirect},
    {kRedirectNames, ReadRedirect},
    {kRewriteNames, ReadRewrite},
    {kSourceRangeNames, ReadSourceRange},
    {kBasicAuthNames, ReadBasicAuth},
    {kRateLimitNames, ReadRateLimit},
    {kExternalAuthNames, ReadExternalAuth},
    {kAuthTlsNames, ReadAuthTls},
    {kSslCiphersNames, ReadSslCiphers},
    {kSslPassthroughNames, ReadSslPassthrough},
    {kUpstreamProtocolNames, ReadUpstreamProtocol},
    {kStaticFilesNames, ReadStaticFiles},
    {kNextUpstreamNames, ReadNextUpstream},
    {kAffinityNames, ReadAffinity},
    {kSnippetNames, ReadSnippets},
    {kCorsNames, ReadCors},
    {kMessageHeaderNames, ReadMessageHeaders},
    {kResponseRewriteNames, ReadResponseRewrites},
    {kCanaryNames, ReadCanary},
    {kOtherNameNames, ReadOtherNames},
    {kErrorNames, ReadErrors},
    {kMirrorNames, ReadMirror},
    {kTracingNames, ReadTracing},
    {kUnavailableNames, ReadUnavailable},
    {kDeadNames, ReadDead},
}};

// Read, and without effect or refused whatever they say.
constexpr std::array<std::string_view, 3> kWithoutEffect = {"http2-push-preload", "stream-snippet",
                                                            "modsecurity-snippet"};

bool Contains(std::span<const std::string_view> names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool IsKnown(std::string_view name) {
  return IsUpstreamAnnotation(name) || IsDeadByPrefix(name) ||
         std::any_of(kFamilies.begin(), kFamilies.end(),
                     [&](const Family& family) { return Contains(family.names, name); });
}

// Whether the annotation is under one of our prefixes and no family knows it.
bool IsUnknown(std::string_view full, const AnnotationRules& rules) {
  if (full.starts_with(kHeadgatePrefix)) return !IsKnown(full);
  return full.starts_with(rules.prefix) && !IsKnown(full.substr(rules.prefix.size()));
}

// What the rules do not allow. Snippets have more to say for themselves.
void CheckRules(AnnotationReader& reader, const kube::Ingress& ingress) {
  const AnnotationRules& rules = reader.rules();
  for (const auto& [full, value] : ingress.meta.annotations) {
    const bool own = std::string_view(full).starts_with(kHeadgatePrefix);
    if (!own && !std::string_view(full).starts_with(rules.prefix)) continue;
    const std::string_view name =
        own ? std::string_view(full) : std::string_view(full).substr(rules.prefix.size());
    if (const CatalogEntry* entry = FindInCatalog(name);
        entry != nullptr && entry->risk > rules.highest && !Contains(kSnippetNames, name)) {
      reader.Refuse(name, StrCat("its risk is ", RiskName(entry->risk),
                                 ", and annotations-risk-level of the ConfigMap is ",
                                 RiskName(rules.highest)));
    }
    for (const std::string& word : rules.blocked_words) {
      if (value.find(word) == std::string::npos) continue;
      reader.Refuse(
          name, StrCat("it contains ", QuoteValue(word),
                       ", which annotation-value-word-blocklist of the ConfigMap does not allow"));
    }
  }
}

}  // namespace

bool TakesEffect(std::string_view name) {
  return IsKnown(name) && !IsDeadByPrefix(name) && !Contains(kUnavailableNames, name) &&
         !Contains(kDeadNames, name) && !Contains(kWithoutEffect, name);
}

std::vector<std::string_view> KnownAnnotations() {
  std::vector<std::string_view> names = UpstreamAnnotations();
  for (const Family& family : kFamilies) {
    if (family.read != ReadDead)
      names.insert(names.end(), family.names.begin(), family.names.end());
  }
  return names;
}

AnnotationResult ReadAnnotations(const kube::Ingress& ingress, const AnnotationRules& rules,
                                 std::vector<Diagnostic>& diagnostics) {
  AnnotationResult result;
  bool any = false;
  for (const auto& [name, value] : ingress.meta.annotations) {
    any = any || std::string_view(name).starts_with(rules.prefix) ||
          std::string_view(name).starts_with(kHeadgatePrefix);
    if (IsUnknown(name, rules)) {
      diagnostics.push_back({kube::Kind::kIngress, ingress.meta.key, name,
                             Reason::kUnknownAnnotation, Severity::kWarning,
                             "this annotation is not known here and has no effect"});
    }
  }
  // The common case: nothing to read, and nobody asks for a firewall for all.
  if (!any && !rules.waf) return result;
  AnnotationReader reader(ingress, rules, diagnostics);
  CheckRules(reader, ingress);
  for (const Family& family : kFamilies) family.read(reader, result.settings);
  ReadUpstreamSettings(reader, result.settings.upstream);
  result.settings.denied = reader.denied();
  result.refused = reader.refused();
  return result;
}

}  // namespace headgate::translate
