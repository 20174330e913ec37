#include "controller/cli/data_plane.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstdint>
#include <utility>

#include "absl/strings/numbers.h"
#include "common/strings.h"
#include "controller/cli/lenient_json.h"
#include "controller/kube/json.h"
#include "controller/translate/emit.h"
#include "controller/translate/names.h"

namespace headgate::cli {
namespace {

using kube::Json;

void SetDuration(const Json& route, const char* name,
                 google::protobuf::Duration* (v1::RoutePolicy::*field)(), v1::RoutePolicy& policy) {
  const auto milliseconds = Number(route, name);
  if (!milliseconds) return;
  google::protobuf::Duration& duration = *(policy.*field)();
  duration.set_seconds(*milliseconds / 1000);
  duration.set_nanos(static_cast<int32_t>(*milliseconds % 1000 * 1'000'000));
}

void ReadRoute(const Json& from, v1::Route& route) {
  const std::string path = Text(from, "path"), kind = Text(from, "match");
  if (kind == "exact") {
    route.mutable_match()->set_exact_path(path);
  } else if (kind == "regex") {
    route.mutable_match()->set_regex_path(path);
  } else {
    route.mutable_match()->set_prefix_path(path);
  }
  const std::string ingress = Text(from, "ingress");
  const size_t slash = std::min(ingress.find('/'), ingress.size());
  route.mutable_origin()->set_namespace_(ingress.substr(0, slash));
  route.mutable_origin()->set_ingress(slash == ingress.size() ? "" : ingress.substr(slash + 1));
  route.mutable_origin()->set_path(path);
  for (const Json& target : Member(from, "forward")) {
    v1::WeightedCluster& cluster = *route.mutable_forward()->add_clusters();
    cluster.set_cluster(Text(target, "cluster"));
    cluster.set_weight(static_cast<uint32_t>(Number(target, "weight").value_or(0)));
  }
  if (const Json& redirect = Member(from, "redirect"); redirect.is_object()) {
    route.mutable_redirect()->set_status(
        static_cast<uint32_t>(Number(redirect, "status").value_or(0)));
    route.mutable_redirect()->set_location(Text(redirect, "location"));
  }
  if (const Json& reply = Member(from, "reply"); reply.is_object()) {
    route.mutable_fixed_response()->set_status(
        static_cast<uint32_t>(Number(reply, "status").value_or(0)));
  }
  if (from.contains("files") || from.contains("static_root"))
    route.mutable_static_files()->set_files(Text(from, "files"));
  v1::RoutePolicy& policy = *route.mutable_policy();
  if (const auto status = Number(from, "https_redirect")) {
    policy.mutable_https_redirect()->set_mode(v1::HttpsRedirect::ALWAYS);
    policy.mutable_https_redirect()->set_status(static_cast<uint32_t>(*status));
  }
  SetDuration(from, "connect_timeout_ms", &v1::RoutePolicy::mutable_connect_timeout, policy);
  SetDuration(from, "send_timeout_ms", &v1::RoutePolicy::mutable_send_timeout, policy);
  SetDuration(from, "read_timeout_ms", &v1::RoutePolicy::mutable_read_timeout, policy);
  if (const auto bytes = Number(from, "max_request_body_bytes"))
    policy.set_max_request_body_bytes(static_cast<uint64_t>(*bytes));
}

// "192.0.2.1:8080", "[2001:db8::1]:8080".
void ReadAddress(const std::string& text, v1::Endpoint& endpoint) {
  const size_t colon = std::min(text.rfind(':'), text.size());
  std::string host = text.substr(0, colon);
  const bool ipv6 = host.size() > 2 && host.front() == '[';
  if (ipv6) host = host.substr(1, host.size() - 2);
  char bytes[sizeof(in6_addr)];
  if (inet_pton(ipv6 ? AF_INET6 : AF_INET, host.c_str(), bytes) == 1)
    endpoint.set_address(bytes, ipv6 ? 16 : 4);
  uint32_t port = 0;
  if (colon < text.size() && absl::SimpleAtoi(text.substr(colon + 1), &port))
    endpoint.set_port(port);
}

void ReadCluster(const std::string& name, const Json& from, translate::Translation& out) {
  const std::string endpoints_name = StrCat("endpoints of ", name);
  v1::Resource cluster;
  v1::Cluster::Protocol protocol = v1::Cluster::HTTP1;
  const std::string protocol_name = Text(from, "protocol");
  if (protocol_name == "h2c") protocol = v1::Cluster::H2C;
  if (protocol_name == "https") protocol = v1::Cluster::HTTPS;
  if (protocol_name == "h2") protocol = v1::Cluster::H2;
  cluster.mutable_cluster()->set_protocol(protocol);
  cluster.mutable_cluster()->set_endpoints(endpoints_name);
  v1::Resource endpoints;
  endpoints.mutable_endpoints();
  for (const Json& entry : Member(from, "endpoints")) {
    v1::Endpoint& endpoint = *endpoints.mutable_endpoints()->add_endpoints();
    ReadAddress(Text(entry, "address"), endpoint);
    if (entry.contains("draining")) endpoint.set_state(v1::Endpoint::DRAINING);
  }
  out.resources.push_back(translate::Finish(name, std::move(cluster)));
  out.resources.push_back(translate::Finish(endpoints_name, std::move(endpoints)));
}

}  // namespace

absl::StatusOr<DataPlaneView> ReadConfigPage(std::string_view page) {
  const Json json = Json::parse(page, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return absl::InvalidArgumentError("the page /config is not JSON");
  DataPlaneView view;
  for (const auto& [host, routes] : Member(json, "hosts").items()) {
    v1::Resource resource;
    resource.mutable_virtual_host()->set_host(host);
    for (const Json& route : routes)
      ReadRoute(route, *resource.mutable_virtual_host()->add_routes());
    view.translation.resources.push_back(
        translate::Finish(translate::VirtualHostName(host), std::move(resource)));
  }
  for (const auto& [name, cluster] : Member(json, "clusters").items())
    ReadCluster(name, cluster, view.translation);
  std::sort(view.translation.resources.begin(), view.translation.resources.end(),
            [](const auto& a, const auto& b) { return a->name() < b->name(); });
  for (const Json& upstream : Member(json, "health_checks")) {
    for (const auto& [address, detail] : Member(upstream, "unhealthy").items()) {
      view.unhealthy[address] = detail.is_string() ? detail.get<std::string>() : "unhealthy";
    }
  }
  return view;
}

}  // namespace headgate::cli
