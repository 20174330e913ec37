#include "controller/cli/live_commands.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "common/clock.h"
#include "common/strings.h"
#include "controller/app/http_server.h"
#include "controller/cli/wait_command.h"
#include "controller/kube/json.h"

namespace headgate::cli {
namespace {

using kube::Json;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// An admin port that says what a test wants.
class LiveCommandsTest : public ::testing::Test {
 protected:
  LiveCommandsTest() {
    auto started = app::HttpServer::Start(
        {.listen = {"127.0.0.1", 0}},
        [this](const app::HttpRequest& request) {
          const std::lock_guard lock(mutex_);
          ++asked_;
          if (then_ && asked_ > 2) return *then_;
          const auto at = pages_.find(request.path);
          return at == pages_.end() ? app::HttpReply{.status = 404, .body = "no such page\n"}
                                    : at->second;
        },
        clock_);
    EXPECT_TRUE(started.ok()) << started.status();
    server_ = *std::move(started);
  }

  void Say(const std::string& path, std::string body) { pages_[path] = {.body = std::move(body)}; }
  // After the second question.
  void SayThen(std::string body) { then_ = app::HttpReply{.body = std::move(body)}; }

  int Run(int (*command)(std::string_view, std::span<const char* const>),
          std::vector<std::string> arguments) {
    const std::string flag = command == &RunWait ? "--controller=127.0.0.1:" : "--admin=127.0.0.1:";
    arguments.push_back(StrCat(flag, server_->port()));
    std::vector<const char*> texts;
    for (const std::string& argument : arguments) texts.push_back(argument.c_str());
    ::testing::internal::CaptureStdout();
    ::testing::internal::CaptureStderr();
    const int code = command("kubectl headgate x", texts);
    out = ::testing::internal::GetCapturedStdout();
    err = ::testing::internal::GetCapturedStderr();
    return code;
  }

  static std::string Progress(const std::string& version, std::vector<bool> data_planes,
                              std::vector<std::string> rejected = {}) {
    Json page = {
        {"resourceVersion", version}, {"rejected", rejected}, {"dataPlanes", Json::array()}};
    for (const bool in_effect : data_planes)
      page["dataPlanes"].push_back({{"inEffect", in_effect}, {"refused", Json::array()}});
    return page.dump();
  }

  std::string out;
  std::string err;

 private:
  SystemClock clock_;
  std::mutex mutex_;
  int asked_ = 0;
  std::map<std::string, app::HttpReply> pages_;
  std::optional<app::HttpReply> then_;
  std::unique_ptr<app::HttpServer> server_;
};

constexpr const char* kConfig =
    R"json({"hosts": {"a.example": [{"path": "/", "match": "exact", "reply": {"status": 404},
  "ingress": "shop/a", "rule": "/"}]}, "clusters": {"cluster/shop/web/80": {"protocol": "http1", "endpoints": []}},
  "certificates": {"(default)": [{"names": ["x.example"], "not_after": "2999-01-01T00:00:00+00:00"}]}})json";

TEST_F(LiveCommandsTest, PrintWhatTheDataPlaneSays) {
  Say("/config", kConfig);
  EXPECT_EQ(Run(&RunRoutes, {}), 0) << err;
  EXPECT_EQ(out,
            "HOST       PATH  MATCH  TO         INGRESS  RULE\na.example  /     exact  reply 404  "
            "shop/a   /\n");
  EXPECT_EQ(Run(&RunBackends, {"-n", "shop", "--output=json"}), 0) << err;
  EXPECT_EQ(Json::parse(out).at(0)["backend"], "shop/web/80");
  EXPECT_EQ(Run(&RunCertificates, {"--host", "a.example"}), 0) << err;
  EXPECT_THAT(out, HasSubstr("x.example"));
}

TEST_F(LiveCommandsTest, NothingToShowIsOneAndNoDataPlaneIsTwo) {
  Say("/config", kConfig);
  EXPECT_EQ(Run(&RunRoutes, {"--host=b.example"}), 1);
  Say("/config", "no JSON");
  EXPECT_EQ(Run(&RunRoutes, {}), 2);
  EXPECT_THAT(err, HasSubstr("is not JSON"));
  EXPECT_EQ(Run(&RunRoutes, {"--admin=127.0.0.1:1"}), 2) << "the one that is given last counts";
}

TEST_F(LiveCommandsTest, TheirUsageNamesThemAsTheyWereCalled) {
  EXPECT_EQ(Run(&RunRoutes, {"--wrong"}), 2);
  EXPECT_THAT(err, StartsWith("kubectl headgate x: "));
}

TEST_F(LiveCommandsTest, WaitEndsWhenEveryDataPlaneHasTheForm) {
  Say("/ingresses/shop/a", Progress("6", {true}));
  SayThen(Progress("7", {true, true}));
  EXPECT_EQ(Run(&RunWait, {"ingress/a", "-n", "shop", "--resource-version=7"}), 0) << out << err;
  EXPECT_EQ(out, "ingress/a is in effect at every data plane (2)\n");
}

TEST_F(LiveCommandsTest, WaitSaysWhatItWaitedFor) {
  const std::vector<std::string> common = {"a", "--namespace=shop", "--resource-version=7",
                                           "--timeout=1ms"};
  EXPECT_EQ(Run(&RunWait, common), 1);
  EXPECT_THAT(out, HasSubstr("says: no such page")) << err;
  Say("/ingresses/shop/a", Progress("6", {true}));
  EXPECT_EQ(Run(&RunWait, common), 1);
  EXPECT_THAT(out, HasSubstr("has an older form"));
  SayThen(Progress("10", {true, false}));
  EXPECT_EQ(Run(&RunWait, common), 1);
  EXPECT_THAT(out, HasSubstr("1 of 2 data planes"));
  SayThen(Progress("10", {}));
  EXPECT_EQ(Run(&RunWait, common), 1);
  EXPECT_THAT(out, HasSubstr("no data plane is connected"));
  SayThen(R"({"resourceVersion": 7})");
  EXPECT_EQ(Run(&RunWait, common), 1);
  EXPECT_THAT(out, HasSubstr("is not the admin port of a controller: resourceVersion"));
}

TEST_F(LiveCommandsTest, WaitFailsForWhatIsRejected) {
  Say("/ingresses/default/a", Progress("7", {true}, {"spec.rules[0].host: is no host name"}));
  EXPECT_EQ(Run(&RunWait, {"ing/a", "--resource-version=any", "--output=json"}), 1);
  const Json json = Json::parse(out);
  EXPECT_EQ(json["inEffect"], true);
  EXPECT_EQ(json["rejected"], Json({"spec.rules[0].host: is no host name"}));
}

TEST_F(LiveCommandsTest, WaitRefusesWhatIsNoIngress) {
  for (const char* name : {"service/a", "ingress/", "ingress/a/b", "ingress/a?x", "ingress/a b"}) {
    EXPECT_EQ(Run(&RunWait, {name, "--resource-version=1"}), 2) << name;
    EXPECT_THAT(err, HasSubstr("is not ingress/NAME")) << name;
  }
  EXPECT_EQ(Run(&RunWait, {"--resource-version=1"}), 2);
}

}  // namespace
}  // namespace headgate::cli
