#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/container/inlined_vector.h"
#include "dataplane/base/host_map.h"
#include "dataplane/tls/certificate.h"

namespace headgate::tls {

// The certificates of one host pattern, most preferred first; several differ in key type (ECDSA,
// RSA). Immutable.
class HostCertificates {
 public:
  using List = absl::InlinedVector<std::shared_ptr<const Certificate>, 1>;

  HostCertificates(std::string host, List certificates)
      : host_(std::move(host)), certificates_(std::move(certificates)) {}

  // "example.com", "*.example.com" or "_".
  std::string_view host() const { return host_; }
  const List& certificates() const { return certificates_; }

 private:
  std::string host_;
  List certificates_;
};

// Which certificates a client is shown, by the name it asks for (SNI): exact name, wildcard for one
// label, "_", and in the end the default. Immutable, shares structure between generations: see
// base::HostMap.
class CertTable {
 public:
  CertTable() = default;
  CertTable(base::HostMap<HostCertificates> hosts, std::shared_ptr<const Certificate> fallback)
      : hosts_(std::move(hosts)), fallback_(std::move(fallback)) {}

  // `server_name` in lower case; empty when the client sent none. Nullptr: only the default is
  // left.
  const HostCertificates* Find(std::string_view server_name) const {
    return hosts_.Find(server_name);
  }
  // For everyone else. Null when there is none: such a handshake fails.
  const std::shared_ptr<const Certificate>& fallback() const { return fallback_; }

  const base::HostMap<HostCertificates>& hosts() const { return hosts_; }

 private:
  base::HostMap<HostCertificates> hosts_;
  std::shared_ptr<const Certificate> fallback_;
};

}  // namespace headgate::tls
