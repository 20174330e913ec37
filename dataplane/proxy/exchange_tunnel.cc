// The part of an exchange after its upstream has accepted an upgrade.
#include "dataplane/proxy/exchange.h"

namespace headgate::proxy {

using base::Failure;
using observe::CounterId;

void Exchange::StartTunnel(const http::ResponseHead& head) {
  Advance(Event::kUpgraded);
  failure_ = {};  // an earlier attempt's
  record_.status = head.status;
  response_head_ = head;
  EditAnswer();
  AddOwnFields();
  SendHead(false);
  tunnel_ = true;
  request_body_.Start(false);  // both directions begin anew
  tunnel_idle_ = attempt_timeouts().read;
  if (route_ != nullptr && route_->limits != nullptr)
    tunnel_idle_ = route_->limits->tunnel_idle_timeout.value_or(tunnel_idle_);
  if (log_note_ != nullptr) log_rules_ = config_->settings->log_rules;
  ReleaseConfig();
  counters()[CounterId::kTunnels].Add();
  counters()[CounterId::kTunnelsActive].Add();
  tunnel_timer_.Arm(tunnel_idle_);
}

// A tunnel may live for days, and with it would every old configuration that some tunnel began
// under.
void Exchange::ReleaseConfig() {
  base::Arena& arena = downstream_->arena();
  for (std::string_view* label :
       {&record_.virtual_host, &record_.route_namespace, &record_.route_ingress,
        &record_.route_service, &record_.route_service_port, &record_.route_path}) {
    *label = arena.Copy(*label);
  }
  route_ = nullptr;
  config_.Release();
}

void Exchange::OnTunnelRequest(std::string_view piece, bool end) {
  counters()[CounterId::kTunnelBytesFromClients].Add(piece.size());
  if (upstream_ == nullptr)
    return request_body_.Ignore(piece, end);  // it has said everything, and reads no more
  tunnel_timer_.Arm(tunnel_idle_);
  request_body_.Receive(piece, end, upstream_);
  if (end && tunnel_response_ended_) return DetachUpstream({});
  UpdateHolds();
}

void Exchange::OnTunnelResponse(std::string_view piece, bool end) {
  counters()[CounterId::kTunnelBytesToClients].Add(piece.size());
  tunnel_timer_.Arm(tunnel_idle_);
  tunnel_response_ended_ = end;
  if (end && request_body_.complete()) DetachUpstream({});
  response_body_.Send(piece, end);
  UpdateHolds();
}

void Exchange::OnTimer(net::Timer& timer) {
  if (&timer == &deadline_timer_) return OnDeadline();
  if (&timer == &room_timer_) return OnWaitedTooLong();
  if (&timer != &tunnel_timer_) {  // the pace of the response
    response_body_.OnWritable();
    return UpdateHolds();
  }
  counters()[CounterId::kTunnelTimeouts].Add();
  Fail({Failure::Side::kInternal, Failure::Kind::kTimeout, Failure::Retry::kNever,
        "nothing moved in the tunnel"});
}

void Exchange::EndTunnel() {
  tunnel_timer_.Cancel();
  counters()[CounterId::kTunnelsActive].Subtract();
}

observe::CounterShard& Exchange::counters() { return services_.clusters().io().counters(); }

}  // namespace headgate::proxy
