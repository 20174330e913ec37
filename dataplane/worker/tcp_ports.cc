#include "dataplane/worker/tcp_ports.h"

#include <utility>

namespace headgate::worker {

void TcpPorts::Open(uint16_t port, std::vector<net::Fd> sockets,
                    observe::StreamCounters& counters) {
  std::unique_ptr<Port>& entry = ports_[port];
  if (entry == nullptr) entry = std::make_unique<Port>(owner_, port);
  entry->counters = &counters;
  for (net::Fd& socket : sockets) {
    entry->listeners.push_back(std::make_unique<net::Listener>(loop_, std::move(socket), *entry));
  }
}

void TcpPorts::Close(uint16_t port) {
  const auto at = ports_.find(port);
  if (at == ports_.end()) return;
  for (const auto& listener : at->second->listeners) listener->Close();
  ports_.erase(at);
}

void TcpPorts::CloseAll() {
  while (!ports_.empty()) Close(ports_.begin()->first);
}

}  // namespace headgate::worker
