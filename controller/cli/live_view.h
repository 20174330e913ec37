// What a running data plane serves, as tables. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "controller/kube/json.h"

namespace headgate::cli {

struct Column {
  std::string title;  // for people
  std::string key;    // for programs: member of each row
};

// Rows are objects; what a row does not have is shown as "-".
struct Table {
  std::vector<Column> columns;
  std::vector<kube::Json> rows;
};

// Each reads what /config says (an object) and never fails: what is not there is no row.

// A row for each endpoint; for a backend without any, one that says so. `ns`: only Services of this
// namespace; empty: all.
Table BackendTable(const kube::Json& page, std::string_view ns);
// A row for each path. `ns`: only Ingresses of this namespace; `host`: only this one ("*": every
// other host). Empty: all.
Table RouteTable(const kube::Json& page, std::string_view ns, std::string_view host);
// A row for each certificate that clients of a host are shown, its own or, where it has none, the
// one that stands in. `host`: only this one; empty: all.
Table CertificateTable(const kube::Json& page, std::string_view host, absl::Time now);

std::string RenderTable(const Table& table);
// An array of the rows.
std::string RenderJson(const Table& table);

}  // namespace headgate::cli
