#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "dataplane/base/failure.h"
#include "dataplane/config/compiled_config.h"
#include "dataplane/config/route_extras.h"
#include "dataplane/files/file_server.h"
#include "dataplane/http/stream.h"
#include "dataplane/http/uri.h"
#include "dataplane/net/event_loop.h"
#include "dataplane/observe/request_record.h"
#include "dataplane/observe/span_queue.h"
#include "dataplane/proxy/access_check.h"
#include "dataplane/proxy/auth_cache.h"
#include "dataplane/proxy/client_gate.h"
#include "dataplane/proxy/config_pin.h"
#include "dataplane/proxy/exchange_state.h"
#include "dataplane/proxy/forwarded.h"
#include "dataplane/proxy/mirrors.h"
#include "dataplane/proxy/nonce_table.h"
#include "dataplane/proxy/request_body.h"
#include "dataplane/proxy/request_id.h"
#include "dataplane/proxy/response_body.h"
#include "dataplane/proxy/retry.h"
#include "dataplane/proxy/rewrite_log.h"
#include "dataplane/proxy/variables.h"
#include "dataplane/upstream/cluster_set.h"

namespace headgate::proxy {

class Exchange;
// What exchanges need from their worker. Outlives every exchange; one thread.
class ExchangeServices {
 public:
  virtual net::EventLoop& loop() = 0;
  virtual upstream::ClusterSet& clusters() = 0;
  virtual RequestIdSource& ids() = 0;
  virtual SpillSpace& spill() = 0;
  virtual files::FileServer& files() = 0;
  virtual EncodeQueue& encoders() = 0;
  virtual PasswordDesk& passwords() = 0;
  virtual AuthCache& auth_cache() = 0;
  // Of all workers.
  virtual LimitTable& limits() = 0;
  // Of all workers.
  virtual NonceTable& nonces() = 0;
  virtual Mirrors& mirrors() = 0;
  virtual RewriteLog& rewrite_log() = 0;
  // Of all workers; null: nobody takes spans.
  virtual observe::SpanQueue* spans() = 0;
  virtual ConfigPin PinConfig() = 0;
  // Of the first listener for HTTPS; 0: there is none.
  virtual uint16_t https_port() = 0;
  // A request was turned away for what its client showed, or did not, in the handshake.
  virtual void CountGate(GateDecision::Kind kind) = 0;
  // The exchange is over. `record` is valid during the call. The exchange does nothing more and may
  // be used again after the end of the turn.
  virtual void OnFinished(Exchange& exchange, const observe::RequestRecord& record) = 0;

 protected:
  ~ExchangeServices() = default;
};

// One request and its response, between two protocols it does not know. See
// docs/request-lifecycle.md.
//
// Owned by the worker, which recycles it: Start, then events from both streams until OnFinished.
class Exchange final : public net::Retirable,
                       public http::ServerStreamEvents,
                       private http::ClientStreamEvents,
                       private ResponseBodyOwner,
                       private upstream::WaitingRequest,
                       private AuthRequestOwner,
                       private PasswordClient,
                       private net::TimerHandler {
 public:
  explicit Exchange(ExchangeServices& services);

  // A request came in. `downstream` and `head` stay valid until the exchange's last downstream
  // event.
  void Start(http::ServerStream& downstream, const http::RequestHead& head, bool end);
  // A request that could not be read: answered with the status of `failure`, never forwarded.
  // `head` holds what could be made out, for the log.
  void StartRefused(http::ServerStream& downstream, const http::RequestHead& head,
                    const base::Failure& failure);

 private:
  // In the order of a request's life.
  void Begin(http::ServerStream& downstream, const http::RequestHead& head);
  void Route();
  void RecordRoute();
  void FollowRoute();
  void ForwardWhenReady();
  bool ReplyClientGate(const route::HostRoutes* host);
  bool AskForOwnPage(std::string_view page);
  bool ReplyPreflight();
  bool ReplyAppRoot(const route::HostRoutes& host);
  void Redirect(const config::RedirectAction& action);
  std::string_view AbsoluteUrl(std::string_view path);
  bool Rewrite();
  void TellRewrite(std::string_view what, std::string_view result);
  bool ReplyByRule();
  bool ReplyHttpsRedirect();
  void ServeFiles(const config::StaticAction& action);
  bool ShouldHoldRequest() const;
  void Forward();

  // Which cluster the request goes to; in exchange_destinations.cc.
  bool ChooseCluster();
  // The cluster if it has endpoints, else null.
  upstream::Cluster* FindServing(config::ClusterSlot slot) const;
  void ChooseSide(const config::CanaryRoute& canary);
  void UseCanary(const upstream::Cluster& main, const upstream::Cluster& canary,
                 config::ClusterSlot slot);
  void ReplaceEmptyCluster(const config::ErrorBackend& errors);
  enum class FailureOf : uint8_t { kEndpoint, kProxy };
  bool HasErrorPage(uint16_t status, FailureOf whose) const;
  std::optional<config::ClusterSlot> ErrorCluster(const config::ErrorBackend& errors) const;
  void AskForErrorPage(uint16_t status);
  void ReplaceResponse(uint16_t status, bool end);
  void AddErrorFields();
  void BeginMirror();

  // What a request must pass; in exchange_access.cc.
  bool ReplyBlocked();
  bool ReplyUnprotected();
  bool CheckAccess();
  bool HasEndpoints();
  bool CountAgainstLimits(const policy::RateLimits& limits, const base::Address& address);
  bool AskForPassword(policy::Conditions conditions);
  void OnPasswordChecked(bool matches) override;
  bool CheckDigest(const policy::PasswordAuth& password, const policy::UserTable& users);
  bool TakePassword(bool matches);
  bool AskServer(policy::Conditions conditions);
  void OnAuthAnswered(const AuthRequest& request) override;
  bool RecallAnswer(const config::ExternalAuth& external, uint16_t& status);
  void KeepAnswer(uint16_t status);
  bool TakeAnswer(uint16_t status);
  bool Conclude(const policy::Conditions& conditions);
  void ReplyUnauthorized();
  AccessCheck& access_check();
  void BeginAsking();
  void EndAsking();
  void EditForUpstream(const config::CompiledAccess& access);
  void AddAccessFields();
  ResponsePace* StartPace();

  // Attempts; in exchange_attempts.cc.
  void OpenAttempt();
  upstream::Endpoint* TakeWithinLimits(upstream::Cluster& cluster, upstream::Endpoint& picked);
  void WaitForRoom(upstream::Cluster& cluster);
  bool TryBegin() override;
  void OnWaitedTooLong();
  void StopWaitingForRoom();
  upstream::Endpoint* PickEndpoint(upstream::Cluster& cluster);
  upstream::Endpoint* PickForSession(upstream::Cluster& cluster, balance::PickContext context);
  std::string_view NewSessionKey();
  void AddSessionCookie();
  void HandleAttemptFailure(const base::Failure& failure);
  bool MayRetryAfter(uint16_t status);
  void RetryAfterResponse(bool end);
  config::RetryPolicy retry_policy() const;
  RetryState retry_state() const;
  bool TakeFromRetryBudget();

  // Request, from downstream.
  void OnRequestBody(std::string_view piece, bool end) override;
  uint64_t RequestPipeRoom() const override;
  void OnRequestPipe(base::PipePtr pipe, bool end) override;
  void OnRequestTrailers(const http::HeaderMap& trailers) override;
  void OnDownstreamWritable() override;
  void OnDownstreamReset(const base::Failure& failure) override;
  void OnExchangeDone() override;

  // Response, from upstream.
  void OnResponseInformational(const http::ResponseHead& head) override;
  void OnResponseHead(const http::ResponseHead& head, bool end) override;
  void OnResponseBody(std::string_view piece, bool end) override;
  uint64_t ResponsePipeRoom() const override;
  void OnResponsePipe(base::PipePtr pipe, bool end) override;
  void OnResponseTrailers(const http::HeaderMap& trailers) override;
  void OnUpstreamWritable() override;
  void OnUpstreamReset(const base::Failure& failure) override;

  // The response's body, on its way to the client.
  void OnResponseBodyMoved() override { UpdateHolds(); }
  void OnResponseBodyFailed(std::string_view why) override;

  // Tunnels, after an upgrade; in exchange_tunnel.cc. They hold no configuration: `config_` and
  // `route_` are empty.
  void StartTunnel(const http::ResponseHead& head);
  void ReleaseConfig();
  void OnTunnelRequest(std::string_view piece, bool end);
  void OnTunnelResponse(std::string_view piece, bool end);
  void OnTimer(net::Timer& timer) override;
  void EndTunnel();
  observe::CounterShard& counters();

  // For gRPC callers; in exchange_grpc.cc.
  bool from_grpc() const;
  void StartDeadline();
  void OnDeadline();
  void SendGrpcReply(uint16_t status);
  void AddGrpcStatus(uint8_t status, http::HeaderMap& fields) const;

  // Heads, as rules change them; in exchange_headers.cc.
  const config::RouteExtras* extras() const;
  RequestVariables variables(const http::ResponseHead* answer = nullptr) const;
  void EditRequest();
  void EditRequest(const policy::HeaderPolicy& rules);
  void EditAnswer();
  void AddOwnFields();
  void AddTransportSecurity();

  // The request's trace; in exchange_trace.cc.
  void BeginTrace(const config::Tracing& tracing);
  void TellTrace();
  void EndTrace();

  // What the access log is told; in exchange_log.cc.
  void SendHead(bool end);
  http::ServerStream& LeaveDownstream();
  void TellLog(bool answered);

  // Decisions.
  Action Advance(Event event);
  void Fail(const base::Failure& failure);
  void Reply(uint16_t status, std::string_view location = {});
  void SendReply(uint16_t status, std::string_view content_type, std::string_view body,
                 std::string_view location = {});

  // Keeping the two sides in step, and the end.
  void SendHeldRequest();
  void UpdateHolds();
  void EndUpstream();
  void AbandonUpstream();
  // `outcome`: what went wrong; the rest is filled in.
  void DetachUpstream(upstream::AttemptOutcome outcome);
  void Finish();

  // Settings of the route, else of the data plane.
  uint64_t body_limit() const;
  config::Buffering buffering() const;
  const config::Compression& compression() const;
  codec::AttemptTimeouts attempt_timeouts() const;

  ExchangeServices& services_;

  Phase phase_ = Phase::kFinished;
  http::ServerStream* downstream_ = nullptr;
  const http::RequestHead* request_ = nullptr;
  std::unique_ptr<http::RequestHead>
      own_page_;  // the request, where a page of the host answers in place of what was asked for
  http::ClientStream* upstream_ = nullptr;  // null: no attempt under way

  ConfigPin config_;
  const config::CompiledRoute* route_ = nullptr;
  config::ClusterSlot cluster_slot_ = 0;
  ClientView client_;
  std::string_view forward_target_;
  std::string_view forwarded_prefix_;

  // Kept over exchanges for their capacity.
  http::RequestHead upstream_head_;
  http::ResponseHead response_head_;

  size_t attempts_ = 0;
  std::array<balance::PeerId, kMaxAttempts> tried_;  // endpoints that failed us
  size_t tried_count_ = 0;
  // Of the attempt; valid while there is one, and until the turn ends. Null: the answer comes from
  // files.
  upstream::Endpoint* endpoint_ = nullptr;
  bool attempt_reused_ = false;
  net::TimePoint first_attempt_started_;

  http::NormalPath path_;                // routes are matched on path_.match
  std::unique_ptr<AccessCheck> access_;  // null: nothing to remember
  struct Trace;
  Trace* trace_ = nullptr;        // in the arena; null: the request is not traced
  std::string_view session_key_;  // of the session that this request has begun
  bool session_begun_ = false;
  Mirrors::CopyId mirror_ = Mirrors::kNone;  // that gets what comes of the request's body
  uint16_t replaced_status_ = 0;  // of a failure that another cluster is told about; 0: none
  bool error_page_ = false;       // it is asked for the body of the answer

  RequestBody request_body_;
  ResponseBody response_body_;
  bool holding_request_ = false;   // we have paused the downstream
  bool holding_response_ = false;  // we have paused the upstream

  bool tunnel_ = false;
  bool tunnel_response_ended_ = false;
  net::milliseconds tunnel_idle_{0};
  net::Timer tunnel_timer_;  // fires when nothing has moved for tunnel_idle_
  std::shared_ptr<const config::LogRules> log_rules_;  // of a tunnel, if its log line needs them

  net::Timer room_timer_;      // ends the waiting for room at the upstream
  net::Timer deadline_timer_;  // of a gRPC call
  bool deadline_exceeded_ = false;

  observe::LogNote* log_note_ = nullptr;  // in the arena; null: the log has not been told

  base::Failure failure_;
  net::TimePoint started_;
  net::TimePoint attempt_started_;
  observe::RequestRecord record_;
};

}  // namespace headgate::proxy
