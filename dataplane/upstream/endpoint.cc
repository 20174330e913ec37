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
      text_(address.Text()) {
  if (tls != nullptr) MakeExtras().tls = tls;
}

void Endpoint::SetCandidates(std::shared_ptr<const std::vector<base::Address>> candidates) {
  if (candidates == nullptr) {
    if (extras_ != nullptr) extras_->candidates = nullptr;
    return;
  }
  std::unique_ptr<Candidates>& kept = MakeExtras().candidates;
  if (kept == nullptr) kept = std::make_unique<Candidates>();
  kept->addresses = std::move(candidates);
}

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
  const EndpointUsage* const now = usage();
  if (now == nullptr ? cluster == nullptr : now->Is(cluster, requests)) return;
  MakeExtras().usage =
      cluster == nullptr ? nullptr : std::make_unique<EndpointUsage>(cluster, requests);
  UpdateUsage();
}

void Endpoint::SetConnectionRules(const config::ConnectionRules* rules) {
  if (rules == nullptr && own_rules() == nullptr) return;
  std::unique_ptr<OwnRules>& own = MakeExtras().own;
  if (own == nullptr) own = std::make_unique<OwnRules>();
  own->options = set_.client_options(false);
  own->single_use = set_.client_options(true);
  own->idle_timeout = rules == nullptr ? std::chrono::milliseconds(0) : rules->idle_timeout;
  own->max_idle = rules == nullptr ? 0 : rules->idle_connections;
  if (rules == nullptr) return;
  if (rules->max_requests != 0) own->options.max_requests = rules->max_requests;
  if (rules->http_1_0) own->options.max_requests = 1;
  own->options.http_1_0 = own->single_use.http_1_0 = rules->http_1_0;
}

const codec::ClientOptions& Endpoint::client_options(bool single_use) const {
  const OwnRules* const own = own_rules();
  if (own == nullptr) return set_.client_options(single_use);
  return single_use ? own->single_use : own->options;
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
  if (speaks_tls())
    return std::make_unique<tls::TlsTransport>(*extras_->tls, std::move(fd), extras_->session);
  return std::make_unique<net::TcpTransport>(std::move(fd));
}

std::vector<base::Address> Endpoint::RaceOrder() const {
  std::vector<base::Address> order = *extras_->candidates->addresses;
  const auto good = std::find(order.begin(), order.end(), extras_->candidates->last_good);
  if (good != order.end()) std::rotate(order.begin(), good, good + 1);
  return order;
}

void Endpoint::NoteReached(const base::Address& address) {
  if (races()) extras_->candidates->last_good = address;  // they may have gone while it connected
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
