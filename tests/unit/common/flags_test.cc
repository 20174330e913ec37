#include "common/flags.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <sstream>

#include "common/strings.h"

namespace headgate {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class FlagsTest : public ::testing::Test {
 protected:
  FlagsTest() {
    flags.AddString("name", &name, "NAME", "A name.");
    flags.Group("Listening", "Where clients connect.");
    flags.AddHostPort("http-listen", &listen, "Plain HTTP.");
    flags.AddBool("insecure", &insecure, "No TLS.");
    flags.AddInt("workers", &workers, 1, 64, "Threads.");
    flags.AddDuration("hold-off", &hold_off, "Wait for more changes.");
    flags.AddList("watch-namespace", &namespaces, "NS", "Only these namespaces.");
    flags.AddChoice("log-format", &format, {"text", "json"}, "Form of log lines.");
  }
  std::string Error(const std::vector<std::string>& arguments) {
    return std::string(ToStd(flags.Parse(arguments).status().message()));
  }

  std::string name = "default-name";
  std::optional<HostPort> listen;
  bool insecure = false;
  int64_t workers = 2;
  absl::Duration hold_off = absl::Milliseconds(10);
  std::vector<std::string> namespaces = {"default"};
  std::string format = "text";
  FlagSet flags{"headgate-test", "Tests flags."};
};

TEST_F(FlagsTest, ReadsEveryKindInBothForms) {
  const auto outcome = flags.Parse({"--name=a=b", "--http-listen", "[::1]:8080", "--insecure",
                                    "--workers=8", "--hold-off", "1.5s", "--log-format=json"});
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_EQ(*outcome, FlagSet::Outcome::kRun);
  EXPECT_EQ(name, "a=b");
  EXPECT_EQ(listen->host, "::1");
  EXPECT_EQ(listen->port, 8080);
  EXPECT_TRUE(insecure);
  EXPECT_EQ(workers, 8);
  EXPECT_EQ(hold_off, absl::Milliseconds(1500));
  EXPECT_EQ(format, "json");
  EXPECT_TRUE(flags.WasGiven("name"));
  EXPECT_FALSE(flags.WasGiven("watch-namespace"));
}

TEST_F(FlagsTest, ListsReplaceTheDefaultAndThenGrow) {
  ASSERT_TRUE(flags.Parse({"--watch-namespace=a,b", "--watch-namespace=c"}).ok());
  EXPECT_THAT(namespaces, ElementsAre("a", "b", "c"));
}

TEST_F(FlagsTest, BooleansTakeTheirValueOnlyAfterAnEqualsSign) {
  insecure = true;
  ASSERT_TRUE(flags.Parse({"--insecure=false"}).ok());
  EXPECT_FALSE(insecure);
  EXPECT_EQ(Error({"--insecure", "true"}), "unexpected argument \"true\"");
  EXPECT_EQ(Error({"--insecure=yes"}), "--insecure=yes: must be true or false");
}

TEST_F(FlagsTest, ErrorsNameTheFlagAndWhatIsAllowed) {
  EXPECT_EQ(Error({"--worker=3"}), "unknown flag --worker (did you mean --workers?)");
  EXPECT_EQ(Error({"--completely-different"}), "unknown flag --completely-different");
  EXPECT_EQ(Error({"stray"}), "unexpected argument \"stray\"");
  EXPECT_EQ(Error({"--"}), "unexpected argument \"--\"");
  EXPECT_EQ(Error({"--name"}), "--name needs a value: --name=NAME");
  EXPECT_EQ(Error({"--workers=0"}), "--workers=0: must be a whole number from 1 to 64");
  EXPECT_EQ(Error({"--workers=9999999999999999999"}),
            "--workers=9999999999999999999: must be a whole number from 1 to 64");
  EXPECT_EQ(Error({"--hold-off=5"}),
            "--hold-off=5: must be a duration such as 1.5s, 200ms or 1h30m");
  EXPECT_EQ(Error({"--hold-off=-1s"}),
            "--hold-off=-1s: must be a duration such as 1.5s, 200ms or 1h30m");
  EXPECT_EQ(Error({"--log-format=xml"}), "--log-format=xml: must be one of text, json");
  EXPECT_THAT(Error({"--http-listen=nowhere"}), HasSubstr("\"nowhere\" is not ADDR:PORT: no port"));
}

TEST_F(FlagsTest, HelpGroupsExplainsAndShowsDefaults) {
  EXPECT_EQ(*flags.Parse({"--nonsense", "--help"}), FlagSet::Outcome::kHelp);
  const std::string help = flags.HelpText();
  EXPECT_THAT(help, HasSubstr("headgate-test: Tests flags.\n"));
  EXPECT_THAT(help, HasSubstr("Listening\n  Where clients connect.\n"));
  EXPECT_THAT(help, HasSubstr("  --http-listen=ADDR:PORT\n      Plain HTTP.\n"));
  EXPECT_THAT(help, HasSubstr("  --insecure\n      No TLS. Default: false.\n"));
  EXPECT_THAT(help, HasSubstr("  --log-format=text|json\n"));
  EXPECT_THAT(help, HasSubstr("--version"));
}

TEST_F(FlagsTest, HelpLinesAreNotLongerThanATerminal) {
  std::string value;
  std::string words;
  for (int i = 0; i < 100; ++i) words += "explanation ";
  flags.AddString("long", &value, "X", words);
  std::istringstream lines(flags.HelpText());
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 100u) << line;
}

TEST_F(FlagsTest, ReportsAnErrorAsOneLineAndExitCodeTwo) {
  const char* argv[] = {"headgate-test", "--wat\nnow"};
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(flags.ParseOrReport(2, argv), 2);
  EXPECT_EQ(::testing::internal::GetCapturedStderr(),
            "headgate-test: unknown flag --wat now (see --help)\n");
}

TEST_F(FlagsTest, VersionGoesToStandardOutput) {
  const char* argv[] = {"headgate-test", "--version"};
  ::testing::internal::CaptureStdout();
  EXPECT_EQ(flags.ParseOrReport(2, argv), 0);
  EXPECT_EQ(::testing::internal::GetCapturedStdout(),
            "headgate-test " + std::string(BuildVersion()) + "\n");
}

TEST_F(FlagsTest, NoArgumentsAreFine) {
  EXPECT_EQ(flags.ParseOrReport(0, nullptr), std::nullopt);
  const char* argv[] = {"headgate-test"};
  EXPECT_EQ(flags.ParseOrReport(1, argv), std::nullopt);
}

TEST(FlagSetTest, IgnoredFlagsTakeAnythingAndAreNotListed) {
  FlagSet flags("headgate-test", "Tests.");
  flags.AddIgnored("old-switch", "");
  flags.AddIgnored("old-value", "TEXT");
  flags.AddIgnored("old-other", "TEXT");
  EXPECT_TRUE(flags.Parse({"--old-switch", "--old-value", "anything"}).ok());
  EXPECT_TRUE(flags.WasGiven("old-switch"));
  EXPECT_TRUE(flags.WasGiven("old-value"));
  EXPECT_FALSE(flags.WasGiven("old-other"));
  EXPECT_TRUE(flags.Parse({"--old-switch=false"}).ok());
  EXPECT_FALSE(flags.Parse({"--old-value"}).ok());
  EXPECT_EQ(flags.HelpText().find("old-switch"), std::string::npos);
}

TEST(FlagSetTest, ArgumentsAreTakenWhereTheyAreAskedFor) {
  std::vector<std::string> paths;
  bool quiet = false;
  FlagSet flags("headgate-test", "Tests.");
  flags.AddArguments("PATH", &paths, "What to read.");
  flags.AddBool("quiet", &quiet, "Says nothing.");
  EXPECT_TRUE(flags.Parse({"a.yaml", "--quiet", "-", "b"}).ok());
  EXPECT_EQ(paths, (std::vector<std::string>{"a.yaml", "-", "b"}));
  EXPECT_TRUE(quiet);
  EXPECT_FALSE(flags.Parse({"-x"}).ok());
  EXPECT_NE(flags.HelpText().find("headgate-test [flags] PATH..."), std::string::npos);
}

TEST(HostPortTest, KnowsLoopbackAddresses) {
  for (const char* host : {"127.0.0.1", "127.8.9.10", "::1", "localhost"}) {
    EXPECT_TRUE((HostPort{host, 80}).IsLoopback()) << host;
  }
  for (const char* host :
       {"", "0.0.0.0", "::", "10.0.0.1", "128.0.0.1", "localhost.example.com", "127"}) {
    EXPECT_FALSE((HostPort{host, 80}).IsLoopback()) << host;
  }
}

TEST(HostPortTest, ReadsAndWritesTheSameForms) {
  for (const char* text : {"127.0.0.1:80", "[::1]:8443", "localhost:0", ":10254"}) {
    const auto parsed = ParseHostPort(text);
    ASSERT_TRUE(parsed.ok()) << parsed.status();
    EXPECT_EQ(parsed->ToString(), text);
  }
  EXPECT_EQ(ParseHostPort("*:80")->host, "");
}

TEST(HostPortTest, RefusesWhatIsAmbiguousOrOutOfRange) {
  for (const char* text :
       {"", "80", "host:", "host:65536", "host:-1", "host:+1", "host: 80", "::1:80", "[::1:80",
        "[nope]:80", "[]:80", "a b:80", "host:80x", "[:80", "ho[st:1"}) {
    EXPECT_FALSE(ParseHostPort(text).ok()) << text;
  }
}

}  // namespace
}  // namespace headgate
