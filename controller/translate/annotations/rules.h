// Which annotations Ingresses may have at all: what the ConfigMap and the command line say, before
// any family reads one.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace headgate::translate {

// Annotations of ingress-nginx, which we honour under their own names.
inline constexpr std::string_view kNginxPrefix = "nginx.ingress.kubernetes.io/";
// Annotations of our own.
inline constexpr std::string_view kHeadgatePrefix = "headgate.dev/";

// How much harm an annotation could do in the hands of somebody who may write Ingresses and nothing
// else, as ingress-nginx has it.
enum class Risk : uint8_t { kLow = 0, kMedium, kHigh, kCritical };
std::string_view RiskName(Risk risk);  // "Low"

struct AnnotationRules {
  std::string prefix{
      kNginxPrefix};  // under which the annotations of ingress-nginx are looked for; ends with '/'
  bool snippets = false;       // may be there; kCritical must be allowed too
  Risk highest = Risk::kHigh;  // an Ingress with an annotation above it is refused
  std::vector<std::string>
      blocked_words;        // an Ingress with one of them in an annotation is refused; sorted
  bool waf = false;         // all Ingresses ask for a firewall that do not say otherwise
  bool ignore_waf = false;  // Ingresses that ask for a firewall are served without, rather than 503
  // Paths that are no regular expressions by their type should not look like one: the webhook
  // refuses them.
  bool strict_paths = true;
  bool http2 = true;  // is offered to clients in TLS handshakes
  friend bool operator==(const AnnotationRules&, const AnnotationRules&) = default;
};

}  // namespace headgate::translate
