#include "controller/admission/review.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

namespace headgate::admission {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::SizeIs;

json Question(const std::string& operation = "CREATE") {
  return {{"apiVersion", "admission.k8s.io/v1"},
          {"kind", "AdmissionReview"},
          {"request",
           {{"uid", "u-1"},
            {"operation", operation},
            {"resource",
             {{"group", "networking.k8s.io"}, {"version", "v1"}, {"resource", "ingresses"}}},
            {"object",
             {{"apiVersion", "networking.k8s.io/v1"},
              {"kind", "Ingress"},
              {"metadata", {{"namespace", "shop"}, {"name", "web"}}},
              {"spec", {{"rules", {{{"host", "shop.example.com"}}}}}}}}}}};
}

Verdict Fine(kube::Ingress) { return {}; }
Verdict Never(kube::Ingress) {
  ADD_FAILURE() << "asked without need";
  return {};
}

TEST(ReviewTest, AnswersWithTheSameUid) {
  kube::ObjectKey seen;
  const Answer answer = Review(Question().dump(), [&](kube::Ingress ingress) {
    seen = ingress.meta.key;
    return Verdict{.allowed = true, .reason = {}, .warnings = {"one", "two"}};
  });
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(seen, (kube::ObjectKey{"shop", "web"}));
  EXPECT_EQ(json::parse(answer.body),
            json::parse(R"({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
                            "response": {"uid": "u-1", "allowed": true, "warnings": ["one", "two"]}})"));
}

TEST(ReviewTest, ARefusalSaysWhy) {
  const Answer answer = Review(Question("UPDATE").dump(), [](kube::Ingress) {
    return Verdict{.allowed = false, .reason = "spec: no", .warnings = {}};
  });
  const json response = json::parse(answer.body)["response"];
  EXPECT_EQ(response["allowed"], false);
  EXPECT_EQ(response["status"]["code"], 400);
  EXPECT_EQ(response["status"]["message"], "spec: no");
}

TEST(ReviewTest, WarningsAreBounded) {
  const Answer answer = Review(Question().dump(), [](kube::Ingress) {
    return Verdict{.allowed = true,
                   .reason = {},
                   .warnings = std::vector<std::string>(1000, std::string(9999, 'x'))};
  });
  EXPECT_LE(answer.body.size(), 5000u);
  EXPECT_THAT(json::parse(answer.body)["response"]["warnings"], SizeIs(16));
}

TEST(ReviewTest, DeletionsAreAllowedUnasked) {
  json question = Question("DELETE");
  question["request"]["object"] = nullptr;
  const Answer answer = Review(question.dump(), Never);
  EXPECT_EQ(json::parse(answer.body)["response"]["allowed"], true);
}

TEST(ReviewTest, AnObjectWithoutTheFormOfAnIngressIsRefused) {
  json question = Question();
  question["request"]["object"]["spec"]["rules"] = "all";
  const json response = json::parse(Review(question.dump(), Never).body)["response"];
  EXPECT_EQ(response["allowed"], false);
  EXPECT_THAT(response["status"]["message"].get<std::string>(), HasSubstr("spec.rules"));
}

TEST(ReviewTest, WhatIsNoReviewOfAnIngressIsBad) {
  for (const char* body :
       {"", "{", "[]", "null", "7", "\"x\"", "{}", R"({"request": 7})",
        R"({"request": {"uid": {}}})",
        R"({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview"})", "\xff\xfe"}) {
    EXPECT_EQ(Review(body, Never).status, 400) << body;
  }
  for (const char* field : {"apiVersion", "kind"}) {
    json question = Question();
    question[field] = "other";
    EXPECT_EQ(Review(question.dump(), Never).status, 400) << field;
  }
  for (const char* field : {"uid", "resource", "object"}) {
    json question = Question();
    question["request"].erase(field);
    EXPECT_EQ(Review(question.dump(), Never).status, 400) << field;
  }
  json pods = Question();
  pods["request"]["resource"]["resource"] = "pods";
  EXPECT_EQ(Review(pods.dump(), Never).status, 400);
}

TEST(ReviewTest, NeitherDepthNorLengthNorEveryCutHarms) {
  EXPECT_EQ(Review(std::string(1'000'000, '['), Never).status, 400);
  std::string deep = Question().dump();
  deep.replace(deep.find("\"shop.example.com\""), 18,
               std::string(200'000, '[') + std::string(200'000, ']'));
  EXPECT_EQ(Review(deep, Never).status, 200);  // a host that is no string
  const std::string whole = Question().dump();
  for (size_t cut = 0; cut < whole.size(); ++cut) {
    EXPECT_EQ(Review(whole.substr(0, cut), Never).status, 400) << cut;
  }
  for (size_t at = 0; at < whole.size(); ++at) {
    std::string broken = whole;
    broken[at] = static_cast<char>(broken[at] ^ 0x15);
    Review(broken, Fine);  // whatever it says
  }
}

}  // namespace
}  // namespace headgate::admission
