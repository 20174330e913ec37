#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "dataplane/codec/server_connection.h"
#include "dataplane/downstream/passthrough.h"

namespace headgate::downstream {

// What is spoken on a connection.
enum class Protocol : uint8_t { kHttp1, kHttp2 };

// The connections of a worker with its clients, from the accept to the end. Owns them; a closed one
// is freed at the end of the loop turn.
//
// Those of TCP services are a Passthrough. Where some TLS ends elsewhere, a HelloGreeting comes
// first, which may lead to one. Then a connection is a Greeting, which finds out its protocol; then
// it is replaced in its place here by one that speaks it. Plain connections of which only HTTP/1 is
// expected begin with that.
class Connections final : private codec::ServerConnectionOwner {
 public:
  // All arguments outlive this object. `options` is read at each use. `passthrough` may be null.
  Connections(codec::WorkerIo& io, const codec::ServerOptions& options,
              http::ServerHandler& handler, PassthroughServices* passthrough = nullptr);
  ~Connections();
  Connections(const Connections&) = delete;
  Connections& operator=(const Connections&) = delete;

  // Takes over an accepted connection. `info.handshake` is filled in after it. With
  // `info.tls` the transport may be a net::TcpTransport: TLS then begins, here or elsewhere, when
  // the client has said which name it wants.
  void Add(std::unique_ptr<net::Transport> transport, http::ConnectionInfo info);

  // Takes over an accepted connection of a TCP service: it is passed on to `target`, after the load
  // balancer's header if `load_balancers` demand one. REQUIRES: there is a PassthroughServices.
  void AddRaw(std::unique_ptr<net::Transport> transport, http::ConnectionInfo info,
              const PassthroughTarget& target, const codec::LoadBalancers& load_balancers);

  // Drain will come: until then connections are taken, but those of HTTP/1 end after a request.
  void AnnounceEnd();
  // Closes idle connections now and every other one after what it is serving.
  void Drain();
  // Closes everything now. Exchanges see OnDownstreamReset(kDraining).
  void CloseAll();

  size_t size() const { return connections_.size(); }

 private:
  friend class AddressGreeting;
  friend class Greeting;
  friend class HelloGreeting;

  // codec::ServerConnectionOwner
  void OnConnectionClosed(codec::ServerConnection& connection) override;

  // `greeting`, inert by now, gives its place to who speaks `protocol`. `early` has been read
  // already, `edges` have come.
  void Promote(codec::ServerConnection& greeting, Protocol protocol, codec::Accepted accepted,
               std::string_view early, net::IoEvents edges);
  template <typename Connection>
  void Replace(codec::ServerConnection& greeting, codec::Accepted accepted, std::string_view early,
               net::IoEvents edges);
  // `greeting`, inert by now, has found out who the client is: the connection begins.
  void Continue(codec::ServerConnection& greeting, codec::Accepted accepted, net::IoEvents edges);
  // The same, which name the client wants: the connection is passed on, or its TLS begins.
  void OnHello(codec::ServerConnection& greeting, codec::Accepted accepted,
               std::string_view server_name, net::IoEvents edges);
  // `greeting`, inert by now, has found out who the client of a TCP service is.
  void PassOn(codec::ServerConnection& greeting, codec::Accepted accepted,
              const PassthroughTarget& target, net::IoEvents edges);
  void StartPassthrough(codec::Accepted accepted, std::string_view server_name,
                        const PassthroughTarget& target, net::IoEvents edges);
  codec::Accepted Accept(std::unique_ptr<net::Transport> transport, http::ConnectionInfo info);
  // `edges` have come on a socket that is watched already.
  void Begin(codec::Accepted accepted, net::IoEvents edges);
  void Insert(std::unique_ptr<codec::ServerConnection> connection);
  void Remove(codec::ServerConnection& connection);

  codec::ServerEnvironment environment_;
  PassthroughServices* const passthrough_;
  std::vector<std::unique_ptr<codec::ServerConnection>> connections_;
  bool end_announced_ = false;
  bool draining_ = false;
};

}  // namespace headgate::downstream
