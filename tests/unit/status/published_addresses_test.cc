#include "controller/status/published_addresses.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace headgate::status {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

kube::Service Published(kube::ServiceType type) {
  kube::Service service;
  service.type = type;
  service.cluster_ip = "10.96.0.7";
  service.external_ips = {"203.0.113.9", "198.51.100.1"};
  service.load_balancer = {"lb.example.com", "203.0.113.9"};
  service.external_name = "edge.example.com";
  return service;
}

TEST(PublishedAddressesTest, GivenOnesAreSortedAndComeOnce) {
  EXPECT_THAT(GivenAddresses({"b.example.com", "", "192.0.2.1", "b.example.com"}),
              ElementsAre("192.0.2.1", "b.example.com"));
}

TEST(PublishedAddressesTest, ALoadBalancerHasItsOwnAndExternalOnes) {
  EXPECT_THAT(AddressesOf(Published(kube::ServiceType::kLoadBalancer)),
              ElementsAre("198.51.100.1", "203.0.113.9", "lb.example.com"));
}

TEST(PublishedAddressesTest, ANodePortHasExternalOnesElseTheClustersAddress) {
  kube::Service service = Published(kube::ServiceType::kNodePort);
  EXPECT_THAT(AddressesOf(service), ElementsAre("198.51.100.1", "203.0.113.9"));
  service.external_ips.clear();
  EXPECT_THAT(AddressesOf(service), ElementsAre("10.96.0.7"));
}

TEST(PublishedAddressesTest, AClusterIpIsAnAddressUnlessTheServiceIsHeadless) {
  kube::Service service = Published(kube::ServiceType::kClusterIp);
  EXPECT_THAT(AddressesOf(service), ElementsAre("10.96.0.7"));
  service.cluster_ip = "None";
  EXPECT_THAT(AddressesOf(service), IsEmpty());
}

TEST(PublishedAddressesTest, AnExternalNameIsTheAddress) {
  EXPECT_THAT(AddressesOf(Published(kube::ServiceType::kExternalName)),
              ElementsAre("edge.example.com"));
}

}  // namespace
}  // namespace headgate::status
