#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "controller/cli/check_command.h"
#include "controller/kube/json.h"

namespace headgate::cli {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

std::string Ingress(const std::string& name, const std::string& more_metadata = "",
                    const std::string& host = "shop.example", const std::string& service = "shop") {
  return "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  name: " + name +
         "\n  namespace: shop\n" + more_metadata +
         "spec:\n  ingressClassName: nginx\n  rules:\n  - host: " + host +
         "\n    http:\n      paths:\n      - path: /" + name +
         "\n        pathType: Prefix\n        backend:\n          service:\n            name: " +
         service + "\n            port:\n              number: 80\n";
}

std::string Annotated(const std::string& name, const std::string& value) {
  return "  annotations:\n    nginx.ingress.kubernetes.io/" + name + ": \"" + value + "\"\n";
}

constexpr const char* kService =
    "apiVersion: v1\nkind: Service\nmetadata:\n  name: shop\n  namespace: shop\nspec:\n  ports:\n  "
    "- port: 80\n";

class CheckTest : public ::testing::Test {
 protected:
  CheckTest() : folder_(fs::path(::testing::TempDir()) / ("check." + std::to_string(getpid()))) {
    fs::create_directories(folder_);
  }
  ~CheckTest() override { fs::remove_all(folder_); }

  std::string File(const std::string& name, const std::string& content) {
    const fs::path path = folder_ / name;
    fs::create_directories(path.parent_path());
    std::ofstream(path) << content;
    return path.string();
  }

  // The exit code; `out` and `err` have what was printed.
  int Check(const std::vector<std::string>& arguments) {
    std::vector<const char*> texts;
    for (const std::string& argument : arguments) texts.push_back(argument.c_str());
    ::testing::internal::CaptureStdout();
    ::testing::internal::CaptureStderr();
    const int code = RunCheck("headgate check", texts);
    out = ::testing::internal::GetCapturedStdout();
    err = ::testing::internal::GetCapturedStderr();
    return code;
  }

  std::string folder() const { return folder_.string(); }

  std::string out;
  std::string err;

 private:
  const fs::path folder_;
};

TEST_F(CheckTest, AnIngressThatWorksIsCalledSo) {
  const std::string file =
      File("a.yaml", Ingress("a", Annotated("proxy-body-size", "8m")) + "---\n" + kService);
  EXPECT_EQ(Check({file}), 0);
  EXPECT_THAT(out, HasSubstr("shop/a   nginx  shop.example  works\n"));
  EXPECT_THAT(out, HasSubstr("1 Ingress: 1 works as it does now.\n"));
  EXPECT_EQ(err, "");
}

TEST_F(CheckTest, EndpointsOfThisMachineAreRightInFiles) {
  const std::string file = File(
      "a.yaml", Ingress("a") + "---\n" + kService +
                    "---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\naddressType: IPv4\n"
                    "metadata:\n  name: shop-1\n  namespace: shop\n  labels:\n"
                    "    kubernetes.io/service-name: shop\nports:\n- port: 80\n"
                    "endpoints:\n- addresses: [127.0.0.1]\n");
  EXPECT_EQ(Check({file}), 0);
  EXPECT_THAT(out, HasSubstr("works\n"));
  EXPECT_THAT(out, Not(HasSubstr("loopback")));
}

TEST_F(CheckTest, WhatIsNotKnownDiffersAndNamesTheAnnotation) {
  const std::string file =
      File("a.yaml", Ingress("a", Annotated("no-such-thing", "1")) + "---\n" + kService);
  EXPECT_EQ(Check({file}), 1);
  EXPECT_THAT(out, HasSubstr("differs  nginx.ingress.kubernetes.io/no-such-thing: "));
  EXPECT_THAT(out, HasSubstr("1 is served, with differences"));
  EXPECT_EQ(Check({file, "--fail-on=refused"}), 0);
}

TEST_F(CheckTest, WhatIsNotServedIsRefused) {
  const std::string file = File(
      "a.yaml", Ingress("a", Annotated("permanent-redirect", "no url {}")) + "---\n" + kService);
  EXPECT_EQ(Check({file, "--fail-on=refused"}), 1);
  EXPECT_THAT(out, HasSubstr("refused  nginx.ingress.kubernetes.io/permanent-redirect: "));
  EXPECT_EQ(Check({file, "--fail-on=never"}), 0);
}

TEST_F(CheckTest, MissingAndConflictingObjectsAreProblemsOfToday) {
  const std::string file =
      File("a.yaml", Ingress("a", "", "shop.example", "gone") + "---\n" + kService);
  EXPECT_EQ(Check({file}), 0);
  EXPECT_THAT(out, HasSubstr("problem  spec.rules[0].http.paths[0].backend.service.name: "));
  EXPECT_EQ(Check({file, "--fail-on=problem"}), 1);

  File("b/first.yaml", Ingress("a") + "---\n" + kService);
  std::string second = Ingress("a");
  second.replace(second.find("namespace: shop"), 15, "namespace: blog");
  File("b/second.yaml", second);
  EXPECT_EQ(Check({folder() + "/b"}), 0);
  EXPECT_THAT(out, HasSubstr("1 has a problem that it has today as well"));
}

TEST_F(CheckTest, ReferencesToKindsThatWereNotGivenAreNotJudged) {
  const std::string file = File("a.yaml", Ingress("a"));
  EXPECT_EQ(Check({file, "--fail-on=problem"}), 0);
  EXPECT_THAT(out, HasSubstr("Note: no Service was given"));

  const std::string fields = File("b.yaml", Ingress("b", Annotated("custom-headers", "fields")));
  EXPECT_EQ(Check({fields, "--fail-on=problem"}), 0);
  EXPECT_THAT(out, HasSubstr("Note: no ConfigMap was given"));
}

TEST_F(CheckTest, AConfigMapThatIsNotAmongThoseGivenIsMissing) {
  const std::string other =
      "---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: other\n  namespace: shop\n";
  const std::string file = File(
      "a.yaml", Ingress("a", Annotated("custom-headers", "fields")) + "---\n" + kService + other);
  EXPECT_EQ(Check({file, "--fail-on=problem"}), 1);
  EXPECT_THAT(out, HasSubstr("problem  nginx.ingress.kubernetes.io/custom-headers: ConfigMap "
                             "shop/fields does not exist"));
}

TEST_F(CheckTest, AListAsKubectlPrintsItIsRead) {
  const std::string file = File("all.json",
                                R"({"apiVersion": "v1", "kind": "List", "items": [
          {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "a", "namespace": "n"},
           "spec": {"defaultBackend": {"service": {"name": "s", "port": {"number": 80}}}}}]})");
  EXPECT_EQ(Check({file}), 0);
  EXPECT_THAT(out, HasSubstr("n/a      -      *      works"));
}

TEST_F(CheckTest, ClassAndNamespaceChoose) {
  std::string other = Ingress("b");
  other.replace(other.find("ingressClassName: nginx"), 23, "ingressClassName: other");
  const std::string file = File("a.yaml", Ingress("a") + "---\n" + other);
  EXPECT_EQ(Check({file}), 0);
  EXPECT_THAT(out, HasSubstr("shop/b"));
  EXPECT_THAT(out, HasSubstr("Ingresses of 2 classes"));
  EXPECT_EQ(Check({file, "--ingress-class=nginx"}), 0);
  EXPECT_THAT(out, Not(HasSubstr("shop/b")));
  EXPECT_EQ(Check({file, "--namespace=blog"}), 0);
  EXPECT_THAT(out, HasSubstr("There is no Ingress"));
}

TEST_F(CheckTest, WhatCannotBeReadIsNamedAndFails) {
  const std::string file = File("a.yaml", Ingress("a") + "---\nkind: [\n");
  EXPECT_EQ(Check({file}), 1);
  EXPECT_THAT(out, HasSubstr("Could not be read"));
  EXPECT_THAT(out, HasSubstr("a.yaml: document 2: "));
  EXPECT_THAT(out, HasSubstr("shop/a"));
}

TEST_F(CheckTest, JsonIsForPrograms) {
  const std::string file =
      File("a.yaml", Ingress("a", Annotated("no-such-thing", "1")) + "---\n" + kService);
  EXPECT_EQ(Check({file, "--output=json"}), 1);
  const auto json = kube::ParseJson(out);
  ASSERT_TRUE(json.ok()) << json.status();
  EXPECT_EQ((*json)["worst"], "differs");
  EXPECT_EQ((*json)["counts"]["differs"], 1);
  EXPECT_EQ((*json)["ingresses"][0]["hosts"][0], "shop.example");
  EXPECT_EQ((*json)["ingresses"][0]["findings"][0]["reason"], "UnknownAnnotation");
}

TEST_F(CheckTest, MarkupOfObjectsIsText) {
  const std::string file = File(
      "a.yaml", Ingress("a", Annotated("permanent-redirect", "<script>|x")) + "---\n" + kService);
  EXPECT_EQ(Check({file, "--output=html"}), 1);
  EXPECT_THAT(out, HasSubstr("permanent-redirect"));
  EXPECT_THAT(out, Not(HasSubstr("<script>")));
  EXPECT_EQ(Check({file, "--output=markdown"}), 1);
  EXPECT_THAT(out, HasSubstr("| shop/a | nginx | shop.example | refused |"));
  EXPECT_THAT(out, Not(HasSubstr("<script>")));
}

TEST_F(CheckTest, ColoursOnlyWhereTheyAreWanted) {
  const std::string file = File("a.yaml", Ingress("a") + "---\n" + kService);
  EXPECT_EQ(Check({file}), 0);
  EXPECT_THAT(out, Not(HasSubstr("\x1b[")));
  EXPECT_EQ(Check({file, "--color=always"}), 0);
  EXPECT_THAT(out, HasSubstr("\x1b[32mworks\x1b[0m"));
}

TEST_F(CheckTest, UsageErrorsAreOneLine) {
  EXPECT_EQ(Check({}), 2);
  EXPECT_EQ(err, "headgate check: give a PATH, - or --kubeconfig (see --help)\n");
  EXPECT_EQ(Check({"/no/such/file.yaml"}), 2);
  EXPECT_THAT(err, HasSubstr("/no/such/file.yaml"));
  EXPECT_EQ(Check({folder()}), 2);
  EXPECT_THAT(err, HasSubstr("holds no .yaml"));
  EXPECT_EQ(Check({"a.yaml", "--configmap=none"}), 2);
  EXPECT_THAT(err, HasSubstr("must be NS/NAME"));
  EXPECT_EQ(Check({"--kubeconfig=/no/such", "a.yaml"}), 2);
}

}  // namespace
}  // namespace headgate::cli
