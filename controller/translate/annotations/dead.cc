#include "controller/translate/annotations/dead.h"

#include <algorithm>
#include <string>

#include "common/strings.h"

namespace headgate::translate {
namespace {

// What does the same today.
std::string_view InsteadOf(std::string_view name) {
  if (name == "enable-websockets" || name == "websocket-services") return "WebSocket is always on";
  if (name == "grpc-backend") return "use backend-protocol: GRPC";
  if (name == "upstream-max-fails" || name == "upstream-fail-timeout")
    return "use headgate.dev/max-fails and headgate.dev/fail-timeout";
  if (name == "secure-verify-ca-secret") return "use proxy-ssl-secret and proxy-ssl-verify";
  if (name == "mirror-uri") return "use mirror-target";
  if (name == "rewrite-log") return "use enable-rewrite-log";
  if (name == "from-to-www") return "use from-to-www-redirect";
  if (name == "session-cookie-hash") return "cookies have one form";
  if (name.starts_with("global-rate-limit")) return "use limit-rps or limit-rpm";
  if (name == "use-forwarded-headers" || name == "client-header-buffer-size")
    return "it is an option of the ConfigMap";
  return "ingress-nginx has given it up";
}

}  // namespace

bool IsDeadByPrefix(std::string_view name) {
  return std::any_of(kDeadPrefixes.begin(), kDeadPrefixes.end(),
                     [&](std::string_view prefix) { return name.starts_with(prefix); });
}

void ReadDead(AnnotationReader& reader, IngressSettings&) {
  reader.ForEachName([&](std::string_view name) {
    const bool dead = std::find(kDeadNames.begin(), kDeadNames.end(), name) != kDeadNames.end() ||
                      IsDeadByPrefix(name);
    if (dead) reader.Note(name, StrCat("without effect: ", InsteadOf(name)));
  });
}

}  // namespace headgate::translate
