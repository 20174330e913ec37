#include "dataplane/upstream/endpoint.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "dataplane/net/tcp_transport.h"
#include "dataplane/observe/counters.h"
#include "dataplane/tls/tls_transport.h"
#include "dataplane/upstream/cluster_set.h"
#include "dataplane/upstream/http1_endpoint.h"
#include "dataplane/upstream/http2_endpoint.h"

namespace headgate::upstream {

std::unique_ptr<Endpoint> Endpoint::Make(ClusterSet& set, Cluster& cluster,
                                         const base::Address& address, config::Protocol protocol,
                                         tls::ClientContext* tls) {
  if (protocol == config::Protocol::kH2c || protocol == config::Protocol::kH2) {
    return std::make_unique<Http2Endpoint>(set, cluster, address, tls);
  }
  return std::make_unique<Http1Endpoint>(set, cluster, address, tls);
}

Endpoint::Endpoint(ClusterSet& set, Cluster& cluster, const base::Address& address,
                   tls::ClientContext* tls)
    : Peer(set.NextPeerId()),
      set_(set),
      cluster_(&cluster),
      address_(address),
      text_(address.Text()),
      tls_(tls) {}

void Endpoint::OnAttemptBegin() {
  ++active;
  if (cluster_ != nullptr) cluster_->AddActive(1);
}

void Endpoint::OnAttemptEnd(const AttemptOutcome& outcome) {
  --active;
  UpdateUsage();
  if (cluster_ == nullptr) return;
  cluster_->SubtractActive(1);
  cluster_->OnAttemptEnd(*this, outcome);
}

void Endpoint::SetUsage(const std::shared_ptr<config::ClusterUsage>& cluster,
                        const std::shared_ptr<config::UsageCount>& requests) {
  if (usage_ == nullptr ? cluster == nullptr : usage_->Is(cluster, requests)) return;
  usage_ = cluster == nullptr ? nullptr : std::make_unique<EndpointUsage>(cluster, requests);
  UpdateUsage();
}

void Endpoint::SetConnectionRules(const config::ConnectionRules* rules) {
  if (rules == nullptr && own_ == nullptr) return;
  if (own_ == nullptr) own_ = std::make_unique<OwnRules>();
  own_->options = set_.client_options(false);
  own_->single_use = set_.client_options(true);
  own_->idle_timeout = rules == nullptr ? std::chrono::milliseconds(0) : rules->idle_timeout;
  own_->max_idle = rules == nullptr ? 0 : rules->idle_connections;
  if (rules == nullptr) return;
  if (rules->max_requests != 0) own_->options.max_requests = rules->max_requests;
  if (rules->http_1_0) own_->options.max_requests = 1;
  own_->options.http_1_0 = own_->single_use.http_1_0 = rules->http_1_0;
}

const codec::ClientOptions& Endpoint::client_options(bool single_use) const {
  if (own_ == nullptr) return set_.client_options(single_use);
  return single_use ? own_->single_use : own_->options;
}

std::unique_ptr<net::Transport> Endpoint::Connect() {
  auto fd = net::ConnectTcp(address_);
  // What follows may fail as well, and then for lack of memory.
  lacked_resources_ =
      fd.ok() || absl::IsResourceExhausted(fd.status()) || absl::IsAlreadyExists(fd.status());
  if (fd.ok()) return MakeTransport(*std::move(fd));
  set_.io().counters()[observe::CounterId::kUpstreamConnectFailures].Add();
  return nullptr;
}

std::unique_ptr<net::Transport> Endpoint::MakeTransport(net::Fd fd) {
  if (tls_ != nullptr) return std::make_unique<tls::TlsTransport>(*tls_, std::move(fd), session_);
  return std::make_unique<net::TcpTransport>(std::move(fd));
}

std::vector<base::Address> Endpoint::RaceOrder() const {
  std::vector<base::Address> order = *candidates_->addresses;
  const auto good = std::find(order.begin(), order.end(), candidates_->last_good);
  if (good != order.end()) std::rotate(order.begin(), good, good + 1);
  return order;
}

void Endpoint::NoteReached(const base::Address& address) {
  if (candidates_ != nullptr)
    candidates_->last_good = address;  // they may have gone while it connected
  text_ = address.Text();
}

std::unique_ptr<net::Transport> Endpoint::TakeWinner(net::Fd fd, const base::Address& address) {
  NoteReached(address);
  return MakeTransport(std::move(fd));
}

void Endpoint::OnRawBegin() {
  ++raw_;
  OnAttemptBegin();
}

void Endpoint::OnRawEnd(const AttemptOutcome& outcome) {
  --raw_;
  OnAttemptEnd(outcome);
  if (leaving() && unused()) set_.OnEndpointLeft(*this);
}

void Endpoint::OnConnectionGone() {
  UpdateUsage();
  if (leaving() && unused()) set_.OnEndpointLeft(*this);
}

void Endpoint::Leave() {
  cluster_->SubtractActive(active);
  cluster_ = nullptr;
  if (unused()) {
    set_.OnEndpointLeft(*this);
  } else {
    CloseIdleSince(net::TimePoint::max());  // the last one to close reports us as left
  }
}

}  // namespace headgate::upstream
