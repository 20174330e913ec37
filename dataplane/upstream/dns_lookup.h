#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "dataplane/base/address.h"

namespace headgate::upstream {

// What a name stands for.
struct DnsAnswer {
  std::vector<base::Address>
      addresses;       // their ports are 0; in no particular order, perhaps repeated
  absl::Duration ttl;  // of the record that expires first
};

struct DnsLookupOptions {
  // With name servers, search domains and options (resolv.conf(5)); read anew at each lookup.
  std::string resolv_conf = "/etc/resolv.conf";
  // "127.0.0.1:5353,..." in place of those of resolv_conf; empty: those.
  std::string servers = {};
  // For all name servers and attempts together.
  absl::Duration limit = absl::Seconds(10);
};

// The IPv4 and IPv6 addresses of a name, by way of /etc/hosts, and of DNS with the search domains
// of a pod. An address family that has none, or that no server speaks of, does no harm to the
// other. Errors name the name. Blocks; any thread.
absl::StatusOr<DnsAnswer> LookUp(const std::string& name, const DnsLookupOptions& options);

}  // namespace headgate::upstream
