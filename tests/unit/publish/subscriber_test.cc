#include "controller/publish/subscriber.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <random>

#include "tests/unit/publish/test_resources.h"

namespace headgate::publish {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

v1::DataPlaneMessage Hello(const std::string& instance = "dp-1") {
  v1::DataPlaneMessage message;
  message.mutable_hello()->set_instance(instance);
  return message;
}

v1::DataPlaneMessage Inventory(const Content& held, bool last = true) {
  v1::DataPlaneMessage message;
  for (const auto& [name, hash] : held) {
    v1::HeldResource* resource = message.mutable_inventory()->add_held();
    resource->set_name(name);
    resource->set_hash(hash);
  }
  message.mutable_inventory()->set_last(last);
  return message;
}

v1::DataPlaneMessage Result(const std::string& version) {
  v1::DataPlaneMessage message;
  message.mutable_result()->set_version(version);
  return message;
}

// A data plane made of a map.
struct Peer {
  Content held;
  Content staged;
  std::vector<std::string> staged_removals;
  size_t deltas = 0;
  size_t largest = 0;
  std::string version;

  // True at a commit.
  bool Take(const v1::ControllerMessage& message) {
    if (message.has_delta()) {
      ++deltas;
      largest = std::max(largest, message.ByteSizeLong());
      for (const auto& upsert : message.delta().upserts()) staged[upsert.name()] = upsert.hash();
      for (const auto& name : message.delta().removed()) staged_removals.push_back(name);
      return false;
    }
    for (const std::string& name : staged_removals) held.erase(name);
    for (const auto& [name, hash] : staged) held[name] = hash;
    staged.clear();
    staged_removals.clear();
    version = message.commit().version();
    EXPECT_EQ(held.size(), message.commit().resource_count());
    return true;
  }
};

class SubscriberTest : public testing::Test {
 protected:
  void Connect(const Content& held = {}) {
    ASSERT_TRUE(subscriber_.OnMessage(Hello()).ok());
    ASSERT_TRUE(subscriber_.OnMessage(Inventory(held)).ok());
    peer_.held = held;
  }
  // Sends everything up to the commit.
  void SendAll() {
    ASSERT_TRUE(subscriber_.CanBegin(log_));
    ASSERT_TRUE(subscriber_.CanFollow(log_));
    subscriber_.Begin(log_);
    while (auto message = subscriber_.Next()) peer_.Take(*message);
  }
  void Ack() { ASSERT_TRUE(subscriber_.OnMessage(Result(peer_.version)).ok()); }

  SnapshotLog log_;
  Subscriber subscriber_;
  Peer peer_;
};

TEST_F(SubscriberTest, TellsEverythingToOneThatHoldsNothing) {
  log_.Apply({Put("a", 1), Put("b", 2)});
  EXPECT_FALSE(subscriber_.CanBegin(log_));
  Connect();
  SendAll();
  EXPECT_EQ(peer_.held, (Content{{"a", 1}, {"b", 2}}));
  Ack();
  EXPECT_FALSE(subscriber_.CanBegin(log_));
  EXPECT_EQ(subscriber_.status().instance, "dp-1");
  EXPECT_EQ(subscriber_.status().acked_version, log_.version());
  EXPECT_EQ(subscriber_.status().acked_position, log_.position());
}

TEST_F(SubscriberTest, TellsOnlyTheDifferenceToOneThatComesBack) {
  log_.Apply({Put("same", 1), Put("changed", 2)});
  Connect({{"same", 1}, {"changed", 1}, {"gone", 1}});
  subscriber_.Begin(log_);
  auto delta = subscriber_.Next();
  ASSERT_TRUE(delta.has_value());
  ASSERT_EQ(delta->delta().upserts_size(), 1);
  EXPECT_EQ(delta->delta().upserts(0).name(), "changed");
  EXPECT_THAT(delta->delta().removed(), ElementsAre("gone"));
}

TEST_F(SubscriberTest, ConfirmsToOneThatHoldsEverything) {
  log_.Apply({Put("a", 1)});
  Connect({{"a", 1}});
  subscriber_.Begin(log_);
  auto commit = subscriber_.Next();
  ASSERT_TRUE(commit.has_value());
  EXPECT_TRUE(commit->has_commit());
  EXPECT_EQ(commit->commit().version(), log_.version());
}

TEST_F(SubscriberTest, TakesAnInventoryInParts) {
  log_.Apply({Put("a", 1), Put("b", 1)});
  ASSERT_TRUE(subscriber_.OnMessage(Hello()).ok());
  ASSERT_TRUE(subscriber_.OnMessage(Inventory({{"a", 1}}, false)).ok());
  EXPECT_FALSE(subscriber_.ready());
  ASSERT_TRUE(subscriber_.OnMessage(Inventory({{"b", 1}}, true)).ok());
  subscriber_.Begin(log_);
  EXPECT_TRUE(subscriber_.Next()->has_commit());
}

TEST_F(SubscriberTest, ASlowOneGetsTheMergedLatestState) {
  log_.Apply({Put("a", 1)});
  Connect();
  SendAll();
  for (uint64_t form = 2; form <= 50; ++form) {
    log_.Apply({Put("a", form), Put("b" + std::to_string(form), 1)});
    log_.Apply({Removal("b" + std::to_string(form))});
    EXPECT_FALSE(subscriber_.CanBegin(log_)) << "nothing goes out before the result";
  }
  EXPECT_EQ(peer_.held, (Content{{"a", 1}}));
  Ack();
  peer_.deltas = 0;
  SendAll();
  EXPECT_EQ(peer_.held, (Content{{"a", 50}}));
  EXPECT_EQ(peer_.deltas, 1u);
}

TEST_F(SubscriberTest, WhatIsUnderWayIsNotTouchedByLaterChanges) {
  log_.Apply({Put("a", 1), Put("b", 1)});
  Connect();
  subscriber_.Begin(log_);
  const std::string version = log_.version();
  log_.Apply({Put("a", 2), Removal("b")});
  while (auto message = subscriber_.Next()) peer_.Take(*message);
  EXPECT_EQ(peer_.held, (Content{{"a", 1}, {"b", 1}}));
  EXPECT_EQ(peer_.version, version);
}

TEST_F(SubscriberTest, CutsLargeDifferencesIntoChunks) {
  std::vector<Change> changes;
  for (int i = 0; i < 300; ++i) changes.push_back(Put("r" + std::to_string(i), 1, 20'000));
  changes.push_back(Put("huge", 1, 3'000'000));
  log_.Apply(std::move(changes));
  Connect();
  subscriber_.Begin(log_);
  size_t oversized = 0;
  while (auto message = subscriber_.Next()) {
    if (message->ByteSizeLong() >= (size_t{1} << 20)) {
      ++oversized;
      EXPECT_EQ(message->delta().upserts_size(), 1) << "a resource that is too large goes alone";
    }
    peer_.Take(*message);
  }
  EXPECT_EQ(oversized, 1u);
  EXPECT_GE(peer_.deltas, 7u);
  EXPECT_THAT(peer_.held, SizeIs(301));
}

TEST_F(SubscriberTest, CutsManyRemovalsIntoChunks) {
  Content held;
  for (int i = 0; i < 30'000; ++i)
    held["name-that-takes-some-room-" + std::string(60, 'x') + std::to_string(i)] = 1;
  log_.Apply({Put("a", 1)});
  Connect(held);
  SendAll();
  EXPECT_EQ(peer_.held, (Content{{"a", 1}}));
  EXPECT_GT(peer_.deltas, 1u);
  EXPECT_LT(peer_.largest, size_t{1} << 20);
}

TEST_F(SubscriberTest, ARefusedResourceIsNotSentAgainUntilItChanges) {
  log_.Apply({Put("good", 1), Put("bad", 1)});
  Connect();
  SendAll();
  v1::DataPlaneMessage result = Result(peer_.version);
  v1::Refusal* refusal = result.mutable_result()->add_refusals();
  refusal->set_resource("bad");
  refusal->set_reason("key does not match");
  ASSERT_TRUE(subscriber_.OnMessage(result).ok());
  ASSERT_THAT(subscriber_.newly_refused(), SizeIs(1));
  EXPECT_EQ(subscriber_.newly_refused()[0].resource->hash(), 1u);
  ASSERT_THAT(subscriber_.status().refused, SizeIs(1));
  EXPECT_EQ(subscriber_.status().refused[0].resource->name(), "bad");
  EXPECT_EQ(subscriber_.status().refused[0].reason, "key does not match");
  EXPECT_FALSE(subscriber_.CanBegin(log_));

  log_.Apply({Put("good", 2)});
  subscriber_.Begin(log_);
  auto delta = subscriber_.Next();
  ASSERT_EQ(delta->delta().upserts_size(), 1);
  EXPECT_EQ(delta->delta().upserts(0).name(), "good");
  peer_.Take(*delta);
  peer_.Take(*subscriber_.Next());
  Ack();
  EXPECT_THAT(subscriber_.newly_refused(), IsEmpty());
  EXPECT_THAT(subscriber_.status().refused, SizeIs(1)) << "still in force";

  log_.Apply({Put("bad", 2)});
  SendAll();
  Ack();
  EXPECT_THAT(subscriber_.status().refused, IsEmpty());
}

TEST_F(SubscriberTest, ARemovedResourceIsNoLongerRefused) {
  log_.Apply({Put("good", 1), Put("bad", 1)});
  Connect();
  SendAll();
  v1::DataPlaneMessage result = Result(peer_.version);
  result.mutable_result()->add_refusals()->set_resource("bad");
  ASSERT_TRUE(subscriber_.OnMessage(result).ok());
  log_.Apply({Removal("bad")});
  SendAll();
  Ack();
  EXPECT_THAT(subscriber_.status().refused, IsEmpty());
}

TEST_F(SubscriberTest, ARefusedResourceIsSentAgainOnANewStream) {
  log_.Apply({Put("bad", 2)});
  Connect({{"bad", 1}});
  SendAll();
  EXPECT_EQ(peer_.held, (Content{{"bad", 2}}));
}

TEST_F(SubscriberTest, OneThatIsTooFarBehindMustComeAgain) {
  log_ = SnapshotLog(/*removed_limit=*/1);
  log_.Apply({Put("a", 1), Put("b", 1), Put("c", 1)});
  Connect();
  SendAll();
  log_.Apply({Removal("a"), Removal("b")});
  Ack();
  EXPECT_TRUE(subscriber_.CanBegin(log_));
  EXPECT_FALSE(subscriber_.CanFollow(log_));
}

TEST_F(SubscriberTest, RefusesMessagesOutOfOrder) {
  log_.Apply({Put("a", 1)});
  const auto is_refused = [](Subscriber& subscriber, v1::DataPlaneMessage message) {
    return subscriber.OnMessage(std::move(message)).code() == absl::StatusCode::kInvalidArgument;
  };
  Subscriber fresh;
  EXPECT_TRUE(is_refused(fresh, Inventory({})));
  EXPECT_TRUE(is_refused(fresh, Result("x")));
  EXPECT_TRUE(is_refused(fresh, v1::DataPlaneMessage()));

  Connect();
  EXPECT_TRUE(is_refused(subscriber_, Hello()));
  EXPECT_TRUE(is_refused(subscriber_, Inventory({})));
  EXPECT_TRUE(is_refused(subscriber_, Result(""))) << "nothing was committed";
  SendAll();
  EXPECT_TRUE(is_refused(subscriber_, Result("another")));
  v1::DataPlaneMessage result = Result(peer_.version);
  result.mutable_result()->add_refusals()->set_resource("never-sent");
  EXPECT_TRUE(is_refused(subscriber_, result));
}

// Whatever happens in whatever order, a data plane that answers ends up with the current snapshot.
TEST(SubscriberPropertyTest, EveryoneConverges) {
  for (uint32_t seed = 1; seed <= 50; ++seed) {
    SCOPED_TRACE(seed);
    std::minstd_rand random(seed);
    const auto chance = [&](uint32_t one_in) { return random() % one_in == 0; };
    SnapshotLog log(/*removed_limit=*/8);
    Content truth;
    constexpr size_t kPeers = 3;
    std::vector<Peer> peers(kPeers);
    std::vector<Subscriber> subscribers(kPeers);
    std::vector<bool> connected(kPeers, false);
    log.Apply({Put("settings", 1)});
    truth["settings"] = 1;

    const auto step = [&](size_t i) {
      if (!connected[i]) {
        subscribers[i] = Subscriber();
        peers[i].staged.clear();
        peers[i].staged_removals.clear();
        ASSERT_TRUE(subscribers[i].OnMessage(Hello()).ok());
        ASSERT_TRUE(subscribers[i].OnMessage(Inventory(peers[i].held)).ok());
        connected[i] = true;
      }
      if (subscribers[i].CanBegin(log)) {
        if (!subscribers[i].CanFollow(log)) {
          connected[i] = false;
          return;
        }
        subscribers[i].Begin(log);
      }
      if (auto message = subscribers[i].Next()) {
        peers[i].Take(*message);
      } else if (!peers[i].version.empty()) {
        // Ignored where nothing was committed since.
        (void)subscribers[i].OnMessage(Result(peers[i].version));
      }
    };

    for (int round = 0; round < 400; ++round) {
      if (chance(2)) {
        std::map<std::string, Change> changes;
        for (uint32_t n = random() % 4; n > 0; --n) {
          const std::string name = "r" + std::to_string(random() % 20);
          changes[name] = chance(3) ? Removal(name) : Put(name, 1 + random() % 5, 300'000);
        }
        std::vector<Change> list;
        for (auto& [name, change] : changes) {
          if (change.resource == nullptr) {
            truth.erase(name);
          } else {
            truth[name] = change.resource->hash();
          }
          list.push_back(std::move(change));
        }
        log.Apply(std::move(list));
      }
      const size_t i = random() % kPeers;
      if (chance(40)) connected[i] = false;
      step(i);
    }
    for (size_t i = 0; i < kPeers; ++i) {
      for (int n = 0; n < 100; ++n) step(i);
      EXPECT_EQ(peers[i].held, truth);
      EXPECT_EQ(peers[i].version, log.version());
    }
  }
}

TEST_F(SubscriberTest, TheLastHealthReportIsWhatIsKnown) {
  v1::DataPlaneMessage message;
  message.mutable_health()->set_unhealthy(2);
  EXPECT_FALSE(subscriber_.OnMessage(message).ok()) << "before the hello";
  Subscriber subscriber;
  ASSERT_TRUE(subscriber.OnMessage(Hello()).ok());
  ASSERT_TRUE(subscriber.OnMessage(Inventory({})).ok());
  message.mutable_health()->add_upstreams()->set_name("endpoints/n/web/80");
  ASSERT_TRUE(subscriber.OnMessage(message).ok());
  EXPECT_EQ(subscriber.status().health.unhealthy(), 2u);
  EXPECT_EQ(subscriber.status().health.upstreams_size(), 1);
  message.mutable_health()->Clear();
  ASSERT_TRUE(subscriber.OnMessage(message).ok());
  EXPECT_EQ(subscriber.status().health.unhealthy(), 0u);
  for (int i = 0; i <= 1000; ++i) message.mutable_health()->add_upstreams();
  EXPECT_FALSE(subscriber.OnMessage(message).ok());
}

}  // namespace
}  // namespace headgate::publish
