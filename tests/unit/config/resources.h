#pragma once

#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "dataplane/config/config_builder.h"
#include "proto/headgate/v1/snapshot.pb.h"

namespace headgate::config {

// A resource from protobuf text: "virtual_host { host: 'a.com' }".
inline v1::Resource MakeResource(const std::string& name, const std::string& body) {
  v1::Resource resource;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(body, &resource)) << body;
  resource.set_name(name);
  resource.set_hash(1);
  return resource;
}

// A host with one route, "/" to `cluster`.
inline v1::Resource MakeHost(const std::string& host, const std::string& cluster) {
  return MakeResource("vhost/" + host,
                      "virtual_host { host: '" + host +
                          "' routes { match { prefix_path: '/' } forward { clusters { cluster: '" +
                          cluster + "' } } } }");
}

inline v1::Resource MakeEndpoints(const std::string& name, const std::vector<std::string>& ips) {
  v1::Resource resource;
  resource.set_name(name);
  resource.set_hash(1);
  resource.mutable_endpoints();
  for (const std::string& ip : ips) {
    auto* endpoint = resource.mutable_endpoints()->add_endpoints();
    endpoint->set_address(std::string(base::Address::ParseIp(ip, 0)->bytes()));
    endpoint->set_port(80);
  }
  return resource;
}

}  // namespace headgate::config
