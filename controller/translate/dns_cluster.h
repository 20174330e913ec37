// Servers outside of the cluster that are named by a URL, not by a Service.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <vector>

#include "controller/translate/annotations/upstream_settings.h"
#include "controller/translate/options.h"
#include "controller/translate/translation.h"

namespace headgate::translate {

struct DnsClusterRef {
  std::string host;  // in lower case; a DNS name or an IP address
  uint16_t port = 0;
  bool tls = false;  // the host is sent as server name, and no certificate is checked
  ConnectionSettings connections = {};
  friend auto operator<=>(const DnsClusterRef&, const DnsClusterRef&) = default;
  friend bool operator==(const DnsClusterRef&, const DnsClusterRef&) = default;
};

// "cluster/~/https/HOST/PORT": '~' is no namespace. Where connections are treated in a way of their
// own, with a further part.
std::string ClusterName(const DnsClusterRef& ref);

// Null where the host means the data plane's own machine, or its link.
ResourcePtr TranslateDnsCluster(const DnsClusterRef& ref, const Options& options);

}  // namespace headgate::translate
