// Options of the ConfigMap, from the object to what a running data plane does.
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "tests/feature/translated_proxy.h"

namespace headgate::feature {
namespace {

using headgate::testing::Backend;
using headgate::testing::SimpleIngress;
using test::Peer;

class OptionsTest : public ::testing::Test {
 protected:
  OptionsTest() : proxy_(WithConfigMap()) {
    proxy_.ApplyService("shop", "web", upstream_.address());
    proxy_.Apply({SimpleIngress("shop", "web", "shop.test", Backend("web", 80))});
  }
  static translate::Options WithConfigMap() {
    translate::Options options;
    options.config_map = kube::ObjectKey{"headgate", "options"};
    return options;
  }
  void Set(kube::StringMap options) {
    kube::ConfigMap config_map;
    config_map.meta = headgate::testing::Meta("headgate", "options");
    config_map.data = std::move(options);
    proxy_.Apply({config_map});
  }
  // A request on the connection that is there all the time.
  void Send(const std::string& fields, const std::string& body = "") {
    client_.Send("POST / HTTP/1.1\r\nHost: shop.test\r\n" + fields +
                 "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
  }
  Peer::Message Serve() {
    Peer server = upstream_.Accept();
    Peer::Message request = server.ReadRequest();
    server.Send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    EXPECT_EQ(client_.ReadResponse().status, 200);
    return request;
  }

  test::PeerListener upstream_;
  TranslatedProxy proxy_;
  Peer client_ = proxy_.proxy().Connect();
};

TEST_F(OptionsTest, NamesWithUnderscores) {
  const std::string fields = "X_Api_Key: k\r\nX_Forwarded_For: 1.1.1.1\r\n";
  Send(fields);
  EXPECT_EQ(Serve().Field("X_Api_Key"), "");
  Set({{"enable-underscores-in-headers", "true"}});
  Send(fields);
  const Peer::Message request = Serve();
  EXPECT_EQ(request.Field("X_Api_Key"), "k");
  EXPECT_EQ(request.Field("X_Forwarded_For"), "");
  Set({});
  Send(fields);
  EXPECT_EQ(Serve().Field("X_Api_Key"), "");
}

TEST_F(OptionsTest, TheSizeOfBodies) {
  Set({{"proxy-body-size", "3"}});
  Send("", "abc");
  EXPECT_EQ(Serve().body, "abc");
  Send("", "abcd");
  EXPECT_EQ(client_.ReadResponse().status, 413);
}

TEST_F(OptionsTest, TheTimeOfAnEndpoint) {
  Set({{"proxy-read-timeout", "1"}, {"proxy-next-upstream", "off"}});
  Send("");
  Peer server = upstream_.Accept();
  server.ReadRequest();
  EXPECT_EQ(client_.ReadResponse().status, 504);
}

}  // namespace
}  // namespace headgate::feature
