// docs/options.md against the options that there are.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "common/strings.h"
#include "controller/translate/config_map/registry.h"
#include "controller/translate/config_map/without_effect.h"

namespace headgate::translate {
namespace {

constexpr const char* kPage = "docs/options.md";
constexpr std::string_view kFirst = "## Without effect, and why\n";
constexpr std::string_view kNext = "## Adding one\n";

std::string ReadPage(const char* name) {
  std::ifstream in(name);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

// The section on options without effect: a row for each reason.
std::string Section() {
  std::vector<std::pair<std::string_view, std::string>> rows;
  for (const IneffectiveOption& option : IneffectiveOptions()) {
    auto row = std::find_if(rows.begin(), rows.end(),
                            [&](const auto& known) { return known.first == option.why; });
    if (row == rows.end()) row = rows.insert(rows.end(), {option.why, ""});
    StrAppend(&row->second, row->second.empty() ? "" : ", ", "`", option.name, "`");
  }
  std::string text = StrCat(kFirst,
                            "\nWho sets one of these to anything but `false` finds the reason in "
                            "the controller's log. This table is made by a test\n"
                            "(`HEADGATE_UPDATE=1 build/release/bin/translate_test "
                            "--gtest_filter='OptionsPageTest.*'`).\n\n"
                            "| option | why |\n| --- | --- |\n");
  for (const auto& [why, names] : rows) StrAppend(&text, "| ", names, " | ", why, " |\n");
  return text + "\n";
}

TEST(OptionsPageTest, SaysWhyOptionsAreWithoutEffect) {
  std::string page = ReadPage(kPage);
  const size_t begin = page.find(kFirst);
  const size_t end = page.find(kNext);
  ASSERT_TRUE(begin < end && end != std::string::npos);
  if (std::getenv("HEADGATE_UPDATE") != nullptr) {
    std::ofstream(kPage) << page.replace(begin, end - begin, Section());
    return;
  }
  EXPECT_EQ(page.substr(begin, end - begin), Section());
}

TEST(OptionsPageTest, EveryOptionIsOnThePageOrOnOneThatItPointsTo) {
  const std::string pages = ReadPage(kPage) + ReadPage("docs/upstreams.md") +
                            ReadPage("docs/tcp.md") + ReadPage("docs/tracing.md") +
                            ReadPage("docs/access-log.md");
  for (const std::string_view name : EffectiveOptions())
    EXPECT_NE(pages.find(StrCat("`", name, "`")), std::string::npos) << name;
}

TEST(OptionsPageTest, NoOptionIsBothAndTheTableIsSorted) {
  const auto options = IneffectiveOptions();
  EXPECT_TRUE(std::is_sorted(options.begin(), options.end(),
                             [](const auto& a, const auto& b) { return a.name < b.name; }));
  const auto effective = EffectiveOptions();
  for (const IneffectiveOption& option : options)
    EXPECT_EQ(std::count(effective.begin(), effective.end(), option.name), 0) << option.name;
}

}  // namespace
}  // namespace headgate::translate
