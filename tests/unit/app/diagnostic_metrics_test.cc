#include "controller/app/diagnostic_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/strings.h"

namespace headgate::app {
namespace {

using testing::HasSubstr;
using testing::Not;
using translate::Diagnostic;
using translate::Reason;
using translate::Severity;

Diagnostic Of(const std::string& name, Severity severity, const std::string& message = "") {
  return {.kind = kube::Kind::kIngress,
          .object = {"shop", name},
          .field = "spec.rules[0].host",
          .reason = Reason::kInvalidHost,
          .severity = severity,
          .message = message};
}

class DiagnosticMetricsTest : public testing::Test {
 protected:
  void Raise(const Diagnostic& diagnostic) { Apply({diagnostic}, {}); }
  void Clear(const Diagnostic& diagnostic) { Apply({}, {diagnostic}); }
  void Apply(std::vector<Diagnostic> raised, std::vector<Diagnostic> cleared) {
    translate::TranslationUpdate update;
    update.raised = std::move(raised);
    update.cleared = std::move(cleared);
    metrics_.Apply(update);
  }
  std::string Text() const {
    std::string text;
    MetricsWriter writer(&text);
    metrics_.Collect(writer);
    return text;
  }

  DiagnosticMetrics metrics_;
};

TEST_F(DiagnosticMetricsTest, ASeriesNamesObjectAndFieldAndGoesWithItsCause) {
  Raise(Of("web", Severity::kWarning));
  constexpr char kSeries[] =
      "headgate_object_diagnostics{severity=\"warning\",reason=\"InvalidHost\",kind=\"Ingress\","
      "namespace=\"shop\",name=\"web\",field=\"spec.rules[0].host\"} 1\n";
  constexpr char kCount[] = "headgate_diagnostics{severity=\"warning\",reason=\"InvalidHost\"} ";
  EXPECT_THAT(Text(), HasSubstr(kSeries));
  EXPECT_THAT(Text(), HasSubstr(StrCat(kCount, "1\n")));
  Clear(Of("web", Severity::kWarning));
  EXPECT_THAT(Text(), Not(HasSubstr("headgate_object_diagnostics{")));
  EXPECT_THAT(Text(), HasSubstr(StrCat(kCount, "0\n")));
}

TEST_F(DiagnosticMetricsTest, TwoMessagesAboutOneFieldAreOneSeries) {
  Apply({Of("web", Severity::kError, "a"), Of("web", Severity::kError, "b")}, {});
  EXPECT_THAT(Text(), HasSubstr("field=\"spec.rules[0].host\"} 2\n"));
  Apply({Of("web", Severity::kError, "c")}, {Of("web", Severity::kError, "b")});
  EXPECT_THAT(Text(), HasSubstr("field=\"spec.rules[0].host\"} 2\n"));
}

TEST_F(DiagnosticMetricsTest, BeyondTheLimitTheMostSevereAreShownAndTheRestCounted) {
  for (size_t i = 0; i < DiagnosticMetrics::kMaxSeries; ++i) {
    Raise(Of(StrCat("early-", i), Severity::kWarning));
  }
  EXPECT_THAT(Text(), HasSubstr("headgate_object_diagnostics_left_out 0\n"));
  Raise(Of("late", Severity::kError));
  EXPECT_THAT(Text(), HasSubstr("name=\"late\""));
  EXPECT_THAT(Text(), HasSubstr("headgate_object_diagnostics_left_out 1\n"));
  // All of them are counted by reason.
  EXPECT_THAT(Text(),
              HasSubstr("headgate_diagnostics{severity=\"warning\",reason=\"InvalidHost\"} 500\n"));
  // What goes makes room for what was left out.
  Clear(Of("late", Severity::kError));
  EXPECT_THAT(Text(), HasSubstr("headgate_object_diagnostics_left_out 0\n"));
}

}  // namespace
}  // namespace headgate::app
