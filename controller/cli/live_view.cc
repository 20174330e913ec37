#include "controller/cli/live_view.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_join.h"
#include "common/strings.h"
#include "controller/cli/lenient_json.h"

namespace headgate::cli {
namespace {

using kube::Json;

constexpr const char* kDefaultCertificate = "(default)";

std::string AfterPrefix(const std::string& name, std::string_view prefix) {
  return name.starts_with(prefix) ? name.substr(prefix.size()) : name;
}

// "shop" of "shop/web".
bool IsIn(std::string_view ns, std::string_view name) {
  return ns.empty() || (name.starts_with(ns) && name.substr(ns.size()).starts_with('/'));
}

// What probes say of endpoints, by upstream and address.
std::map<std::string, const Json*> UnhealthyByUpstream(const Json& page) {
  std::map<std::string, const Json*> out;
  for (const Json& upstream : Member(page, "health_checks")) {
    out[Text(upstream, "upstream")] = &Member(upstream, "unhealthy");
  }
  return out;
}

std::string StateOf(const Json& endpoint) {
  std::string state = endpoint.contains("draining") ? "draining" : "ready";
  return endpoint.contains("backup") ? state + ", backup" : state;
}

std::string TargetOf(const Json& route) {
  std::vector<std::string> parts;
  for (const Json& target : Member(route, "forward")) {
    std::string part = AfterPrefix(Text(target, "cluster"), "cluster/");
    if (target.contains("weight"))
      StrAppend(&part, " (weight ", Member(target, "weight").dump(), ")");
    parts.push_back(std::move(part));
  }
  if (!parts.empty()) return absl::StrJoin(parts, ", ");
  if (const Json& redirect = Member(route, "redirect"); redirect.is_object()) {
    return StrCat("redirect ", Member(redirect, "status").dump(), " to ",
                  Text(redirect, "location"));
  }
  if (const Json& reply = Member(route, "reply"); reply.is_object()) {
    return StrCat("reply ", Member(reply, "status").dump());
  }
  if (route.contains("files")) return StrCat("files of ", Text(route, "files"));
  return route.contains("static_root") ? StrCat("files below ", Text(route, "directory")) : "-";
}

std::string ShownHost(const std::string& host) { return host == "_" ? "*" : host; }

// The certificates that a handshake for `host` ends with, and whose they are: its own, those of a
// wildcard over it, those of every host.
std::pair<std::string, const Json*> CertificatesFor(const Json& certificates,
                                                    const std::string& host) {
  const size_t dot = host.find('.');
  std::vector<std::string> owners = {host};
  if (dot != std::string::npos && !host.starts_with("*."))
    owners.push_back(StrCat("*", host.substr(dot)));
  owners.push_back("_");
  for (const std::string& owner : owners) {
    const Json& list = Member(certificates, owner);
    if (list.is_array() && std::any_of(list.begin(), list.end(),
                                       [](const Json& c) { return !c.contains("missing"); })) {
      return {owner, &list};
    }
  }
  return {kDefaultCertificate, &Member(certificates, kDefaultCertificate)};
}

std::string AgeOf(const std::string& not_after, absl::Time now) {
  absl::Time end;
  if (!absl::ParseTime(absl::RFC3339_full, not_after, &end, nullptr)) return "";
  if (end <= now) return "expired";
  return StrCat((end - now) / absl::Hours(24), " days left");
}

Json CertificateRow(const std::string& host, const Json& certificate, const std::string& owner,
                    absl::Time now) {
  Json row = {{"host", ShownHost(host)}};
  for (const char* name : {"secret", "names", "not_after"}) {
    if (certificate.contains(name)) row[name] = certificate[name];
  }
  std::string state = certificate.contains("missing") ? "missing or unusable"
                                                      : AgeOf(Text(certificate, "not_after"), now);
  if (owner == kDefaultCertificate) StrAppend(&state, "; the default");
  if (owner != host && owner != kDefaultCertificate)
    StrAppend(&state, "; that of ", ShownHost(owner));
  row["state"] = std::move(state);
  return row;
}

std::string CellOf(const Json& row, const std::string& key) {
  const Json& value = Member(row, key);
  if (value.is_null()) return "-";
  if (value.is_string()) return value.get<std::string>().empty() ? "-" : value.get<std::string>();
  if (!value.is_array()) return value.dump();
  std::vector<std::string> parts;
  for (const Json& part : value)
    parts.push_back(part.is_string() ? part.get<std::string>() : part.dump());
  return parts.empty() ? "-" : absl::StrJoin(parts, ",");
}

}  // namespace

Table BackendTable(const Json& page, std::string_view ns) {
  Table table{.columns = {{"BACKEND", "backend"},
                          {"PROTOCOL", "protocol"},
                          {"ENDPOINT", "endpoint"},
                          {"STATE", "state"},
                          {"HEALTH", "health"}},
              .rows = {}};
  const std::map<std::string, const Json*> unhealthy = UnhealthyByUpstream(page);
  for (const auto& [name, cluster] : Member(page, "clusters").items()) {
    const std::string backend = AfterPrefix(name, "cluster/");
    if (!IsIn(ns, backend)) continue;
    const Json common = {{"backend", backend}, {"protocol", Text(cluster, "protocol")}};
    const auto probes = unhealthy.find(Text(cluster, "upstream"));
    const Json& endpoints = Member(cluster, "endpoints");
    for (const Json& endpoint : endpoints) {
      Json row = common;
      row["endpoint"] = Text(endpoint, "address");
      row["state"] = StateOf(endpoint);
      if (probes != unhealthy.end()) {
        const std::string detail = Text(*probes->second, Text(endpoint, "address"));
        row["health"] = detail.empty() ? "healthy" : StrCat("unhealthy: ", detail);
      }
      table.rows.push_back(std::move(row));
    }
    if (endpoints.empty()) {
      table.rows.push_back(common);
      table.rows.back()["state"] = "no endpoint: requests get 503";
    }
  }
  return table;
}

Table RouteTable(const Json& page, std::string_view ns, std::string_view host) {
  Table table{.columns = {{"HOST", "host"},
                          {"PATH", "path"},
                          {"MATCH", "match"},
                          {"TO", "to"},
                          {"INGRESS", "ingress"},
                          {"RULE", "rule"}},
              .rows = {}};
  for (const auto& [name, routes] : Member(page, "hosts").items()) {
    const std::string shown = ShownHost(name);
    if (!host.empty() && host != shown) continue;
    for (const Json& route : routes) {
      if (!IsIn(ns, Text(route, "ingress"))) continue;
      Json row = {{"host", shown}, {"to", TargetOf(route)}};
      for (const char* member : {"path", "match", "ingress", "rule", "https_redirect"}) {
        if (route.contains(member)) row[member] = route[member];
      }
      if (row["ingress"] == "/") row.erase("ingress");  // of no Ingress
      table.rows.push_back(std::move(row));
    }
  }
  return table;
}

Table CertificateTable(const Json& page, std::string_view host, absl::Time now) {
  Table table{.columns = {{"HOST", "host"},
                          {"SECRET", "secret"},
                          {"NAMES", "names"},
                          {"NOT AFTER", "not_after"},
                          {"STATE", "state"}},
              .rows = {}};
  const Json& certificates = Member(page, "certificates");
  for (const auto& [name, routes] : Member(page, "hosts").items()) {
    if (!host.empty() && host != ShownHost(name)) continue;
    const auto [owner, shown] = CertificatesFor(certificates, name);
    for (const Json& certificate : *shown)
      table.rows.push_back(CertificateRow(name, certificate, owner, now));
    if (owner == name) continue;
    // What it should have had.
    for (const Json& missing : Member(certificates, name))
      table.rows.push_back(CertificateRow(name, missing, name, now));
  }
  if (!host.empty()) return table;
  for (const Json& certificate : Member(certificates, kDefaultCertificate)) {
    table.rows.push_back(CertificateRow("any other", certificate, kDefaultCertificate, now));
  }
  return table;
}

std::string RenderTable(const Table& table) {
  std::vector<std::vector<std::string>> lines(1);
  for (const Column& column : table.columns) lines.front().push_back(column.title);
  for (const Json& row : table.rows) {
    std::vector<std::string>& line = lines.emplace_back();
    for (const Column& column : table.columns) line.push_back(CellOf(row, column.key));
  }
  std::vector<size_t> widths(table.columns.size());
  for (const auto& line : lines) {
    for (size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], line[i].size());
  }
  std::string out;
  for (const auto& line : lines) {
    for (size_t i = 0; i < line.size(); ++i) {
      const bool last = i + 1 == line.size();
      StrAppend(&out, line[i], last ? "\n" : std::string(widths[i] - line[i].size() + 2, ' '));
    }
  }
  return out;
}

std::string RenderJson(const Table& table) {
  return StrCat(Json(table.rows).dump(2, ' ', false, Json::error_handler_t::replace), "\n");
}

}  // namespace headgate::cli
