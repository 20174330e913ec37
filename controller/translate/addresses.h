// IP addresses and host names that a backend may have. Pure.
#pragma once

#include <optional>
#include <string_view>

#include "controller/kube/objects.h"

namespace headgate::translate {

// An IPv4 or IPv6 literal.
std::optional<kube::IpAddress> ParseIpAddress(std::string_view text);

// Such a literal, or one with "/" and the length of a prefix. That of an IPv4-mapped address is 96
// at least.
bool IsCidr(std::string_view text);

// 127.0.0.0/8, ::1, their IPv4-mapped forms, and the unspecified addresses, which reach this very
// host too.
bool IsLoopback(const kube::IpAddress& address);

// 169.254.0.0/16 and fe80::/10: the node, and the metadata service of cloud providers.
bool IsLinkLocal(const kube::IpAddress& address);

// A DNS name that can be resolved: labels of letters, digits, - and _; a final dot is allowed.
bool IsDnsName(std::string_view name);

// "localhost" and everything below it.
bool IsLocalhostName(std::string_view name);

}  // namespace headgate::translate
