#include "dataplane/policy/header_edits.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "dataplane/policy/response_rewrites.h"

namespace headgate::policy {
namespace {

// Every variable has the value that it was made with.
class Source final : public VariableSource {
 public:
  explicit Source(std::string_view value) : value_(value) {}
  std::string_view Value(const TextTemplate::Part&, base::Arena&) const override { return value_; }

 private:
  std::string_view value_;
};

class HeaderEditsTest : public testing::Test {
 protected:
  base::BlockPool pool{4};
  base::Arena arena{pool};
};

HeaderEdit Literal(const char* name, const char* value) {
  return {name, http::ClassifyFieldName(name), {{{Variable::kNone, value}}}};
}

TEST_F(HeaderEditsTest, EditsAreAppliedInOrderToEveryFieldOfTheName) {
  http::HeaderMap fields;
  fields.Add("x-a", "1");
  fields.Add("X-A", "2");
  fields.Add("Location", "/old");
  fields.Add("X-B", "3");
  const std::vector<HeaderEdit> edits = {Literal("X-a", "4"),
                                         Literal("LOCATION", "/new"),
                                         {"x-b", http::FieldId::kOther, {}},
                                         Literal("X-a", "5")};
  ApplyToRequest(edits, Source(""), arena, fields);
  ASSERT_EQ(fields.size(), 2U);
  EXPECT_EQ(fields.Get(http::FieldId::kLocation), "/new");
  EXPECT_EQ(fields.Get("X-A"), "5");
}

TEST_F(HeaderEditsTest, InRequestsWhatLooksLikeTheFieldGoesToo) {
  const std::vector<HeaderEdit> edits = {Literal("X-Team", "ours"),
                                         {"X-User", http::FieldId::kOther, {}}};
  http::HeaderMap fields;
  fields.Add("X_Team", "client's");
  fields.Add("x_USER", "client's");
  fields.Add("X_Users", "client's");
  http::HeaderMap response = fields;
  ApplyToRequest(edits, Source(""), arena, fields);
  ASSERT_EQ(fields.size(), 2U);
  EXPECT_EQ(fields.Get("X-Team"), "ours");
  EXPECT_EQ(fields.Get("X_Users"), "client's");
  ApplyToResponse(edits, Source(""), arena, response, 200);
  EXPECT_EQ(response.size(), 4U) << "browsers do tell them apart";
}

TEST_F(HeaderEditsTest, AnEditMayDependOnTheStatusAndAddToWhatIsThere) {
  HeaderEdit append = Literal("X-A", "2");
  append.append = true;
  HeaderEdit failed = Literal("X-B", "failed");
  failed.statuses = {404, 503};
  const std::vector<HeaderEdit> both = {append, failed};  // what they add points into them
  http::HeaderMap fields;
  fields.Add("X-A", "1");
  ApplyToResponse(both, Source(""), arena, fields, 200);
  EXPECT_EQ(fields.size(), 2U);
  EXPECT_EQ(fields.Find("X-B"), nullptr);
  ApplyToResponse(both, Source(""), arena, fields, 503);
  EXPECT_EQ(fields.Get("X-B"), "failed");
}

TEST_F(HeaderEditsTest, AnEditMayDependOnTheRequest) {
  const auto condition = [](std::string_view pattern, bool negated) {
    std::string error;
    return RequestCondition{
        {{{Variable::kHost, ""}}},
        "",
        Regex::Compile(pattern, Regex::Anchor::kNone, Regex::Case::kSensitive, &error),
        negated};
  };
  HeaderEdit edit = Literal("X-A", "there");
  const auto applied = [&](RequestConditions when, std::string_view value) {
    edit.when = std::move(when);
    http::HeaderMap fields;
    ApplyToRequest({edit}, Source(value), arena, fields);
    return !fields.empty();
  };
  EXPECT_TRUE(applied({condition("a", false)}, "cab"));
  EXPECT_FALSE(applied({condition("a", false)}, "b"));
  EXPECT_FALSE(applied({condition("a", false), condition("c", true)}, "cab"));
  EXPECT_TRUE(applied({RequestCondition{{{{Variable::kHost, ""}}}, "x", nullptr, false}}, "x"));
  EXPECT_FALSE(applied({RequestCondition{{{{Variable::kHost, ""}}}, "x", nullptr, true}}, "x"));
}

TEST_F(HeaderEditsTest, ASearchThatIsGivenUpIsDecidedByWhoAsks) {
  std::string error;
  const RequestConditions when = {
      {{{{Variable::kHost, ""}}},
       "",
       Regex::Compile("^(?=a)(a|aa|a?)+$", Regex::Anchor::kNone, Regex::Case::kSensitive, &error),
       true}};
  const std::string long_text = std::string(2000, 'a') + "b";
  EXPECT_TRUE(Hold(when, Source(long_text), arena, /*when_in_doubt=*/true));
  EXPECT_FALSE(Hold(when, Source(long_text), arena, /*when_in_doubt=*/false));
}

TEST_F(HeaderEditsTest, AValueThatNoFieldMayHoldRemovesTheField) {
  const std::vector<HeaderEdit> edits = {{"X-A", http::FieldId::kOther, {{{Variable::kUri, ""}}}}};
  for (const std::string_view value :
       {std::string_view("a\r\nEvil: 1"), std::string_view("a\0b", 3), std::string_view("a\x7f"),
        std::string_view(""), std::string_view(" ")}) {
    http::HeaderMap fields;
    fields.Add("X-A", "client's");
    ApplyToRequest(edits, Source(value), arena, fields);
    EXPECT_TRUE(fields.empty());
  }
  http::HeaderMap fields;
  ApplyToRequest(edits, Source(" b\t\xc3\xa4 "), arena, fields);
  EXPECT_EQ(fields.Get("X-A"), "b\t\xc3\xa4");
}

TEST_F(HeaderEditsTest, CookiesKeepWhatDoesNotFit) {
  ResponseRewrites rewrites;
  rewrites.cookie_domain_from = "in.local";
  rewrites.cookie_domain_to = "a.example";
  rewrites.cookie_path_from = "/app";
  rewrites.cookie_path_to = "/";
  const auto rewritten = [&](std::string_view cookie) {
    return RewriteCookie(rewrites, cookie, arena);
  };
  EXPECT_EQ(rewritten("a=b"), "a=b");
  EXPECT_EQ(rewritten("Path=/app; Domain=in.local"), "Path=/app; Domain=a.example");
  EXPECT_EQ(rewritten("a=b;path = /app/x;DOMAIN=.IN.local;HttpOnly"),
            "a=b;path = //x;DOMAIN=.a.example;HttpOnly");
  EXPECT_EQ(rewritten("a=b; Domain=x.in.local; Path=/other"),
            "a=b; Domain=x.in.local; Path=/other");
  EXPECT_EQ(rewritten("a=b; Path=; Domain="), "a=b; Path=; Domain=");
  EXPECT_EQ(rewritten("a=b; Path"), "a=b; Path");
  EXPECT_EQ(rewritten(""), "");
}

}  // namespace
}  // namespace headgate::policy
