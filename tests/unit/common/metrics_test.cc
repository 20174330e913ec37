#include "common/metrics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <thread>

namespace headgate {
namespace {

TEST(MetricsTest, RendersFamiliesInOrderWithHelpAndType) {
  MetricsRegistry registry;
  registry.AddGauge("b_objects", "Objects held.", {{"kind", "Ingress"}}).Set(3);
  registry.AddCounter("a_total", "All of them.").Add(5);
  registry.AddGauge("b_objects", "ignored", {{"kind", "Secret"}}).Set(0.25);
  EXPECT_EQ(registry.Render(),
            "# HELP a_total All of them.\n"
            "# TYPE a_total counter\n"
            "a_total 5\n"
            "# HELP b_objects Objects held.\n"
            "# TYPE b_objects gauge\n"
            "b_objects{kind=\"Ingress\"} 3\n"
            "b_objects{kind=\"Secret\"} 0.25\n");
}

TEST(MetricsTest, SameNameAndLabelsAreTheSameInstrument) {
  MetricsRegistry registry;
  Counter& first = registry.AddCounter("x_total", "X.", {{"a", "1"}});
  EXPECT_EQ(&first, &registry.AddCounter("x_total", "X.", {{"a", "1"}}));
  EXPECT_NE(&first, &registry.AddCounter("x_total", "X.", {{"a", "2"}}));
}

TEST(MetricsTest, EscapesLabelsAndHelp) {
  MetricsRegistry registry;
  registry.AddCounter("x_total", "Back\\slash \"quote\"\nnew line.", {{"path", "a\\b\"c\nd\xFF"}});
  EXPECT_EQ(registry.Render(),
            "# HELP x_total Back\\\\slash \"quote\"\\nnew line.\n"
            "# TYPE x_total counter\n"
            "x_total{path=\"a\\\\b\\\"c\\nd\xEF\xBF\xBD\"} 0\n");
}

TEST(MetricsTest, HistogramBucketsAreCumulatedAndInclusive) {
  MetricsRegistry registry;
  Histogram& histogram = registry.AddHistogram("h_seconds", "H.", {0.1, 1}, {{"k", "v"}});
  for (const double value : {0.05, 0.1, 0.5, 2.0}) histogram.Observe(value);
  EXPECT_EQ(registry.Render(),
            "# HELP h_seconds H.\n"
            "# TYPE h_seconds histogram\n"
            "h_seconds_bucket{k=\"v\",le=\"0.1\"} 2\n"
            "h_seconds_bucket{k=\"v\",le=\"1\"} 3\n"
            "h_seconds_bucket{k=\"v\",le=\"+Inf\"} 4\n"
            "h_seconds_sum{k=\"v\"} 2.65\n"
            "h_seconds_count{k=\"v\"} 4\n");
}

TEST(MetricsTest, CallbackGaugesAndCollectorsAreAskedAtEachScrape) {
  MetricsRegistry registry;
  double value = 1;
  registry.AddGaugeCallback("g", "G.", {}, [&] { return value; });
  registry.AddCollector([&](MetricsWriter& writer) {
    writer.Family("c_total", MetricType::kCounter, "C.");
    writer.Sample({{"shard", "all"}}, uint64_t{18446744073709551615u});
  });
  EXPECT_NE(registry.Render().find("\ng 1\n"), std::string::npos);
  value = 2;
  const std::string second = registry.Render();
  EXPECT_NE(second.find("\ng 2\n"), std::string::npos);
  EXPECT_NE(second.find("c_total{shard=\"all\"} 18446744073709551615\n"), std::string::npos);
}

TEST(MetricsTest, WritesSpecialNumbersAsPrometheusReadsThem) {
  MetricsRegistry registry;
  registry.AddGauge("a", "A.").Set(std::nan(""));
  registry.AddGauge("b", "B.").Set(std::numeric_limits<double>::infinity());
  registry.AddGauge("c", "C.").Set(-std::numeric_limits<double>::infinity());
  registry.AddGauge("d", "D.").Set(1e300);
  const std::string text = registry.Render();
  for (const char* line : {"\na NaN\n", "\nb +Inf\n", "\nc -Inf\n", "\nd 1e+300\n"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line;
  }
}

TEST(MetricsTest, ThreadsCountTogether) {
  MetricsRegistry registry;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) {
        registry.AddCounter("n_total", "N.").Add();
        registry.AddGauge("g", "G.").Add(0.5);
        if (i % 100 == 0) registry.Render();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(registry.AddCounter("n_total", "N.").value(), 4000u);
  EXPECT_EQ(registry.AddGauge("g", "G.").value(), 2000);
}

TEST(MetricsDeathTest, TheSameNameWithTwoTypesIsABrokenInvariant) {
  MetricsRegistry registry;
  registry.AddCounter("x", "X.");
  EXPECT_DEATH(registry.AddGauge("x", "X."), "invariant broken");
}

}  // namespace
}  // namespace headgate
