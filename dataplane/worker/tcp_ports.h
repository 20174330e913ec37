#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "dataplane/net/event_loop.h"
#include "dataplane/net/listener.h"
#include "dataplane/net/socket.h"
#include "dataplane/observe/stream_counters.h"

namespace headgate::worker {

// The ports of TCP services at which one worker listens. Owned by the worker, on its thread.
class TcpPorts {
 public:
  class Owner {
   public:
    // A new connection of the service at `port`, whose numbers `counters` are.
    virtual void OnTcpAccept(uint16_t port, observe::StreamCounters& counters,
                             net::Listener& listener, net::Fd connection,
                             const base::Address& peer) = 0;
    virtual void OnAcceptOverload(net::Listener& listener, int error) = 0;

   protected:
    ~Owner() = default;
  };

  // Both outlive this.
  TcpPorts(net::EventLoop& loop, Owner& owner) : loop_(loop), owner_(owner) {}

  // Listens on `sockets` (BindTcp results; none: the port is open already). What is accepted from
  // now on counts in `counters`, which outlive this and the connections.
  void Open(uint16_t port, std::vector<net::Fd> sockets, observe::StreamCounters& counters);
  void Close(uint16_t port);
  void CloseAll();

 private:
  struct Port final : net::AcceptHandler {
    Port(Owner& port_owner, uint16_t port_number) : owner(port_owner), number(port_number) {}
    void OnAccept(net::Listener& listener, net::Fd connection, const base::Address& peer) override {
      owner.OnTcpAccept(number, *counters, listener, std::move(connection), peer);
    }
    void OnAcceptOverload(net::Listener& listener, int error) override {
      owner.OnAcceptOverload(listener, error);
    }

    Owner& owner;
    const uint16_t number;
    observe::StreamCounters* counters = nullptr;
    std::vector<std::unique_ptr<net::Listener>> listeners;
  };

  net::EventLoop& loop_;
  Owner& owner_;
  std::map<uint16_t, std::unique_ptr<Port>> ports_;
};

}  // namespace headgate::worker
