#include "controller/kube/credentials.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "common/strings.h"

namespace headgate::kube {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

class CredentialsTest : public ::testing::Test {
 protected:
  CredentialsTest() {
    std::string pattern = ::testing::TempDir() + "headgate_credentials_XXXXXX";
    folder = mkdtemp(pattern.data());
  }
  ~CredentialsTest() override { std::filesystem::remove_all(folder); }
  void Write(const std::string& name, const std::string& content) const {
    std::ofstream(folder + "/" + name, std::ios::trunc) << content;
  }
  absl::StatusOr<ApiServerConfig> Load(const std::string& kubeconfig,
                                       const std::string& context = "") {
    Write("config", kubeconfig);
    return LoadKubeconfig(folder + "/config", context);
  }
  std::string Error(const std::string& kubeconfig, const std::string& context = "") {
    return std::string(ToStd(Load(kubeconfig, context).status().message()));
  }
  absl::StatusOr<ApiServerConfig> InCluster(const std::map<std::string, std::string>& environment) {
    return InClusterConfig(
        [&](const char* name) {
          const auto it = environment.find(name);
          return it == environment.end() ? nullptr : it->second.c_str();
        },
        folder);
  }

  std::string folder;
};

// A kubeconfig with one cluster and one user.
std::string Config(const std::string& cluster, const std::string& user) {
  return StrCat("apiVersion: v1\nkind: Config\ncurrent-context: main\n",
                "contexts:\n- name: other\n  context: {cluster: none, user: none}\n",
                "- name: main\n  context: {cluster: c, user: u, namespace: shop}\n",
                "clusters:\n- name: c\n  cluster: ", cluster, "\nusers:\n- name: u\n  user: ", user,
                "\n");
}

TEST_F(CredentialsTest, KubeconfigWithDataInside) {
  const auto config =
      Load(Config("{server: 'https://api.example:6443/', certificate-authority-data: Q0E=, "
                  "tls-server-name: api}",
                  "{client-certificate-data: Q0VSVA==, client-key-data: S0VZ, token: tok}"));
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->url, "https://api.example:6443");
  EXPECT_EQ(config->tls_server_name, "api");
  EXPECT_FALSE(config->insecure_skip_tls_verify);
  EXPECT_EQ(config->default_namespace, "shop");
  const auto tls = config->LoadTls();
  ASSERT_TRUE(tls.ok()) << tls.status();
  EXPECT_EQ(tls->ca, "CA");
  EXPECT_EQ(tls->client_certificate, "CERT");
  EXPECT_EQ(tls->client_key.Reveal(), "KEY");
  EXPECT_EQ(config->LoadToken()->Reveal(), "tok");
}

TEST_F(CredentialsTest, KubeconfigWithFilesThatRotate) {
  Write("ca.crt", "CA1");
  Write("cert.pem", "CERT1");
  Write("key.pem", "KEY1");
  Write("token", "tok1\n");
  const auto config = Load(Config("{server: 'https://api', certificate-authority: ca.crt}",
                                  StrCat("{client-certificate: cert.pem, client-key: ", folder,
                                         "/key.pem, tokenFile: token}")));
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->LoadTls()->ca, "CA1");
  EXPECT_EQ(config->LoadToken()->Reveal(), "tok1");
  Write("ca.crt", "CA2");
  Write("token", "tok2");
  EXPECT_EQ(config->LoadTls()->ca, "CA2");
  EXPECT_EQ(config->LoadTls()->client_key.Reveal(), "KEY1");
  EXPECT_EQ(config->LoadToken()->Reveal(), "tok2");
  std::filesystem::remove(folder + "/token");
  EXPECT_EQ(config->LoadToken()->Reveal(), "tok2");
}

TEST_F(CredentialsTest, AContextMayBeChosen) {
  EXPECT_THAT(Error(Config("{server: 'https://a'}", "{}"), "other"),
              EndsWith("clusters: has no entry named \"none\""));
  EXPECT_THAT(Error(Config("{server: 'https://a'}", "{}"), "missing"),
              EndsWith("contexts: has no entry named \"missing\""));
  EXPECT_TRUE(Load(Config("{server: 'https://a', insecure-skip-tls-verify: true}", "{}"), "main")
                  ->insecure_skip_tls_verify);
}

TEST_F(CredentialsTest, WhatIsNotSupportedIsRefusedByName) {
  EXPECT_THAT(
      Error(Config("{server: 'https://a'}", "{exec: {command: aws}}")),
      EndsWith("users[0].user.exec: is not supported; use a token, a token file or a client "
               "certificate"));
  EXPECT_THAT(Error(Config("{server: 'https://a'}", "{auth-provider: {name: gcp}}")),
              HasSubstr("users[0].user.auth-provider: is not supported"));
  EXPECT_THAT(Error(Config("{server: 'https://a'}", "{username: a, password: hunter2}")),
              HasSubstr("users[0].user.username: is not supported"));
  EXPECT_THAT(Error(Config("{server: 'https://a', proxy-url: 'http://p'}", "{}")),
              EndsWith("clusters[0].cluster.proxy-url: is not supported"));
}

TEST_F(CredentialsTest, ErrorsNameFileAndFieldAndNoSecret) {
  EXPECT_THAT(Error(Config("{server: 'ftp://a'}", "{}")),
              EndsWith("config: clusters[0].cluster.server: must be an http:// or https:// URL"));
  EXPECT_THAT(Error(Config("{}", "{}")), EndsWith("clusters[0].cluster.server: is required"));
  EXPECT_THAT(Error(Config("{server: 'https://a', certificate-authority: none.crt}", "{}")),
              HasSubstr("clusters[0].cluster.certificate-authority: cannot "));
  const std::string error =
      Error(Config("{server: 'https://a'}", "{client-key-data: '?hunter2?'}"));
  EXPECT_THAT(error, HasSubstr("users[0].user.client-key-data: must be base64"));
  EXPECT_THAT(error, Not(HasSubstr("hunter2")));
  EXPECT_THAT(Error(Config("{server: 'https://a'}", "{client-key-data: S0VZ}")),
              EndsWith("users[0].user: client-certificate and client-key need each other"));
  EXPECT_THAT(Error("contexts: []\n"),
              EndsWith("current-context: is required (or choose a context)"));
  EXPECT_THAT(Error("a: [\n"), HasSubstr("config: line "));
  EXPECT_THAT(Error("- x\n"), EndsWith("must be an object, not array"));
  EXPECT_FALSE(LoadKubeconfig(folder + "/none", "").ok());
}

TEST_F(CredentialsTest, InsideAPod) {
  Write("token", "tok\n");
  Write("ca.crt", "CA");
  Write("namespace", "ingress\n");
  const auto config =
      InCluster({{"KUBERNETES_SERVICE_HOST", "10.96.0.1"}, {"KUBERNETES_SERVICE_PORT", "443"}});
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->url, "https://10.96.0.1:443");
  EXPECT_EQ(config->default_namespace, "ingress");
  EXPECT_EQ(config->LoadToken()->Reveal(), "tok");
  EXPECT_EQ(config->LoadTls()->ca, "CA");
  EXPECT_EQ(
      InCluster({{"KUBERNETES_SERVICE_HOST", "fd00::1"}, {"KUBERNETES_SERVICE_PORT", "443"}})->url,
      "https://kubernetes.default.svc:443");
}

TEST_F(CredentialsTest, OutsideAPod) {
  EXPECT_EQ(InCluster({}).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_FALSE(
      InCluster({{"KUBERNETES_SERVICE_HOST", "10.96.0.1"}, {"KUBERNETES_SERVICE_PORT", "443"}})
          .ok());
}

}  // namespace
}  // namespace headgate::kube
