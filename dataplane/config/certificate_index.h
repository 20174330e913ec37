#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "common/strings.h"
#include "dataplane/tls/cert_table.h"

namespace headgate::config {

// Joins Certificate resources with the hosts that offer them, and makes the table that handshakes
// look at. Hosts whose certificates are all missing are not in the table. Control thread only.
class CertificateIndex {
 public:
  CertificateIndex();

  void SetCertificate(std::string_view name, std::shared_ptr<const tls::Certificate> certificate);
  void RemoveCertificate(std::string_view name);
  // `certificates`: names, most preferred first. Empty: the host offers none of its own.
  void SetHost(std::string_view host, std::vector<std::string> certificates);
  // Name of the certificate for everyone else.
  void SetDefault(std::string name);

  // The table after all changes so far; the same pointer as before when nothing in it has changed.
  std::shared_ptr<const tls::CertTable> Table();

  // Calls `visit` with each host and, most preferred first, the certificates that it offers: their
  // names, and what they are, null for one that is missing. The host is empty for the one that
  // everyone else gets, if one is named.
  using Visit =
      std::function<void(std::string_view host, std::string_view name, const tls::Certificate*)>;
  void ForEach(const Visit& visit) const;

  size_t certificate_count() const { return certificate_count_; }

 private:
  struct Host;
  // Lives while it is given or a host names it.
  struct Slot {
    std::shared_ptr<const tls::Certificate> certificate;  // null: the resource is not there
    std::vector<Host*> users;
  };
  template <typename T>
  using ByName = std::unordered_map<std::string, T, TransparentStringHash, TransparentStringEqual>;
  struct Host {
    std::string_view name;  // the key in hosts_
    std::vector<ByName<Slot>::value_type*> certificates;
  };

  void Release(Host& host);
  void MarkUsersDirty(const Slot& slot);

  ByName<Slot> slots_;
  ByName<Host> hosts_;
  std::string default_name_;
  size_t certificate_count_ = 0;
  bool default_dirty_ = true;
  std::unordered_set<std::string> dirty_hosts_;
  std::shared_ptr<const tls::CertTable> table_;
};

}  // namespace headgate::config
