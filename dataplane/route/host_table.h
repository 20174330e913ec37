#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "dataplane/base/host_map.h"
#include "dataplane/route/route_table.h"

namespace headgate::route {

// What is looked up apart from the routes, or needed before there is a request.
struct HostOptions {
  // config::CompiledConfig::client_auth has rules for the pattern.
  bool client_auth = false;
  // OpenSSL cipher list for TLS 1.2; empty: the general one.
  std::string ciphers;
  // Among them the client's order counts, not ours.
  bool client_chooses_cipher = false;
  // Where requests for exactly "/" are sent; empty: nowhere else.
  std::string app_root;
  bool operator==(const HostOptions&) const = default;
};

// One virtual host. Immutable.
class HostRoutes {
 public:
  // `storage` keeps alive `host` and what the table's targets point at.
  HostRoutes(std::string_view host, RouteTable table, std::shared_ptr<const void> storage,
             const HostOptions& options = {})
      : host_(host), table_(std::move(table)), storage_(std::move(storage)) {
    if (options != HostOptions()) options_ = std::make_unique<const HostOptions>(options);
  }

  // "example.com", "*.example.com" or "_".
  std::string_view host() const { return host_; }
  const RouteTable& table() const { return table_; }
  // Null: everything as by default, as for most.
  const HostOptions* options() const { return options_.get(); }
  const config::CompiledRoute* Match(const http::RequestHead& request,
                                     std::string_view normal_path) const {
    return table_.Match(request, normal_path);
  }

 private:
  std::string_view host_;
  RouteTable table_;
  std::unique_ptr<const HostOptions> options_;
  std::shared_ptr<const void> storage_;
};

// Every virtual host of a configuration, found by a request's host: see base::HostMap. A request
// uses the first host pattern that fits; it does not go on to a wildcard or to "_" when no route of
// that host fits.
class HostTable : public base::HostMap<HostRoutes> {
 public:
  HostTable() = default;
  explicit HostTable(base::HostMap<HostRoutes> map) : base::HostMap<HostRoutes>(std::move(map)) {}
};

}  // namespace headgate::route
