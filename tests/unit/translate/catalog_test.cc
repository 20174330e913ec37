#include "controller/translate/annotations/catalog.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include "common/strings.h"
#include "controller/translate/annotations/registry.h"

namespace headgate::translate {
namespace {

constexpr const char* kPage = "docs/annotations.md";

constexpr std::string_view kHead = R"(# Annotations

Made from the catalogue in `controller/translate/annotations/catalog.cc` by a test, which fails when this page is stale; to write it anew:
`HEADGATE_UPDATE=1 build/release/bin/translate_test --gtest_filter='CatalogTest.*'`, from the root of the repository.

Names without a prefix are those of ingress-nginx, below `nginx.ingress.kubernetes.io/` (or what `--annotations-prefix` says). Risk is what
`annotations-risk-level` of the ConfigMap counts by. Use: 1, most installations have it; 2, many; 3, few.
)";

// Beside the 136.
bool IsOlderName(std::string_view name) {
  return name == "limit-whitelist" || name == "whitelist-source-range" || name == "secure-backends";
}

std::string Effect(const CatalogEntry& entry) {
  if (entry.name.starts_with(kHeadgatePrefix) || TakesEffect(entry.name)) return "yes";
  return "no";
}

std::string Page() {
  std::string own;
  std::string theirs;
  size_t count = 0;
  size_t total = 0;
  for (const CatalogEntry& entry : Catalog()) {
    const bool is_own = entry.name.starts_with(kHeadgatePrefix);
    const std::string use = entry.tier == 0 ? "" : StrCat(entry.tier);
    StrAppend(is_own ? &own : &theirs, "| `", entry.name, "` | ", entry.meaning, " |");
    if (is_own) {
      own += "\n";
      continue;
    }
    StrAppend(&theirs, " ", Effect(entry), " | ", RiskName(entry.risk), " | ", use, " |\n");
    if (IsOlderName(entry.name)) continue;
    ++total;
    count += TakesEffect(entry.name) ? 1 : 0;
  }
  return StrCat(kHead, "\n## Of ingress-nginx\n\n", count, " of the ", total,
                " of ingress-nginx 1.15 take effect.\n\n| annotation | meaning | effect | risk | "
                "use |\n| --- | --- | --- | --- | --- |\n",
                theirs, "\n## Of Headgate\n\n| annotation | meaning |\n| --- | --- |\n", own);
}

TEST(CatalogTest, IsSortedAndSaysWhatEachMeans) {
  const auto catalog = Catalog();
  EXPECT_TRUE(
      std::is_sorted(catalog.begin(), catalog.end(),
                     [](const CatalogEntry& a, const CatalogEntry& b) { return a.name < b.name; }));
  for (const CatalogEntry& entry : catalog) {
    EXPECT_FALSE(entry.meaning.empty()) << entry.name;
    EXPECT_EQ(FindInCatalog(entry.name), &entry);
  }
  EXPECT_EQ(FindInCatalog("rewrite"), nullptr);
  EXPECT_EQ(FindInCatalog(""), nullptr);
}

TEST(CatalogTest, HasEveryAnnotationThatIsRead) {
  for (const std::string_view name : KnownAnnotations()) {
    EXPECT_NE(FindInCatalog(name), nullptr) << name;
  }
  const auto known = KnownAnnotations();
  const std::set<std::string_view> names(known.begin(), known.end());
  for (const CatalogEntry& entry : Catalog()) {
    const bool read = names.contains(entry.name);
    EXPECT_TRUE(read || !TakesEffect(entry.name)) << entry.name;
    EXPECT_TRUE(read || !entry.name.starts_with(kHeadgatePrefix)) << entry.name;
  }
}

TEST(CatalogTest, ThePageIsUpToDate) {
  if (std::getenv("HEADGATE_UPDATE") != nullptr) std::ofstream(kPage) << Page();
  std::ifstream in(kPage);
  std::stringstream text;
  text << in.rdbuf();
  EXPECT_EQ(text.str(), Page()) << "see the top of the page for how to write it anew";
}

}  // namespace
}  // namespace headgate::translate
