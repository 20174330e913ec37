// h2spec, the conformance tests of HTTP/2 (built by scripts/h2spec), against real workers on
// loopback.

#include <errno.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "tests/support/certificates.h"
#include "tests/support/dataplane/peer.h"
#include "tests/support/dataplane/test_proxy.h"

namespace headgate::test {
namespace {

std::string CertificateText(std::string_view name, const headgate::testing::PemPair& pair) {
  return "name: \"" + std::string(name) + "\" certificate { chain_pem: \"" +
         absl::CEscape(pair.chain) + "\" key_pem: \"" + absl::CEscape(pair.key) + "\" }";
}

class H2specTest : public ::testing::Test {
 protected:
  H2specTest() {
    // An answer that comes before the request is complete would hide what h2spec looks for: the
    // proxy holds requests, and a second one behind it answers them.
    backend.Apply({R"(name: "vhost/_" virtual_host { host: "_" routes {
        match { prefix_path: "/" }
        fixed_response { status: 200 content_type: "text/plain" body: "the answer to every request" }
      } })"});
    proxy.Apply({
        R"(name: "settings" settings {
             http2 { on_plain_connections: true max_concurrent_streams: 100 }
             buffering { request: true } access_log { disabled: true }
           })",
        CertificateText("cert/default", headgate::testing::MakeCertificate({"localhost"})),
    });
    proxy.Route("_", {*base::Address::ParseIp("127.0.0.1", backend.http_port())});
  }

  // The exit status of h2spec with these arguments.
  static int Run(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(),
                     {"scripts/h2spec", "--host", "127.0.0.1", "--timeout", "6"});
    std::vector<char*> pointers;
    for (std::string& argument : arguments) pointers.push_back(argument.data());
    pointers.push_back(nullptr);
    pid_t child = 0;
    if (posix_spawn(&child, pointers[0], nullptr, nullptr, pointers.data(), environ) != 0)
      return -1;
    int status = -1;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return status;
  }

  TestProxy backend;
  TestProxy proxy;
};

// All but section 3.5/2: what does not begin with the preface is HTTP/1.1 here, and is answered so.
TEST_F(H2specTest, PassesOnPlainConnections) {
  EXPECT_EQ(Run({"--port", std::to_string(proxy.http_port()), "generic", "http2/3.5/1", "http2/4",
                 "http2/5", "http2/6", "http2/7", "http2/8", "hpack"}),
            0);
}

TEST_F(H2specTest, PassesOverTls) {
  EXPECT_EQ(Run({"--tls", "--insecure", "--port", std::to_string(proxy.https_port())}), 0);
}

}  // namespace
}  // namespace headgate::test
