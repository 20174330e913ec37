#include "controller/kube/reflector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

#include "absl/strings/numbers.h"
#include "common/strings.h"
#include "tests/unit/kube/fake_transport.h"
#include "tests/unit/kube/recording_sink.h"

namespace headgate::kube {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

constexpr char kListTarget[] = "/api/v1/services?limit=500";

std::string Item(const std::string& name, int version, int port = 80) {
  return StrCat(R"({"metadata":{"name":")", name, R"(","namespace":"n","resourceVersion":")",
                version, R"("},"spec":{"ports":[{"port":)", port, "}]}}");
}
std::string ListOf(int version, const std::string& items, const std::string& next = "") {
  return StrCat(R"({"metadata":{"resourceVersion":")", version, R"(","continue":")", next,
                R"("},"items":[)", items, "]}");
}
std::string Event(const std::string& type, const std::string& object) {
  return StrCat(R"({"type":")", type, R"(","object":)", object, "}\n");
}
std::string Bookmark(int version) {
  return Event("BOOKMARK", StrCat(R"({"metadata":{"resourceVersion":")", version, R"("}})"));
}
std::string Expired() { return Event("ERROR", R"({"code":410,"reason":"Expired"})"); }

class ReflectorTest : public ::testing::Test {
 protected:
  ~ReflectorTest() override { Stop(); }

  void Start() {
    options.type = &ResourceTypeOf(Kind::kService);
    reflector =
        std::make_unique<Reflector>(options, transport, sink, clock, metrics, [this] { ++synced; });
    thread = std::thread([this] { reflector->Run(); });
  }
  void Stop() {
    if (!thread.joinable()) return;
    reflector->Stop();
    thread.join();
  }
  // Starts, answers the first list with one object at version 10 and waits for the watch.
  void StartWatching() {
    Start();
    ASSERT_EQ(transport.AwaitRequest(), kListTarget);
    transport.Reply(ListOf(10, Item("a", 9)));
    ASSERT_THAT(transport.AwaitRequest(), StartsWith("/api/v1/services?watch=1"));
    sink.TakeLog();
  }
  // Moves time past the pause of the back-off.
  void PassPause() {
    ASSERT_TRUE(clock.AwaitWaiters(1));
    EXPECT_LE(clock.NextDeadline(), absl::Seconds(3));
    clock.Advance(clock.NextDeadline());
  }

  ReflectorOptions options;
  FakeTransport transport;
  RecordingSink sink;
  FakeClock clock;
  MetricsRegistry metrics;
  std::atomic<int> synced{0};
  std::unique_ptr<Reflector> reflector;
  std::thread thread;
};

TEST_F(ReflectorTest, ListsInPagesThenWatchesFromTheVersionOfTheList) {
  Start();
  EXPECT_EQ(transport.AwaitRequest(), kListTarget);
  EXPECT_EQ(transport.idle_limit(), absl::Seconds(30));
  transport.Reply(ListOf(10, Item("a", 5), "next/+="));
  EXPECT_EQ(transport.AwaitRequest(), "/api/v1/services?limit=500&continue=next%2F%2B%3D");
  EXPECT_EQ(sink.replacements(), 0);  // never a part of a list
  EXPECT_EQ(synced, 0);
  transport.Reply(ListOf(10, Item("b", 6)));
  const std::string watch = transport.AwaitRequest();
  EXPECT_THAT(
      watch,
      StartsWith(
          "/api/v1/services?watch=1&allowWatchBookmarks=true&resourceVersion=10&timeoutSeconds="));
  int seconds = 0;
  ASSERT_TRUE(absl::SimpleAtoi(watch.substr(watch.rfind('=') + 1), &seconds));
  EXPECT_GE(seconds, 300);
  EXPECT_LE(seconds, 600);
  EXPECT_GT(transport.idle_limit(), absl::Seconds(60));
  EXPECT_THAT(sink.TakeLog(), ElementsAre("+Service n/a", "+Service n/b"));
  EXPECT_EQ(synced, 1);
}

TEST_F(ReflectorTest, SecretsOfOtherProgramsAreNotAskedFor) {
  const std::string kSelector =
      "type%21%3Dhelm.sh%2Frelease.v1%2Ctype%21%3Dkubernetes.io%2Fservice-account-token%2C"
      "type%21%3Dkubernetes.io%2Fdockerconfigjson%2Ctype%21%3Dbootstrap.kubernetes.io%2Ftoken";
  options.type = &ResourceTypeOf(Kind::kSecret);
  options.ns = "shop";
  reflector = std::make_unique<Reflector>(options, transport, sink, clock, metrics, [] {});
  thread = std::thread([this] { reflector->Run(); });
  EXPECT_EQ(transport.AwaitRequest(),
            "/api/v1/namespaces/shop/secrets?limit=500&fieldSelector=" + kSelector);
  transport.Reply(ListOf(3, ""));
  EXPECT_THAT(transport.AwaitRequest(), HasSubstr("&fieldSelector=" + kSelector));
}

TEST_F(ReflectorTest, EventsBecomeChanges) {
  StartWatching();
  transport.Send(Event("ADDED", Item("b", 11)) + Event("MODIFIED", Item("a", 12, 81)) +
                 Bookmark(13));
  EXPECT_TRUE(sink.AwaitLogSize(2));
  EXPECT_THAT(sink.TakeLog(), ElementsAre("+Service n/b", "+Service n/a"));
  EXPECT_EQ(sink.batches(), 1);  // what came together is told together
  transport.Send(Event("DELETED", Item("a", 14)));
  EXPECT_TRUE(sink.AwaitLog("-Service n/a"));
}

TEST_F(ReflectorTest, AMalformedObjectIsToldAndTheWatchGoesOn) {
  StartWatching();
  transport.Send(Event("MODIFIED", Item("a", 11, 99999)) + Event("ADDED", Item("b", 12)));
  EXPECT_TRUE(sink.AwaitLogSize(2));
  EXPECT_THAT(sink.TakeLog(), ElementsAre("!Service n/a", "+Service n/b"));
  transport.End();
  EXPECT_THAT(transport.AwaitRequest(), HasSubstr("resourceVersion=12&"));
}

TEST_F(ReflectorTest, AWatchThatEndsIsTakenUpAtTheLastVersion) {
  StartWatching();
  transport.Send(Event("ADDED", Item("b", 11)) + Bookmark(20));
  transport.End();
  EXPECT_THAT(transport.AwaitRequest(), HasSubstr("resourceVersion=20&"));
  EXPECT_EQ(sink.replacements(), 1);
}

TEST_F(ReflectorTest, AWatchThatEndsAtOnceIsNotRepeatedAtOnce) {
  StartWatching();
  transport.End();
  PassPause();
  EXPECT_THAT(transport.AwaitRequest(), HasSubstr("resourceVersion=10&"));
}

TEST_F(ReflectorTest, ABrokenWatchIsTakenUpAfterAPause) {
  StartWatching();
  transport.Send(Event("ADDED", Item("b", 11)) + "{\"type\":\"ADDED\",\"obj");
  transport.End(absl::UnavailableError("connection reset"));
  PassPause();
  EXPECT_THAT(transport.AwaitRequest(), HasSubstr("resourceVersion=11&"));
  EXPECT_THAT(metrics.Render(),
              HasSubstr("headgate_kube_failures_total{resource=\"services\"} 1\n"));
}

TEST_F(ReflectorTest, PausesGrowAndStartOverAfterProgress) {
  options.backoff.jitter = 0;
  StartWatching();
  for (const int milliseconds : {100, 200, 400, 800, 1600, 3000, 3000}) {
    transport.End(absl::UnavailableError("refused"));
    ASSERT_TRUE(clock.AwaitWaiters(1));
    EXPECT_EQ(clock.NextDeadline(), absl::Milliseconds(milliseconds));
    clock.Advance(clock.NextDeadline());
    transport.AwaitRequest();
  }
  transport.Send(Bookmark(11));
  transport.End(absl::UnavailableError("refused"));
  ASSERT_TRUE(clock.AwaitWaiters(1));
  EXPECT_EQ(clock.NextDeadline(), absl::Milliseconds(100));
}

TEST_F(ReflectorTest, RetryAfterOfTheServerIsObeyed) {
  StartWatching();
  transport.Fail(429, "slow down", absl::Seconds(7));
  ASSERT_TRUE(clock.AwaitWaiters(1));
  EXPECT_EQ(clock.NextDeadline(), absl::Seconds(7));
}

TEST_F(ReflectorTest, AnExpiredEventLeadsToANewListThatReplacesByDifference) {
  StartWatching();
  transport.Send(Bookmark(12) + Expired());
  EXPECT_EQ(transport.AwaitRequest(), kListTarget);
  EXPECT_TRUE(sink.Has(Kind::kService, "n", "a"));  // nothing is cleared meanwhile
  transport.Reply(ListOf(30, Item("b", 25)));
  EXPECT_THAT(transport.AwaitRequest(), HasSubstr("resourceVersion=30&"));
  EXPECT_FALSE(sink.Has(Kind::kService, "n", "a"));
  EXPECT_TRUE(sink.Has(Kind::kService, "n", "b"));
  EXPECT_EQ(synced, 1);
}

TEST_F(ReflectorTest, AnHttp410OfTheWatchLeadsToANewListAtOnce) {
  StartWatching();
  transport.End(absl::UnavailableError("refused"));
  PassPause();
  transport.AwaitRequest();
  transport.Fail(410, "Gone");
  EXPECT_EQ(transport.AwaitRequest(), kListTarget);
}

TEST_F(ReflectorTest, AServerThatOnlySays410IsNotAskedInALoop) {
  StartWatching();
  transport.Fail(410, "Gone");
  EXPECT_EQ(transport.AwaitRequest(), kListTarget);
  transport.Reply(ListOf(11, Item("a", 9)));
  transport.AwaitRequest();
  transport.Fail(410, "Gone");
  PassPause();
  EXPECT_EQ(transport.AwaitRequest(), kListTarget);
}

TEST_F(ReflectorTest, AListWhosePagesExpireIsReadInOnePiece) {
  Start();
  transport.AwaitRequest();
  transport.Reply(ListOf(10, Item("a", 5), "token"));
  transport.AwaitRequest();
  transport.Fail(410);
  EXPECT_EQ(transport.AwaitRequest(), "/api/v1/services");
  transport.Reply(ListOf(11, Item("b", 6)));
  transport.AwaitRequest();
  EXPECT_THAT(sink.TakeLog(), ElementsAre("+Service n/b"));  // nothing of the broken attempt
}

TEST_F(ReflectorTest, APageThatFailsIsAskedForAgain) {
  constexpr char kSecondPage[] = "/api/v1/services?limit=500&continue=token";
  Start();
  transport.AwaitRequest();
  transport.Reply(ListOf(10, Item("a", 5), "token"));
  ASSERT_EQ(transport.AwaitRequest(), kSecondPage);
  transport.End(absl::UnavailableError("connection reset"));
  PassPause();
  ASSERT_EQ(transport.AwaitRequest(), kSecondPage);
  transport.Send(R"({"metadata":{"resourceVersion":"10"},"items":[)" + Item("b", 6));
  transport.End();  // in the middle of the page
  PassPause();
  ASSERT_EQ(transport.AwaitRequest(), kSecondPage);
  transport.Reply(ListOf(10, Item("b", 6)));
  EXPECT_THAT(transport.AwaitRequest(), HasSubstr("resourceVersion=10&"));
  EXPECT_THAT(sink.TakeLog(), ElementsAre("+Service n/a", "+Service n/b"));  // each once
  EXPECT_THAT(metrics.Render(),
              HasSubstr("headgate_kube_failures_total{resource=\"services\"} 2\n"));
}

TEST_F(ReflectorTest, APageThatAlwaysFailsLeadsToANewList) {
  options.max_page_retries = 2;
  Start();
  transport.AwaitRequest();
  transport.Reply(ListOf(10, Item("a", 5), "token"));
  for (int i = 0; i < 3; ++i) {
    ASSERT_THAT(transport.AwaitRequest(), HasSubstr("continue=token"));
    transport.Fail(400, "no such token");
    PassPause();
  }
  ASSERT_EQ(transport.AwaitRequest(), kListTarget);
  transport.Reply(ListOf(11, Item("b", 6)));
  transport.AwaitRequest();
  EXPECT_THAT(sink.TakeLog(), ElementsAre("+Service n/b"));
}

TEST_F(ReflectorTest, AFailedListDeliversNothingAndIsTriedAgain) {
  Start();
  ASSERT_EQ(transport.AwaitRequest(), kListTarget);
  transport.Send(R"({"metadata":{"resourceVersion":"10"},"items":[)" + Item("a", 5));
  transport.End();  // a clean end in the middle of the JSON
  PassPause();
  EXPECT_EQ(transport.AwaitRequest(), kListTarget);
  transport.Fail(403, "forbidden");
  PassPause();
  EXPECT_EQ(transport.AwaitRequest(), kListTarget);
  EXPECT_EQ(sink.replacements(), 0);
  EXPECT_EQ(synced, 0);
  transport.Reply(ListOf(10, Item("b", 5)));
  transport.AwaitRequest();
  EXPECT_THAT(sink.TakeLog(), ElementsAre("+Service n/b"));
}

TEST_F(ReflectorTest, EventsAtOrBelowTheVersionSeenAreDropped) {
  StartWatching();
  transport.Send(Event("MODIFIED", Item("a", 9, 1)) + Event("DELETED", Item("a", 10)) +
                 Event("ADDED", Item("c", 11)) + Event("ADDED", Item("d", 11)) + Bookmark(5) +
                 Event("ADDED", Item("e", 100)) + Event("ADDED", Item("f", 99)));
  EXPECT_TRUE(sink.AwaitLogSize(2));
  transport.End();
  EXPECT_THAT(transport.AwaitRequest(), HasSubstr("resourceVersion=100&"));
  EXPECT_THAT(sink.TakeLog(), ElementsAre("+Service n/c", "+Service n/e"));
}

TEST_F(ReflectorTest, AListOlderThanWhatWasSeenIsRefusedUntilItInsists) {
  options.max_stale_lists = 2;
  StartWatching();
  transport.Send(Bookmark(50) + Expired());
  for (int i = 0; i < 2; ++i) {
    ASSERT_EQ(transport.AwaitRequest(), kListTarget);
    transport.Reply(ListOf(40, ""));
    PassPause();
  }
  EXPECT_TRUE(sink.Has(Kind::kService, "n", "a"));
  ASSERT_EQ(transport.AwaitRequest(), kListTarget);
  transport.Reply(ListOf(40, ""));
  EXPECT_THAT(transport.AwaitRequest(), HasSubstr("resourceVersion=40&"));
  EXPECT_FALSE(sink.Has(Kind::kService, "n", "a"));
}

TEST_F(ReflectorTest, GarbageInAWatchIsABrokenConnection) {
  StartWatching();
  transport.Send(Event("ADDED", Item("b", 11)) + "<html>\n");
  PassPause();
  EXPECT_THAT(transport.AwaitRequest(), HasSubstr("resourceVersion=11&"));
  EXPECT_THAT(sink.TakeLog(), ElementsAre("+Service n/b"));
}

// An API server behind a network that loses every third answer half-way.
class LossyServer : public Transport {
 public:
  explicit LossyServer(int objects) : objects_(objects) {}

  absl::StatusOr<HttpResult> Get(const std::string& target, absl::Duration,
                                 const OnData& on_data) override {
    const size_t at = target.find("&continue=");
    int first = 0;
    if (at != std::string::npos) {
      EXPECT_TRUE(absl::SimpleAtoi(target.substr(at + 10), &first));
    }
    if (target.find("watch=1") != std::string::npos) {
      std::unique_lock<std::mutex> lock(mutex_);
      cancelled_.wait(lock, [this] { return over_; });
      return absl::CancelledError("cancelled");
    }
    const int end = std::min(objects_, first + 500);
    std::string items;
    for (int i = first; i < end; ++i) {
      StrAppend(&items, i == first ? "" : ",", Item(StrCat("s", i), 5));
    }
    std::string body = ListOf(10, items, end == objects_ ? "" : StrCat(end));
    const bool lost = ++requests_ % 3 == 0;
    on_data(std::string_view(body).substr(0, lost ? body.size() / 2 : body.size()));
    if (lost) return absl::UnavailableError("connection reset");
    return HttpResult{.status = 200, .error_body = {}, .retry_after = {}};
  }
  absl::StatusOr<HttpResult> Write(WriteMethod, const std::string&, const std::string&,
                                   absl::Duration, const OnData&) override {
    return absl::UnimplementedError("only reads");
  }
  void Cancel() override {
    const std::lock_guard<std::mutex> lock(mutex_);
    over_ = true;
    cancelled_.notify_all();
  }
  int requests() const { return requests_; }

 private:
  const int objects_;
  std::atomic<int> requests_{0};
  std::mutex mutex_;
  std::condition_variable cancelled_;
  bool over_ = false;
};

TEST(ReflectorOverABadNetworkTest, ALongListBecomesComplete) {
  LossyServer server(5000);
  RecordingSink sink;
  SystemClock clock;
  MetricsRegistry metrics;
  ReflectorOptions options;
  options.type = &ResourceTypeOf(Kind::kService);
  options.backoff = {.initial = absl::Milliseconds(1), .max = absl::Milliseconds(1)};
  Reflector reflector(options, server, sink, clock, metrics, [] {});
  std::thread thread([&] { reflector.Run(); });
  EXPECT_TRUE(sink.AwaitLogSize(5000));
  reflector.Stop();
  thread.join();
  EXPECT_EQ(server.requests(), 14);  // ten pages; the third, sixth, ninth and twelfth were lost
  EXPECT_EQ(sink.replacements(), 1);
}

TEST_F(ReflectorTest, StopEndsAQuietWatchAndAPause) {
  StartWatching();
  Stop();
  EXPECT_FALSE(thread.joinable());
}

TEST_F(ReflectorTest, StopEndsAPause) {
  StartWatching();
  transport.End(absl::UnavailableError("refused"));
  ASSERT_TRUE(clock.AwaitWaiters(1));
  Stop();
  EXPECT_FALSE(thread.joinable());
}

}  // namespace
}  // namespace headgate::kube
