#pragma once

#include <string_view>

// Names of protocols that a request may ask to switch to: in Upgrade (RFC 9110 section 7.8) or in
// :protocol (RFC 8441).
namespace headgate::http {

// protocol-name ["/" protocol-version], both tokens.
bool IsUpgradeProtocol(std::string_view text);

// False for another HTTP (h2c, RFC 7540's way) and for TLS (RFC 2817), which are never passed on:
// the requests inside such a tunnel would be seen by nobody.
bool MayUpgradeTo(std::string_view protocol);

}  // namespace headgate::http
