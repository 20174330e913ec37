#include "dataplane/proxy/exchange.h"

#include <utility>
#include <variant>

#include "common/check.h"
#include "dataplane/http/uri.h"
#include "dataplane/proxy/local_reply.h"
#include "dataplane/route/host_table.h"

namespace headgate::proxy {
namespace {

using base::Failure;
using http::FieldId;
using std::chrono::microseconds;

constexpr uint16_t kClientClosedRequest = 499;  // nginx's word for it; only in logs and metrics

microseconds Since(net::TimePoint start, const net::EventLoop& loop) {
  // The turn's time would show every short exchange as 0.
  return std::chrono::duration_cast<microseconds>(loop.event_now() - start);
}

}  // namespace

Exchange::Exchange(ExchangeServices& services)
    : services_(services),
      request_body_(services.spill()),
      response_body_(services.encoders(), services.spill(), *this),
      tunnel_timer_(services.loop().timers(), *this),
      room_timer_(services.loop().timers(), *this),
      deadline_timer_(services.loop().timers(), *this) {}

void Exchange::Begin(http::ServerStream& downstream, const http::RequestHead& head) {
  phase_ = Phase::kNew;
  downstream_ = &downstream;
  request_ = &head;
  upstream_ = nullptr;
  config_ = services_.PinConfig();
  route_ = nullptr;
  forward_target_ = head.target;
  forwarded_prefix_ = {};
  attempts_ = 0;
  tried_count_ = 0;
  endpoint_ = nullptr;
  session_key_ = {};
  session_begun_ = false;
  trace_ = nullptr;
  log_note_ = nullptr;
  mirror_ = Mirrors::kNone;
  replaced_status_ = 0;
  error_page_ = false;
  path_ = {};
  attempt_reused_ = false;
  holding_request_ = false;
  holding_response_ = false;
  response_body_.Reset(downstream);
  tunnel_ = false;
  tunnel_response_ended_ = false;
  deadline_exceeded_ = false;
  failure_ = {};
  started_ = services_.loop().event_now();

  client_ = ResolveClient(head, downstream.connection(), *config_->settings, downstream.arena());

  record_.Reset();
  record_.received = services_.loop().wall_now();
  record_.client_ip = client_.ip;
  record_.method = head.method_text;
  record_.target = head.target;
  record_.version = http::VersionText(head.version);
  record_.host = head.authority;
  record_.scheme = client_.scheme;
  record_.referer = head.fields.Get(FieldId::kReferer);
  record_.user_agent = head.fields.Get(FieldId::kUserAgent);
  record_.request_id = head.fields.Get(FieldId::kXRequestId);
  if (record_.request_id.empty() && config_->settings->request_ids) {
    record_.request_id = services_.ids().Next(downstream.arena());
  }
}

void Exchange::Start(http::ServerStream& downstream, const http::RequestHead& head, bool end) {
  Begin(downstream, head);
  request_body_.Start(end);
  Route();
}

void Exchange::StartRefused(http::ServerStream& downstream, const http::RequestHead& head,
                            const Failure& failure) {
  Begin(downstream, head);
  request_body_.Start(true);
  Fail(failure);
}

void Exchange::Route() {
  base::Arena& arena = downstream_->arena();
  http::Authority authority;
  if (!http::NormalizePath(request_->path(), arena, path_) ||
      (!request_->authority.empty() &&
       !http::ParseAuthority(request_->authority, arena, authority))) {
    return Fail({Failure::Side::kDownstream, Failure::Kind::kProtocol, Failure::Retry::kNever,
                 "path or host cannot be read in one way only"});
  }
  if (path_.rewritten) {
    forward_target_ = arena.Join(path_.forward, request_->target.substr(request_->path().size()));
  }

  const route::HostRoutes* host = config_->hosts->Find(authority.host);
  if (ReplyClientGate(host) || ReplyBlocked()) return;
  if (host != nullptr) {
    if (ReplyAppRoot(*host)) return;
    route_ = host->Match(*request_, path_.match);
  }
  if (route_ != nullptr) {
    RecordRoute();
  } else if (host == nullptr || host->host() == "_") {
    record_.unlogged = !config_->settings->logs_default_backend;
  }
  if (const config::Tracing* tracing = config_->settings->tracing.get()) BeginTrace(*tracing);
  const uint64_t limit = body_limit();
  if (limit != 0 && request_->body.kind == http::BodyLength::Kind::kFixed &&
      request_->body.size > limit) {
    return Reply(413);
  }
  if (route_ == nullptr) {
    if (!config_->default_backend.valid()) return Reply(404);
    cluster_slot_ = config_->default_backend.slot();
    record_.upstream_name = "upstream-default-backend";
    return ForwardWhenReady();
  }
  if (route_->access != nullptr && ReplyUnprotected()) return;
  if (ReplyPreflight()) return;
  if (const auto* redirect =
          std::get_if<std::unique_ptr<const config::RedirectAction>>(&route_->action)) {
    return Redirect(**redirect);
  }
  if (route_->extras != nullptr && ReplyByRule()) return;
  if (route_->rewrite != nullptr && !Rewrite()) return;
  if (ReplyHttpsRedirect()) return;
  if (!ChooseCluster()) return Reply(503);
  if (route_->access != nullptr && !CheckAccess()) return;
  FollowRoute();
}

void Exchange::RecordRoute() {
  record_.route_id = route_->id;
  record_.virtual_host = route_->host;
  record_.route_namespace = route_->origin.ns;
  record_.route_ingress = route_->origin.ingress;
  record_.route_service = route_->origin.service;
  record_.route_service_port = route_->origin.service_port;
  record_.route_path = route_->origin.path;
  if (const config::RouteExtras* rules = extras()) record_.unlogged = rules->no_access_log;
}

// The request may go where its route leads.
void Exchange::FollowRoute() {
  if (const auto* fixed = std::get_if<config::FixedAction>(&route_->action)) {
    if (fixed->content_type.empty() && fixed->body.empty()) return Reply(fixed->status);
    Advance(Event::kReply);
    return SendReply(fixed->status, fixed->content_type, fixed->body);
  }
  if (const auto* files =
          std::get_if<std::unique_ptr<const config::StaticAction>>(&route_->action)) {
    return ServeFiles(**files);
  }
  ForwardWhenReady();
}

void Exchange::ForwardWhenReady() {
  if (services_.clusters().Find(cluster_slot_) == nullptr) return Reply(503);
  BeginMirror();
  if (!ShouldHoldRequest()) return Forward();
  Advance(Event::kHoldRequest);
  request_body_.Hold(buffering());
}

bool Exchange::ShouldHoldRequest() const {
  if (request_body_.complete() || own_page_ != nullptr) return false;
  const config::CompiledCluster& cluster = services_.clusters().Find(cluster_slot_)->compiled();
  // In HTTP/1.0 a request says how long its body is.
  const bool http_1_0 = cluster.connections != nullptr && cluster.connections->http_1_0;
  if (http_1_0 && request_->body.kind != http::BodyLength::Kind::kFixed) return true;
  if (!buffering().request || !request_->upgrade.empty()) return false;
  // Calls may go on in both directions for as long as they like.
  if (from_grpc()) return false;
  return cluster.protocol != config::Protocol::kH2c && cluster.protocol != config::Protocol::kH2;
}

config::Buffering Exchange::buffering() const {
  // A file need not be copied to another.
  if (route_ != nullptr && !std::holds_alternative<config::ForwardAction>(route_->action))
    return {};
  const config::Buffering& general = config_->settings->buffering;
  return route_ == nullptr || route_->buffering == nullptr ? general
                                                           : route_->buffering->Over(general);
}

const config::Compression& Exchange::compression() const {
  static const config::Compression kNone;
  return route_ != nullptr && route_->no_compression ? kNone : config_->settings->compression;
}

uint64_t Exchange::body_limit() const {
  const uint64_t general = config_->settings->max_request_body_bytes;
  return route_ == nullptr || route_->limits == nullptr
             ? general
             : route_->limits->max_request_body_bytes.value_or(general);
}

codec::AttemptTimeouts Exchange::attempt_timeouts() const {
  const config::CompiledSettings& general = *config_->settings;
  codec::AttemptTimeouts timeouts{general.connect_timeout, general.send_timeout,
                                  general.read_timeout};
  if (route_ != nullptr && route_->limits != nullptr) {
    timeouts.connect = route_->limits->connect_timeout.value_or(timeouts.connect);
    timeouts.send = route_->limits->send_timeout.value_or(timeouts.send);
    timeouts.read = route_->limits->read_timeout.value_or(timeouts.read);
  }
  return timeouts;
}

bool Exchange::ReplyClientGate(const route::HostRoutes* host) {
  const http::ConnectionInfo& connection = downstream_->connection();
  const bool has_rules =
      host != nullptr && host->options() != nullptr && host->options()->client_auth;
  if (!has_rules && connection.client() == nullptr) return false;
  const auto* rules = has_rules ? config_->client_auth->FindPattern(host->host()) : nullptr;
  const GateDecision decision =
      JudgeClient(has_rules, rules != nullptr ? rules->get() : nullptr, connection);
  if (decision.kind == GateDecision::Kind::kPass) return false;
  services_.CountGate(decision.kind);
  if (decision.location.starts_with('/')) {
    if (AskForOwnPage(decision.location)) return false;
    Reply(400);
  } else if (!decision.location.empty()) {
    Reply(302, decision.location);
  } else {
    Advance(Event::kReply);
    SendReply(StatusOf(decision.kind), kLocalPageType, PageOf(decision.kind));
  }
  return true;
}

// The request becomes one for `page`, a path of its host, as NGINX's error_page makes it: GET
// unless it was HEAD, without body. False: there is no such path.
bool Exchange::AskForOwnPage(std::string_view page) {
  own_page_ = std::make_unique<http::RequestHead>(*request_);
  http::RequestHead& head = *own_page_;
  head.target = page;
  if (head.method != http::Method::kHead) {
    head.method = http::Method::kGet;
    head.method_text = "GET";
  }
  head.body = http::BodyLength::None();
  head.fields.RemoveIf([](const http::Field& field) {
    return field.id == FieldId::kContentLength || field.id == FieldId::kTransferEncoding ||
           field.id == FieldId::kTrailer;
  });
  head.expect_continue = false;
  head.upgrade = {};
  head.websocket_key = {};
  request_ = own_page_.get();
  request_body_.Discard();
  path_ = {};
  if (!http::NormalizePath(head.path(), downstream_->arena(), path_)) return false;
  forward_target_ = page;
  if (path_.rewritten) {
    forward_target_ = downstream_->arena().Join(path_.forward, page.substr(head.path().size()));
  }
  return true;
}

// ---- the request, from downstream
// -------------------------------------------------------------------------------

void Exchange::OnRequestBody(std::string_view piece, bool end) {
  if (tunnel_) return OnTunnelRequest(piece, end);
  const bool holding = phase_ == Phase::kHoldingRequest;
  const bool answered = upstream_ == nullptr && !holding && !waiting();
  if (answered || error_page_ || own_page_ != nullptr) return request_body_.Ignore(piece, end);
  const uint64_t limit = body_limit();
  if (limit != 0 && request_body_.received() + piece.size() > limit) {
    request_body_.Ignore(piece, end);
    return Fail({Failure::Side::kDownstream, Failure::Kind::kBodyTooLarge, Failure::Retry::kNever,
                 "request body is too large"});
  }
  if (mirror_ != Mirrors::kNone) services_.mirrors().SendBody(mirror_, piece, end);
  request_body_.Receive(piece, end, upstream_);
  if (holding && (end || request_body_.full())) return Forward();
  UpdateHolds();
}

// Who looks at the bytes, or keeps them, gets them in memory. The limit was held against the
// length, which such a body has, when its head came.
uint64_t Exchange::RequestPipeRoom() const {
  if (tunnel_ || error_page_ || own_page_ != nullptr || mirror_ != Mirrors::kNone) return 0;
  return request_body_.PipeRoom(upstream_);
}

void Exchange::OnRequestPipe(base::PipePtr pipe, bool end) {
  request_body_.ReceivePipe(std::move(pipe), end, *upstream_);
  UpdateHolds();
}

void Exchange::OnRequestTrailers(const http::HeaderMap& trailers) {
  const bool holding = phase_ == Phase::kHoldingRequest;
  if (upstream_ == nullptr && !holding && !waiting()) return;
  if (mirror_ != Mirrors::kNone) services_.mirrors().SendTrailers(mirror_, trailers);
  request_body_.ReceiveTrailers(trailers, upstream_);
  if (holding) Forward();
}

void Exchange::OnDownstreamReset(const Failure& failure) {
  if (phase_ == Phase::kFinished) return;
  failure_ = failure;
  LeaveDownstream();
  if (record_.status == 0) record_.status = kClientClosedRequest;
  Advance(Event::kDownstreamGone);
  Finish();
}

void Exchange::OnExchangeDone() {
  LeaveDownstream();
  Advance(Event::kDone);
  Finish();
}

// ---- the response, from upstream
// --------------------------------------------------------------------------------

void Exchange::OnUpstreamWritable() {
  observe::AttemptRecord& attempt = record_.attempt_storage[record_.attempt_count - 1];
  if (!attempt_reused_ && attempt.connect_time.count() < 0) {
    attempt.connect_time = Since(attempt_started_, services_.loop());
    // Another of its addresses may have answered first.
    if (endpoint_->text() != attempt.address)
      attempt.address = downstream_->arena().Copy(endpoint_->text());
  }
  SendHeldRequest();
}

void Exchange::OnResponseInformational(const http::ResponseHead& head) {
  downstream_->SendInformational(head);
}

void Exchange::OnResponseHead(const http::ResponseHead& head, bool end) {
  observe::AttemptRecord& attempt = record_.attempt_storage[record_.attempt_count - 1];
  attempt.status = head.status;
  attempt.header_time = Since(attempt_started_, services_.loop());
  if (head.status == 101) return StartTunnel(head);
  if (MayRetryAfter(head.status)) return RetryAfterResponse(end);
  if (HasErrorPage(head.status, FailureOf::kEndpoint)) return ReplaceResponse(head.status, end);
  Advance(Event::kResponseHead);
  if (!error_page_) failure_ = {};  // an earlier attempt's
  record_.status = head.status;
  response_head_ = head;
  EditAnswer();
  if (session_begun_) AddSessionCookie();
  if (access_ != nullptr) AddAccessFields();
  AddOwnFields();
  if (!end)
    response_body_.Start(*request_, response_head_, buffering(), compression(), StartPace());
  SendHead(end);
  if (end) EndUpstream();
}

void Exchange::OnResponseBody(std::string_view piece, bool end) {
  record_.attempt_storage[record_.attempt_count - 1].response_bytes += piece.size();
  if (tunnel_) return OnTunnelResponse(piece, end);
  response_body_.Send(piece, end);
  if (end) return EndUpstream();
  UpdateHolds();
}

uint64_t Exchange::ResponsePipeRoom() const { return tunnel_ ? 0 : response_body_.pipe_room(); }

void Exchange::OnResponsePipe(base::PipePtr pipe, bool end) {
  record_.attempt_storage[record_.attempt_count - 1].response_bytes += pipe->size;
  response_body_.SendPipe(std::move(pipe), end);
  if (end) return EndUpstream();
  UpdateHolds();
}

void Exchange::OnResponseTrailers(const http::HeaderMap& trailers) {
  response_body_.SendTrailers(trailers);
  EndUpstream();
}

void Exchange::OnDownstreamWritable() {
  response_body_.OnWritable();
  UpdateHolds();
}

void Exchange::OnResponseBodyFailed(std::string_view why) {
  Fail({Failure::Side::kInternal, Failure::Kind::kOverloaded, Failure::Retry::kNever, why});
}

// The attempt has delivered its whole response.
void Exchange::EndUpstream() {
  deadline_timer_.Cancel();
  if (!request_body_.sent())
    upstream_->Reset();  // answered early: the rest of the body has no reader
  DetachUpstream({});
}

void Exchange::OnUpstreamReset(const Failure& failure) {
  const bool ours = failure.side == Failure::Side::kInternal;  // not the endpoint's
  DetachUpstream({.failure = ours ? Failure::Kind::kNone : failure.kind, .given_up = ours});
  if (tunnel_response_ended_)
    return;  // the client has all of it; what it still sends has no reader
  HandleAttemptFailure(failure);
}

// ---- decisions
// --------------------------------------------------------------------------------------------------

Action Exchange::Advance(Event event) {
  const Step step = NextStep(phase_, event);
  HEADGATE_CHECK(step.action != Action::kImpossible);
  phase_ = step.next;
  return step.action;
}

void Exchange::Fail(const Failure& failure) {
  StopWaitingForRoom();
  AbandonUpstream();
  const bool of_client =
      failure.side == Failure::Side::kDownstream && failure.kind != Failure::Kind::kBodyTooLarge;
  if (!of_client && HasErrorPage(StatusFor(failure), FailureOf::kProxy)) {
    failure_ = failure;
    return AskForErrorPage(StatusFor(failure));
  }
  switch (Advance(Event::kFailed)) {
    case Action::kSendReply:
      failure_ = failure;
      return SendReply(StatusFor(failure), kLocalPageType, LocalPage(StatusFor(failure)));
    case Action::kBreakDownstream:
      failure_ = failure;
      LeaveDownstream().Reset();
      return Finish();
    default: return;  // a reply is on its way already
  }
}

void Exchange::Reply(uint16_t status, std::string_view location) {
  if (location.empty() && HasErrorPage(status, FailureOf::kProxy)) return AskForErrorPage(status);
  Advance(Event::kReply);
  SendReply(status, kLocalPageType, LocalPage(status), location);
}

void Exchange::SendReply(uint16_t status, std::string_view content_type, std::string_view body,
                         std::string_view location) {
  record_.status = status;
  response_head_.status = status;
  response_head_.reason = {};
  response_head_.version = http::Version::kHttp11;
  response_head_.fields.Clear();
  if (from_grpc()) return SendGrpcReply(status);
  if (!content_type.empty()) {
    response_head_.fields.Add(FieldId::kContentType, "Content-Type", content_type);
  }
  if (!location.empty()) {
    TellRewrite("redirected", location);
    response_head_.fields.Add(FieldId::kLocation, "Location", location);
  }
  if (failure_.kind == Failure::Kind::kUpstreamLimit) response_head_.fields.Add("Retry-After", "1");
  if (access_ != nullptr) AddAccessFields();
  AddOwnFields();
  response_head_.body = http::BodyLength::Fixed(body.size());
  const bool without_body = request_->method == http::Method::kHead || body.empty();
  if (!without_body) record_.response_body_bytes = body.size();
  SendHead(without_body);
  if (!without_body) downstream_->SendBody(body, true);
}

// ---- keeping the two sides in step
// ------------------------------------------------------------------------------

void Exchange::SendHeldRequest() {
  if (!request_body_.SendHeld(*upstream_)) {
    return Fail({Failure::Side::kInternal, Failure::Kind::kOverloaded, Failure::Retry::kNever,
                 "the request body cannot be read from disk"});
  }
  UpdateHolds();
}

void Exchange::UpdateHolds() {
  const bool hold_request = upstream_ != nullptr ? request_body_.ShouldPause(*upstream_)
                                                 : waiting() && !request_body_.complete();
  if (hold_request != holding_request_ && downstream_ != nullptr) {
    holding_request_ = hold_request;
    hold_request ? downstream_->PauseReading() : downstream_->ResumeReading();
  }
  const bool hold_response =
      upstream_ != nullptr && downstream_ != nullptr && response_body_.full();
  if (hold_response != holding_response_) {
    holding_response_ = hold_response;
    if (upstream_ == nullptr) return;
    hold_response ? upstream_->PauseReading() : upstream_->ResumeReading();
  }
}

void Exchange::AbandonUpstream() {
  if (upstream_ == nullptr) return;
  upstream_->Reset();
  DetachUpstream({.given_up = true});
}

void Exchange::DetachUpstream(upstream::AttemptOutcome outcome) {
  upstream_ = nullptr;
  observe::AttemptRecord& attempt = record_.attempt_storage[record_.attempt_count - 1];
  attempt.response_time = Since(attempt_started_, services_.loop());
  outcome.status = attempt.status;
  outcome.header_time = attempt.header_time;
  if (endpoint_ != nullptr) endpoint_->OnAttemptEnd(outcome);
  UpdateHolds();
}

void Exchange::Finish() {
  StopWaitingForRoom();
  AbandonUpstream();
  if (mirror_ != Mirrors::kNone) services_.mirrors().Abandon(mirror_);
  if (tunnel_) EndTunnel();
  deadline_timer_.Cancel();
  access_.reset();
  request_body_.Drop();
  response_body_.Drop();
  record_.response_body_bytes += response_body_.sent_bytes();
  record_.duration = Since(started_, services_.loop());
  record_.request_bytes = request_->head_bytes + request_body_.received();
  if (failure_.kind != Failure::Kind::kNone && record_.status != 0) {
    record_.failure = base::FailureName(failure_.kind);
  }
  if (trace_ != nullptr) EndTrace();
  services_.OnFinished(*this, record_);
  log_rules_.reset();
  config_.Release();
  request_ = nullptr;
  own_page_.reset();
}

}  // namespace headgate::proxy
