#include "dataplane/net/connect_race.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace headgate::net {
namespace {

class OpenListener {
 public:
  OpenListener() : fd_(*BindTcp(*base::Address::ParseIp("127.0.0.1", 0))) {
    listen(fd_.get(), 8);
    address_ = *LocalAddress(fd_.get());
  }
  const base::Address& address() const { return address_; }
  bool HasConnection() const {
    pollfd waiting{fd_.get(), POLLIN, 0};
    return poll(&waiting, 1, 0) > 0;
  }

 private:
  Fd fd_;
  base::Address address_;
};

// A listener that answers nobody any more: its queue is full, and what more would come is dropped.
class DeafListener {
 public:
  DeafListener() : fd_(*BindTcp(*base::Address::ParseIp("127.0.0.1", 0))) {
    listen(fd_.get(), 0);
    address_ = *LocalAddress(fd_.get());
    for (int i = 0; i < 3; ++i) fill_.push_back(*ConnectTcp(address_));
  }
  const base::Address& address() const { return address_; }

 private:
  Fd fd_;
  base::Address address_;
  std::vector<Fd> fill_;
};

class ConnectRaceTest : public ::testing::Test, protected ConnectRace::Owner {
 protected:
  ConnectRaceTest() {
    for (int i = 0; i < 2; ++i) listeners.push_back(std::make_unique<OpenListener>());
    auto gone = std::make_unique<OpenListener>();
    refusing = gone->address();
  }

  // The address that has won; nullopt: none did. Fails after ten seconds.
  std::optional<base::Address> Run(std::vector<base::Address> addresses) {
    over_ = false;
    winner_.reset();
    auto race = std::make_unique<ConnectRace>(loop, std::move(addresses),
                                              static_cast<ConnectRace::Owner&>(*this));
    const auto start = std::chrono::steady_clock::now();
    race->Start();
    EXPECT_FALSE(over_) << "told from within Start";
    while (!over_ && std::chrono::steady_clock::now() - start < std::chrono::seconds(10))
      loop.RunOnce(milliseconds(100));
    EXPECT_TRUE(over_);
    took = std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - start);
    return winner_;
  }

  EventLoop loop;
  std::vector<std::unique_ptr<OpenListener>> listeners;
  base::Address refusing;
  milliseconds took{0};

 private:
  void OnRaceWon(Fd fd, IoRegistration registration, const base::Address& address,
                 IoEvents /*edges*/) override {
    EXPECT_TRUE(fd);
    EXPECT_TRUE(registration);
    over_ = true;
    winner_ = address;
  }
  void OnRaceLost() override { over_ = true; }

  bool over_ = false;
  std::optional<base::Address> winner_;
};

TEST_F(ConnectRaceTest, TheFirstAddressWinsIfItAnswers) {
  EXPECT_EQ(Run({listeners[0]->address(), listeners[1]->address()}), listeners[0]->address());
  EXPECT_TRUE(listeners[0]->HasConnection());
  EXPECT_FALSE(listeners[1]->HasConnection());
}

TEST_F(ConnectRaceTest, TheNextIsTriedAtOnceWhenOneIsRefused) {
  EXPECT_EQ(Run({refusing, refusing, refusing, refusing, listeners[0]->address()}),
            listeners[0]->address());
  EXPECT_LT(took, 3 * ConnectRace::kDelay);  // less than four waits, however busy the machine
}

TEST_F(ConnectRaceTest, TheNextIsTriedAfterAWhileWhenOneDoesNotAnswer) {
  const DeafListener deaf;
  EXPECT_EQ(Run({deaf.address(), listeners[0]->address()}), listeners[0]->address());
  EXPECT_GE(took, ConnectRace::kDelay);
}

TEST_F(ConnectRaceTest, AddressesThatCannotEvenBeTriedArePassedOver) {
  const auto nowhere = *base::Address::ParseIp("255.255.255.255", 80);
  EXPECT_EQ(Run({nowhere, nowhere, nowhere, nowhere, listeners[0]->address()}),
            listeners[0]->address());
  EXPECT_LT(took, 3 * ConnectRace::kDelay);
}

TEST_F(ConnectRaceTest, WithoutAnyTheRaceIsLost) {
  EXPECT_EQ(Run({refusing}), std::nullopt);
  EXPECT_EQ(Run({*base::Address::ParseIp("255.255.255.255", 80)}), std::nullopt);
}

TEST_F(ConnectRaceTest, NothingIsToldAfterStop) {
  ConnectRace race(loop, {listeners[0]->address()}, static_cast<ConnectRace::Owner&>(*this));
  race.Start();
  race.Stop();
  loop.RunOnce(milliseconds(50));
}

}  // namespace
}  // namespace headgate::net
