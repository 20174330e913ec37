#include "controller/app/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/strings.h"
#include "controller/app/nginx_flags.h"

namespace headgate::app {
namespace {

using testing::HasSubstr;

// The problem with a command line, or empty.
std::string Problem(const std::vector<std::string>& arguments, Options* parsed = nullptr) {
  Options options;
  FlagSet flags("headgate-controller", "Test.");
  DeclareFlags(options, flags);
  if (auto outcome = flags.Parse(arguments); !outcome.ok()) {
    return std::string(outcome.status().message());
  }
  const absl::Status checked = CheckOptions(options);
  if (parsed != nullptr) *parsed = options;
  return std::string(checked.message());
}

TEST(OptionsTest, TakesTheFlagsThatOperatorsKnow) {
  Options options;
  EXPECT_EQ(Problem({"--manifests=/etc/manifests", "--snapshot-listen=127.0.0.1:9000",
                     "--snapshot-insecure", "--ingress-class=edge",
                     "--controller-class=example.com/edge", "--watch-ingress-without-class",
                     "--watch-namespace=shop", "--admin-listen=0.0.0.0:10254"},
                    &options),
            "");
  EXPECT_EQ(options.manifests, "/etc/manifests");
  EXPECT_EQ(options.snapshot_listen->port, 9000);
  EXPECT_EQ(options.relevance.ingress_class, "edge");
  EXPECT_EQ(options.relevance.controller_class, "example.com/edge");
  EXPECT_TRUE(options.relevance.watch_without_class);
  EXPECT_EQ(options.relevance.watch_namespace, "shop");
  EXPECT_EQ(options.admin_listen->host, "0.0.0.0");
}

TEST(OptionsTest, WithoutTlsTheAddressMustBeLoopback) {
  EXPECT_EQ(Problem({"--snapshot-insecure", "--snapshot-listen=[::1]:7443"}), "");
  EXPECT_THAT(Problem({"--snapshot-insecure", "--snapshot-listen=:7443"}), HasSubstr("loopback"));
  EXPECT_THAT(Problem({"--snapshot-insecure", "--snapshot-listen=10.0.0.1:7443"}),
              HasSubstr("10.0.0.1"));
}

TEST(OptionsTest, TlsNeedsAllItsFiles) {
  EXPECT_EQ(Problem({"--snapshot-tls-cert=a", "--snapshot-tls-key=b", "--snapshot-client-ca=c"}),
            "");
  EXPECT_THAT(Problem({"--snapshot-tls-cert=a", "--snapshot-tls-key=b"}),
              HasSubstr("--snapshot-client-ca"));
  EXPECT_THAT(Problem({}), HasSubstr("--snapshot-tls-cert"));
  EXPECT_THAT(Problem({"--snapshot-insecure", "--snapshot-tls-key=b"}), HasSubstr("exclude"));
}

TEST(OptionsTest, TimesOfWhatIsWritten) {
  Options options;
  EXPECT_EQ(Problem({"--snapshot-insecure", "--election-ttl=30s", "--status-update-interval=90"},
                    &options),
            "");
  EXPECT_EQ(options.election_ttl, absl::Seconds(30));
  EXPECT_EQ(options.status_update_interval, absl::Seconds(90));
  EXPECT_EQ(Problem({"--snapshot-insecure", "--status-update-interval=2m"}, &options), "");
  EXPECT_EQ(options.status_update_interval, absl::Minutes(2));
  EXPECT_THAT(Problem({"--snapshot-insecure", "--status-update-interval=1"}), HasSubstr("5s"));
  EXPECT_THAT(Problem({"--snapshot-insecure", "--status-update-interval=x"}), HasSubstr("1m30s"));
  EXPECT_THAT(Problem({"--snapshot-insecure", "--election-ttl=1500ms"}),
              HasSubstr("whole seconds"));
  EXPECT_THAT(Problem({"--snapshot-insecure", "--publish-service=web"}), HasSubstr("web"));
}

TEST(OptionsTest, NodesAreFoundByLabels) {
  EXPECT_EQ(Problem({"--snapshot-insecure", "--publish-nodes-of=app=web,tier=edge",
                     "--report-node-internal-ip-address"}),
            "");
  EXPECT_THAT(Problem({"--snapshot-insecure", "--publish-nodes-of=app"}),
              HasSubstr("\"app\" is not LABEL=VALUE"));
}

TEST(OptionsTest, AWebhookNeedsACertificate) {
  EXPECT_THAT(Problem({"--snapshot-insecure", "--validating-webhook=:8443"}),
              HasSubstr("--validating-webhook-certificate"));
  EXPECT_EQ(Problem({"--snapshot-insecure", "--validating-webhook=:8443",
                     "--validating-webhook-certificate=a", "--validating-webhook-key=b"}),
            "");
}

TEST(OptionsTest, AWebhookWithACertificateOfItsOwnNeedsToKnowWhereAndForWhom) {
  const auto problem = [](std::vector<std::string> more) {
    more.insert(more.end(),
                {"--snapshot-insecure", "--validating-webhook-secret=headgate/admission"});
    return Problem(more);
  };
  const std::string webhook = "--validating-webhook=:8443",
                    configuration = "--validating-webhook-configuration=headgate",
                    names = "--validating-webhook-names=admission.headgate.svc,192.0.2.1,::1";
  EXPECT_EQ(problem({webhook, configuration, names}), "");
  EXPECT_THAT(problem({configuration, names}), HasSubstr("needs --validating-webhook"));
  EXPECT_THAT(problem({webhook, configuration}), HasSubstr("--validating-webhook-names"));
  EXPECT_THAT(problem({webhook, names}), HasSubstr("--validating-webhook-configuration"));
  EXPECT_THAT(problem({webhook, configuration, "--validating-webhook-names=a b"}),
              HasSubstr("\"a b\" is no DNS name"));
  EXPECT_THAT(problem({webhook, configuration, names, "--validating-webhook-certificate=a",
                       "--validating-webhook-key=b"}),
              HasSubstr("exclude each other"));
  EXPECT_THAT(problem({webhook, configuration, names, "--manifests=a"}), HasSubstr("--manifests"));
  EXPECT_THAT(
      problem({webhook, configuration, names, "--validating-webhook-certificate-lifetime=1s"}),
      HasSubstr("10s"));
}

TEST(OptionsTest, SecretsAreReadWhereTheFlagSaysElseWhereTheRestIs) {
  const auto scopes = [](std::vector<std::string> arguments) {
    Options options;
    arguments.push_back("--snapshot-insecure");
    EXPECT_EQ(Problem(arguments, &options), "");
    return SecretScopes(options);
  };
  using Scopes = kube::ScopeList;
  EXPECT_EQ(scopes({}), Scopes());
  EXPECT_EQ(scopes({"--watch-namespace=shop", "--default-ssl-certificate=edge/tls"}),
            (Scopes{{"edge", ""}, {"shop", ""}}));
  EXPECT_EQ(scopes({"--watch-namespace=shop", "--watch-secrets=shop/b,edge/tls,shop/a,shop/b"}),
            (Scopes{{"edge", "tls"}, {"shop", "a"}, {"shop", "b"}}));
  // A namespace has its single ones as well.
  EXPECT_EQ(scopes({"--watch-secrets=shop/a,edge/a", "--watch-secrets=shop"}),
            (Scopes{{"edge", "a"}, {"shop", ""}}));
}

TEST(OptionsTest, WhatIsNeededOfSecretsMustBeAmongThoseThatAreRead) {
  const std::string insecure = "--snapshot-insecure";
  for (const char* text : {"a/b/c", "/a", "a/", "a b", "a?"}) {
    EXPECT_THAT(Problem({insecure, StrCat("--watch-secrets=", text)}),
                HasSubstr("is not NAMESPACE or NAMESPACE/NAME"))
        << text;
  }
  EXPECT_THAT(Problem({insecure, "--watch-secrets=shop", "--default-ssl-certificate=edge/tls"}),
              HasSubstr("edge/tls is not among --watch-secrets"));
  EXPECT_EQ(
      Problem({insecure, "--watch-secrets=shop,edge/tls", "--default-ssl-certificate=edge/tls"}),
      "");
  EXPECT_THAT(Problem({insecure, "--watch-secrets=shop", "--manifests=a"}),
              HasSubstr("--manifests"));
  std::vector<std::string> many = {insecure};
  for (int i = 0; i <= 200; ++i) many.push_back(StrCat("--watch-secrets=shop/", i));
  EXPECT_THAT(Problem(many), HasSubstr("more than 200 single Secrets"));
}

TEST(OptionsTest, CertificatesThatControllersRenewNeedToKnowWhereAndForWhom) {
  const auto problem = [](std::vector<std::string> more) {
    more.insert(more.end(), {"--snapshot-tls-cert=a", "--snapshot-tls-key=b",
                             "--snapshot-client-ca=c", "--snapshot-secret=headgate/controller"});
    return Problem(more);
  };
  const std::string client = "--snapshot-client-secret=headgate/dataplane",
                    names = "--snapshot-names=controller.headgate.svc,192.0.2.1";
  EXPECT_EQ(problem({client, names}), "");
  EXPECT_THAT(problem({client}), HasSubstr("need each other"));
  EXPECT_THAT(problem({names}), HasSubstr("need each other"));
  EXPECT_THAT(problem({client, names, "--manifests=a"}), HasSubstr("--manifests"));
  EXPECT_THAT(problem({client, "--snapshot-names=a b"}), HasSubstr("\"a b\" is no DNS name"));
  EXPECT_THAT(problem({client, names, "--snapshot-certificate-lifetime=1s"}), HasSubstr("10s"));
  EXPECT_THAT(problem({"--snapshot-client-secret=x", names}), HasSubstr("\"x\""));
  EXPECT_THAT(Problem({"--snapshot-insecure", "--snapshot-secret=a/b", client, names}),
              HasSubstr("--snapshot-insecure"));
}

TEST(OptionsTest, ThereIsOneSource) {
  EXPECT_THAT(Problem({"--snapshot-insecure", "--manifests=a", "--kubeconfig=b"}),
              HasSubstr("exclude"));
  EXPECT_THAT(Problem({"--snapshot-insecure", "--kube-context=a"}), HasSubstr("--kubeconfig"));
}

TEST(OptionsTest, ObjectsAreNamedWithTheirNamespace) {
  EXPECT_EQ(ParseObjectKey("shop/web")->ToString(), "shop/web");
  for (const char* text : {"", "web", "/web", "shop/", "a/b/c"}) {
    EXPECT_FALSE(ParseObjectKey(text).ok()) << text;
  }
  EXPECT_THAT(Problem({"--snapshot-insecure", "--default-backend-service=web"}), HasSubstr("web"));
}

TEST(NginxFlagsTest, AnArgumentListOfIngressNginxStartsThisControllerToo) {
  Options options;
  FlagSet flags("headgate-controller", "Test.");
  DeclareFlags(options, flags);
  DeclareNginxFlags(flags);
  const auto outcome = flags.Parse(
      {"--publish-service=ingress-nginx/ingress-nginx-controller", "--sync-period=1m",
       "--controller-class=k8s.io/ingress-nginx", "--ingress-class=nginx",
       "--configmap=ingress-nginx/controller", "--validating-webhook=:8443",
       "--validating-webhook-certificate=/usr/local/certificates/cert",
       "--validating-webhook-key=/usr/local/certificates/key", "--enable-metrics=true", "--v=2"});
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_EQ(options.relevance.controller_class, "k8s.io/ingress-nginx");
  EXPECT_EQ(options.configmap, "ingress-nginx/controller");
  EXPECT_EQ(options.validating_webhook->port, 8443);
  EXPECT_EQ(options.publish_service, "ingress-nginx/ingress-nginx-controller");
  EXPECT_THAT(NginxFlagWarnings(flags),
              testing::UnorderedElementsAre(HasSubstr("--sync-period "),
                                            HasSubstr("--enable-metrics "), HasSubstr("--v ")));
}

}  // namespace
}  // namespace headgate::app
