// A whole exchange through a real worker: its time here is mostly wake-ups of three threads, its
// allocations are what counts. After the warm-up there may be none.
#include <arpa/inet.h>
#include <benchmark/benchmark.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "bench/micro/allocations.h"
#include "dataplane/config/config_builder.h"
#include "dataplane/worker/worker_pool.h"

namespace headgate::bench {
namespace {

[[noreturn]] void Fail(const char* what) {
  std::fprintf(stderr, "error: %s\n", what);
  std::exit(1);
}

sockaddr_in Loopback(uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

void SendAll(int fd, std::string_view text) {
  if (send(fd, text.data(), text.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(text.size())) {
    Fail("short send");
  }
}

// Reads until `size` bytes are there, or an empty line if `size` is 0. Returns how many were read.
size_t ReadMessage(int fd, std::array<char, 16384>& buffer, size_t size) {
  size_t have = 0;
  while (true) {
    const ssize_t got = recv(fd, buffer.data() + have, buffer.size() - have, 0);
    if (got <= 0) return 0;
    have += static_cast<size_t>(got);
    const std::string_view text(buffer.data(), have);
    if (size != 0 ? have >= size : text.ends_with("\r\n\r\n")) return have;
  }
}

// Answers every request on one connection at a time with the same bytes.
class Backend {
 public:
  explicit Backend(std::string answer) : answer_(std::move(answer)) {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = Loopback(0);
    socklen_t size = sizeof address;
    if (bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        listen(listener_, 16) != 0 ||
        getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
      Fail("cannot listen");
    }
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { Serve(); });
  }
  ~Backend() {
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    close(listener_);
  }
  uint16_t port() const { return port_; }

 private:
  void Serve() {
    std::array<char, 16384> buffer;
    while (true) {
      const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) return;
      const int on = 1;
      setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      while (ReadMessage(fd, buffer, 0) != 0) SendAll(fd, answer_);
      close(fd);
    }
  }

  const std::string answer_;
  int listener_ = -1;
  uint16_t port_ = 0;
  std::thread thread_;
};

config::ConfigUpdate Configure(config::ConfigBuilder& builder, uint16_t backend_port) {
  std::array<v1::Resource, 3> resources;
  resources[0].set_name("vhost/_");
  resources[0].mutable_virtual_host()->set_host("_");
  v1::Route* route = resources[0].mutable_virtual_host()->add_routes();
  route->mutable_match()->set_prefix_path("/");
  route->mutable_forward()->add_clusters()->set_cluster("cluster/ns/app/80");
  resources[1].set_name("cluster/ns/app/80");
  resources[1].mutable_cluster()->set_endpoints("endpoints/ns/app/80");
  resources[2].set_name("endpoints/ns/app/80");
  v1::Endpoint* endpoint = resources[2].mutable_endpoints()->add_endpoints();
  endpoint->set_address(std::string("\x7f\0\0\1", 4));
  endpoint->set_port(backend_port);
  const std::vector<const v1::Resource*> pointers = {&resources[0], &resources[1], &resources[2]};
  config::BuildResult result = builder.Apply(pointers, {});
  if (!result.refusals.empty()) Fail(result.refusals.front().reason.c_str());
  return std::move(result.update);
}

void BM_KeepAliveExchange(benchmark::State& state) {
  const std::string body(1024, 'x');
  const Backend backend(
      "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 1024\r\n\r\n" + body);
  config::ConfigBuilder builder{config::ConfigBuilder::Options()};
  worker::PoolOptions options;
  options.workers = 1;
  options.http_listen = {*base::Address::ParseIp("127.0.0.1", 0)};
  auto pool = worker::WorkerPool::Create(std::move(options));
  if (!pool.ok()) Fail("cannot bind");
  (*pool)->Start();
  (*pool)->Apply(Configure(builder, backend.port()));

  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const sockaddr_in address = Loopback((*pool)->http_addresses().front().port());
  // The worker listens once it has its configuration.
  (*pool)->OnEach([](worker::Worker&) {});
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    Fail("cannot connect");
  }
  constexpr std::string_view kRequest =
      "GET /a/b?c=d HTTP/1.1\r\nHost: bench.test\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n";
  std::array<char, 16384> buffer;
  SendAll(fd, kRequest);
  const size_t answer_size = ReadMessage(fd, buffer, body.size());
  const auto exchange = [&] {
    SendAll(fd, kRequest);
    if (ReadMessage(fd, buffer, answer_size) != answer_size) Fail("wrong answer");
  };
  for (int i = 0; i < 50; ++i) exchange();
  {
    AllocationsPerIteration allocations(state);
    for (auto _ : state) exchange();
    allocations.RequireNone();
  }
  close(fd);
  (*pool)->Stop();
}
// Fewer than the requests after which a client connection is closed.
BENCHMARK(BM_KeepAliveExchange)->Iterations(800)->UseRealTime();

}  // namespace
}  // namespace headgate::bench
