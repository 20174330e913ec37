#include "dataplane/upstream/dns_resolver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <utility>

namespace headgate::upstream {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Found = absl::StatusOr<DnsAnswer>;

Found Addresses(const std::vector<std::string>& ips, absl::Duration ttl = absl::Seconds(30)) {
  DnsAnswer out{.addresses = {}, .ttl = ttl};
  for (const std::string& ip : ips) out.addresses.push_back(*base::Address::ParseIp(ip, 0));
  return out;
}
Found Failure() { return absl::UnavailableError("no answer"); }

// A name server with prepared answers, and everything the resolver told.
class DnsResolverTest : public ::testing::Test {
 protected:
  DnsResolverTest() {
    resolver_ = std::make_unique<DnsResolver>(
        clock_, [this](const std::string& name) { return Answer(name); },
        [this](const std::string& name, const std::vector<base::Address>& addresses) {
          Record(name, addresses);
        },
        DnsResolver::Options{.retry = {.initial = absl::Seconds(1)}, .threads = 1});
  }

  // What the name server says from now on.
  void Serve(const std::string& name, Found found) {
    const std::lock_guard<std::mutex> lock(mutex_);
    answers_.insert_or_assign(name, std::move(found));
  }
  // The resolver has done everything that is due.
  void Settle() { ASSERT_TRUE(clock_.AwaitWaiters(1)); }
  // The same after a Start that the waiting thread may not have noticed yet.
  void SettleAfter(int lookups) {
    std::unique_lock<std::mutex> lock(mutex_);
    ASSERT_TRUE(
        looked_up_.wait_for(lock, std::chrono::seconds(10), [&] { return lookups_ >= lookups; }));
    lock.unlock();
    Settle();
  }

  std::vector<std::string> Told() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return std::exchange(told_, {});
  }
  int lookups() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return lookups_;
  }

 private:
  Found Answer(const std::string& name) {
    const std::lock_guard<std::mutex> lock(mutex_);
    ++lookups_;
    looked_up_.notify_all();
    const auto at = answers_.find(name);
    return at == answers_.end() ? Failure() : at->second;
  }
  void Record(const std::string& name, const std::vector<base::Address>& addresses) {
    const std::lock_guard<std::mutex> lock(mutex_);
    std::string line = name + ":";
    for (const base::Address& address : addresses) line += " " + address.IpText();
    told_.push_back(line);
  }

  std::mutex mutex_;
  std::condition_variable looked_up_;
  std::map<std::string, Found> answers_;
  std::vector<std::string> told_;
  int lookups_ = 0;

 protected:
  FakeClock clock_;
  std::unique_ptr<DnsResolver> resolver_;  // last: its threads use all of the above
};

TEST_F(DnsResolverTest, LooksUpAtOnceAndTells) {
  Serve("a.org", Addresses({"192.0.2.2", "192.0.2.1", "192.0.2.2", "2001:db8::1"}));
  resolver_->Start("a.org");
  Settle();
  EXPECT_THAT(Told(), ElementsAre("a.org: 192.0.2.1 192.0.2.2 2001:db8::1"));
}

TEST_F(DnsResolverTest, LooksAgainWhenTheAnswerExpiresAndTellsOnlyChanges) {
  Serve("a.org", Addresses({"192.0.2.1", "192.0.2.2"}));
  resolver_->Start("a.org");
  Settle();
  Told();
  Serve("a.org", Addresses({"192.0.2.2", "192.0.2.1"}));
  clock_.Advance(absl::Seconds(30));
  Settle();
  EXPECT_EQ(lookups(), 2);
  EXPECT_THAT(Told(), IsEmpty());
  Serve("a.org", Addresses({"192.0.2.3"}));
  clock_.Advance(absl::Seconds(29));
  Settle();
  EXPECT_THAT(Told(), IsEmpty());
  clock_.Advance(absl::Seconds(1));
  Settle();
  EXPECT_THAT(Told(), ElementsAre("a.org: 192.0.2.3"));
}

TEST_F(DnsResolverTest, KeepsTheLastGoodAddressesWhenLookupsFail) {
  Serve("a.org", Addresses({"192.0.2.1"}));
  resolver_->Start("a.org");
  Settle();
  Told();
  Serve("a.org", Failure());
  for (int i = 0; i < 10; ++i) {
    clock_.Advance(absl::Seconds(30));
    Settle();
  }
  EXPECT_THAT(Told(), IsEmpty());
  Serve("a.org", Addresses({"192.0.2.1"}));
  clock_.Advance(absl::Seconds(30));
  Settle();
  EXPECT_THAT(Told(), IsEmpty()) << "they were never away";
}

TEST_F(DnsResolverTest, TellsOfAFirstLookupThatFailsOnceAndRetriesSoon) {
  resolver_->Start("a.org");
  Settle();
  EXPECT_THAT(Told(), ElementsAre("a.org:"));
  EXPECT_LE(clock_.NextDeadline(), absl::Seconds(1));
  clock_.Advance(absl::Seconds(1));
  Settle();
  EXPECT_EQ(lookups(), 2);
  EXPECT_THAT(Told(), IsEmpty());
  Serve("a.org", Addresses({"192.0.2.1"}));
  clock_.Advance(absl::Seconds(2));
  Settle();
  EXPECT_THAT(Told(), ElementsAre("a.org: 192.0.2.1"));
}

TEST_F(DnsResolverTest, PausesGrowButNotBeyondTheirMaximum) {
  resolver_->Start("a.org");
  Settle();
  for (int i = 0; i < 20; ++i) {
    clock_.Advance(absl::Seconds(30));
    Settle();
  }
  EXPECT_EQ(lookups(), 21) << "one in each half minute at least";
  EXPECT_GE(clock_.NextDeadline(), absl::Seconds(15));
}

TEST_F(DnsResolverTest, AStoppedNameIsLookedUpNoMore) {
  Serve("a.org", Addresses({"192.0.2.1"}));
  Serve("b.org", Addresses({"192.0.2.2"}));
  resolver_->Start("a.org");
  resolver_->Start("b.org");
  SettleAfter(2);
  Told();
  resolver_->Stop("a.org");
  resolver_->Stop("never.org");
  const int before = lookups();
  clock_.Advance(absl::Seconds(30));
  Settle();
  EXPECT_EQ(lookups(), before + 1);
  resolver_->Start("a.org");
  SettleAfter(before + 2);
  EXPECT_THAT(Told(), ElementsAre("a.org: 192.0.2.1")) << "told anew after a new start";
}

TEST_F(DnsResolverTest, LifetimesBeyondReasonAreCutToIt) {
  Serve("a.org", Addresses({"192.0.2.1"}, absl::ZeroDuration()));
  resolver_->Start("a.org");
  Settle();
  EXPECT_EQ(clock_.NextDeadline(), absl::Seconds(1));
  Serve("a.org", Addresses({"192.0.2.1"}, absl::Hours(24)));
  clock_.Advance(absl::Seconds(1));
  Settle();
  EXPECT_EQ(clock_.NextDeadline(), absl::Minutes(5));
}

TEST(DnsResolver, OneNameThatHangsDoesNotHoldUpTheOthers) {
  SystemClock clock;
  std::mutex mutex;
  std::condition_variable changed;
  bool release = false;
  int told = 0;
  const auto lookup = [&](const std::string& name) -> Found {
    std::unique_lock<std::mutex> lock(mutex);
    if (name == "hangs.org") {
      changed.wait_for(lock, std::chrono::seconds(10), [&] { return release; });
    }
    return Addresses({"192.0.2.1"});
  };
  const auto callback = [&](const std::string&, const std::vector<base::Address>&) {
    const std::lock_guard<std::mutex> lock(mutex);
    ++told;
    changed.notify_all();
  };
  DnsResolver resolver(clock, lookup, callback, {});
  resolver.Start("hangs.org");
  resolver.Start("a.org");
  resolver.Start("b.org");
  std::unique_lock<std::mutex> lock(mutex);
  EXPECT_TRUE(changed.wait_for(lock, std::chrono::seconds(10), [&] { return told == 2; }));
  release = true;
  changed.notify_all();
}

}  // namespace
}  // namespace headgate::upstream
