// ssl-passthrough: where the TLS connections of a host go whose TLS does not end in a data plane.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "controller/translate/backends.h"
#include "controller/translate/config_map/settings.h"
#include "controller/translate/diagnostic.h"
#include "controller/translate/host_table.h"

namespace headgate::translate {

struct PassthroughChoice {
  ClusterRef cluster;
  std::optional<uint32_t> idle_timeout;  // seconds
};

struct PassthroughResult {
  std::optional<PassthroughChoice> choice;
  std::vector<Diagnostic> diagnostics;
};

// The oldest Ingress of the host that asks for it decides. The connections go to the Service that
// everything under the host goes to by a rule for Prefix "/", else by the default backend of the
// oldest Ingress. Nothing comes of it, and a diagnostic, where there is no such Service, for rules
// without host, and without --enable-ssl-passthrough.
PassthroughResult ResolvePassthrough(std::string_view host, const HostClaims& claims,
                                     const IngressDefaults& defaults);

// Whether requests of the Ingress that come to a data plane nevertheless are sent to endpoints that
// end TLS themselves.
bool SpeaksTlsByPassthrough(const IngressSettings& settings, const IngressDefaults& defaults);

}  // namespace headgate::translate
