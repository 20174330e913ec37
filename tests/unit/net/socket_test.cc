#include "dataplane/net/socket.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <optional>
#include <string>
#include <vector>

#include "dataplane/base/address.h"
#include "dataplane/net/event_loop.h"
#include "dataplane/net/listener.h"
#include "dataplane/net/tcp_transport.h"

namespace headgate::net {
namespace {

using base::Address;

struct Acceptor : AcceptHandler {
  void OnAccept(Listener&, Fd connection, const Address& peer) override {
    accepted.push_back(std::move(connection));
    EXPECT_TRUE(peer.is_loopback());
  }
  // UBSan looks at dynamic types through a pipe, for which there are no descriptors here.
  __attribute__((no_sanitize("vptr"))) void OnAcceptOverload(Listener&, int) override {
    ++overloads;
  }
  std::vector<Fd> accepted;
  int overloads = 0;
};

Address Loopback() { return *Address::ParseHostPort("127.0.0.1:0"); }

TEST(ListenerTest, AcceptsMoreThanOneBatchAndWhatWaitsAtClose) {
  EventLoop loop;
  Acceptor acceptor;
  Listener listener(loop, std::move(*BindTcp(Loopback())), acceptor);
  std::vector<Fd> clients;
  auto connect = [&](int count) {
    for (int i = 0; i < count; ++i) clients.push_back(std::move(*ConnectTcp(listener.address())));
  };
  connect(150);
  for (int i = 0; i < 12 && acceptor.accepted.size() < 150; ++i) loop.RunOnce(milliseconds(100));
  EXPECT_EQ(acceptor.accepted.size(), 150u);
  connect(5);
  listener.Close();
  EXPECT_EQ(acceptor.accepted.size(), 155u);
  EXPECT_FALSE(ConnectError(ConnectTcp(listener.address()).value_or(Fd()).get()) == 0);
}

TEST(ListenerTest, GoesOnAfterRunningOutOfDescriptors) {
  EventLoop loop;
  Acceptor acceptor;
  Listener listener(loop, std::move(*BindTcp(Loopback())), acceptor);
  const auto accept_until = [&](size_t count) {
    for (int i = 0; i < 50 && acceptor.accepted.size() < count; ++i) loop.RunOnce(milliseconds(20));
    EXPECT_EQ(acceptor.accepted.size(), count);
  };
  // A first one, so that UBSan has seen the types of the objects that call each other.
  const Fd first = std::move(*ConnectTcp(listener.address()));
  accept_until(1);
  const Fd second = std::move(*ConnectTcp(listener.address()));
  rlimit old;
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &old), 0);
  const rlimit none{static_cast<rlim_t>(second.get() + 1), old.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  loop.RunOnce(milliseconds(100));
  EXPECT_EQ(acceptor.overloads, 1);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &old), 0);
  accept_until(2);
  EXPECT_EQ(acceptor.overloads, 1);
}

struct ConnectedPair {
  ConnectedPair() {
    const Fd listening = std::move(*BindTcp(Loopback()));
    EXPECT_EQ(listen(listening.get(), 1), 0);
    client.emplace(std::move(*ConnectTcp(*LocalAddress(listening.get()))));
    int raw = -1;
    while (raw < 0) raw = accept4(listening.get(), nullptr, nullptr, SOCK_NONBLOCK);
    server.emplace(Fd(raw));
  }
  std::optional<TcpTransport> client, server;
};

TEST(TcpTransportTest, GathersWritesAndTellsTheEnd) {
  ConnectedPair pair;
  char buffer[64];
  EXPECT_EQ(pair.server->Read(buffer).status, IoResult::Status::kBlocked);

  char hello[] = "hello ", world[] = "world";
  const iovec pieces[] = {{hello, 6}, {world, 5}};
  EXPECT_EQ(pair.client->Write(pieces).bytes, 11u);
  const IoResult got = pair.server->Read(buffer);
  EXPECT_EQ(std::string(buffer, got.bytes), "hello world");
  EXPECT_TRUE(got.drained);

  pair.client->ShutdownWrite();
  EXPECT_EQ(pair.server->Read(buffer).status, IoResult::Status::kEof);
}

TEST(TcpTransportTest, ReportsAReset) {
  ConnectedPair pair;
  const linger abort{1, 0};
  setsockopt(pair.client->fd(), SOL_SOCKET, SO_LINGER, &abort, sizeof(abort));
  pair.client.reset();
  char buffer[64];
  const IoResult failed = pair.server->Read(buffer);
  EXPECT_EQ(failed.status, IoResult::Status::kFailed);
  EXPECT_EQ(failed.failure, base::Failure::Kind::kReset);
}

TEST(TcpTransportTest, ReportsAShortWriteWhenTheSocketIsFull) {
  ConnectedPair pair;
  std::string much(64 << 20, 'x');
  const iovec piece{much.data(), much.size()};
  const IoResult sent = pair.client->Write({&piece, 1});
  EXPECT_EQ(sent.status, IoResult::Status::kOk);
  EXPECT_TRUE(sent.drained);
  // The kernel may move what it took to the receiving side and have room again, but not for ever.
  IoResult::Status status = IoResult::Status::kOk;
  for (int i = 0; i < 1000 && status == IoResult::Status::kOk; ++i) {
    status = pair.client->Write({&piece, 1}).status;
  }
  EXPECT_EQ(status, IoResult::Status::kBlocked);
}

}  // namespace
}  // namespace headgate::net
