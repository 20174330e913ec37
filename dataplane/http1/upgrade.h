#pragma once

#include <string_view>

#include "dataplane/http/header_map.h"
#include "dataplane/http/message.h"

// The Upgrade field (RFC 9110 section 7.8). Internal to http1.
namespace headgate::http1 {

// What the Upgrade fields of a request ask for.
struct UpgradeRequest {
  bool valid = true;  // false: not a list of protocols
  // The one protocol that may be passed on (http::MayUpgradeTo), as received. Empty: none, or
  // several, which is the same to us: a server may always go on without an upgrade.
  std::string_view protocol;
};
UpgradeRequest ReadUpgrade(const http::HeaderMap& fields);

// Whether a response of status 101 switches to `protocol` and nothing else. `connection_upgrade`:
// its Connection field names Upgrade.
bool AcceptsUpgrade(const http::ResponseHead& head, bool connection_upgrade,
                    std::string_view protocol);

}  // namespace headgate::http1
