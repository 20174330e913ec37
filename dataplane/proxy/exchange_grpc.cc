// What an exchange does for gRPC callers: deadlines, and answers of our own in the form they
// understand.

#include <cstdint>

#include "dataplane/proxy/exchange.h"
#include "dataplane/proxy/grpc.h"

namespace headgate::proxy {

using base::Failure;
using http::FieldId;

bool Exchange::from_grpc() const {
  return http::IsGrpc(request_->fields.Get(FieldId::kContentType));
}

void Exchange::StartDeadline() {
  if (!from_grpc()) return;
  const auto timeout = ParseGrpcTimeout(request_->fields.Get("grpc-timeout"));
  if (timeout) deadline_timer_.Arm(*timeout);
}

void Exchange::OnDeadline() {
  deadline_exceeded_ = true;
  const Failure failure{Failure::Side::kUpstream, Failure::Kind::kTimeout, Failure::Retry::kNever,
                        "the caller's deadline has passed"};
  if (phase_ != Phase::kStreaming || upstream_ == nullptr ||
      response_head_.body.kind != http::BodyLength::Kind::kChunked) {
    return Fail(failure);
  }
  // The response has begun, and can still end with a status.
  failure_ = failure;
  AbandonUpstream();
  http::HeaderMap trailers;
  AddGrpcStatus(kGrpcDeadlineExceeded, trailers);
  response_body_.SendTrailers(trailers);
}

// A head and no body, which gRPC calls "trailers only". Logged and counted under the status it
// stands for.
void Exchange::SendGrpcReply(uint16_t status) {
  response_head_.status = 200;
  response_head_.fields.Add(FieldId::kContentType, "Content-Type", "application/grpc");
  AddGrpcStatus(deadline_exceeded_ ? kGrpcDeadlineExceeded : GrpcStatusFor(status),
                response_head_.fields);
  AddOwnFields();
  response_head_.body = http::BodyLength::Fixed(0);
  SendHead(true);
}

void Exchange::AddGrpcStatus(uint8_t status, http::HeaderMap& fields) const {
  constexpr std::string_view kDigits = "0123456789";
  base::Arena& arena = downstream_->arena();
  fields.Add("grpc-status", status < 10 ? kDigits.substr(status, 1)
                                        : arena.Join("1", kDigits.substr(status - 10, 1)));
  fields.Add("grpc-message",
             failure_.detail.empty() ? std::string_view("answered by the proxy") : failure_.detail);
}

}  // namespace headgate::proxy
