#include "dataplane/admin/admin_server.h"

#include <pthread.h>

#include <utility>

#include "dataplane/net/tcp_transport.h"

namespace headgate::admin {
namespace {

constexpr size_t kMaxConnections = 64;

}  // namespace

AdminServer::AdminServer(net::Fd socket) : socket_(std::move(socket)) {
  if (const auto bound = net::LocalAddress(socket_.get()); bound.ok()) address_ = *bound;
}

AdminServer::~AdminServer() { Stop(); }

void AdminServer::Handle(std::string path, std::string description, Handler handler) {
  pages_[std::move(path)] = {std::move(description), std::move(handler)};
}

void AdminServer::Start() {
  http::ServerHandler& requests = *this;
  net::AcceptHandler& accepts = *this;
  connections_ = std::make_unique<downstream::Connections>(io_, options_, requests);
  listener_ = std::make_unique<net::Listener>(loop_, std::move(socket_), accepts);
  thread_ = std::thread([this] { loop_.Run(); });
  pthread_setname_np(thread_.native_handle(), "admin");
}

void AdminServer::Stop() {
  if (!thread_.joinable()) return;
  loop_.Post([this] {
    listener_->Close();
    connections_->CloseAll();
    loop_.Stop();
  });
  thread_.join();
}

void AdminServer::OnAccept(net::Listener& listener, net::Fd connection, const base::Address& peer) {
  if (connections_->size() >= kMaxConnections) return;  // closes it
  http::ConnectionInfo info;
  info.peer = peer;
  info.local = listener.address();
  info.peer_ip = peer.IpText();
  connections_->Add(std::make_unique<net::TcpTransport>(std::move(connection)), std::move(info));
}

void AdminServer::OnAcceptOverload(net::Listener& /*listener*/, int /*error*/) {}

http::ServerStreamEvents* AdminServer::OnRequest(http::ServerStream& stream,
                                                 const http::RequestHead& head, bool /*end*/) {
  return Send(stream, Answer(head), head.method != http::Method::kHead);
}

http::ServerStreamEvents* AdminServer::Send(http::ServerStream& stream, AdminReply reply,
                                            bool with_body) {
  http::ResponseHead head;
  head.status = reply.status;
  head.fields.Add(http::FieldId::kContentType, "Content-Type", reply.content_type);
  head.fields.Add("Cache-Control", "no-store");
  const bool piecewise = reply.more != nullptr;
  head.body = piecewise ? http::BodyLength::Chunked() : http::BodyLength::Fixed(reply.body.size());
  with_body = with_body && (piecewise || !reply.body.empty());
  stream.SendHead(head, !with_body);
  if (!with_body) return &nothing_more_;
  if (!reply.body.empty()) stream.SendBody(reply.body, !piecewise);
  if (!piecewise) return &nothing_more_;
  auto owned = std::make_unique<PiecewiseReply>(*this, stream, std::move(reply.more));
  PiecewiseReply& rest = *owned;
  piecewise_.emplace(&rest, std::move(owned));
  rest.Send();
  return &rest;
}

void AdminServer::PiecewiseReply::Send() {
  while (!ended_ && stream_.unsent_bytes() < http::ServerStream::kHighWater) {
    const std::string_view piece = more_();
    ended_ = piece.empty();
    stream_.SendBody(piece, ended_);
  }
}

void AdminServer::Forget(PiecewiseReply& reply) {
  const auto owned = piecewise_.find(&reply);
  loop_.Retire(std::move(owned->second));
  piecewise_.erase(owned);
}

void AdminServer::OnBadRequest(http::ServerStream& stream, const http::BadRequest& bad) {
  Send(stream, {.status = bad.status, .body = "bad request\n"}, true);
}

AdminReply AdminServer::Answer(const http::RequestHead& head) const {
  if (head.method != http::Method::kGet && head.method != http::Method::kHead) {
    return {.status = 405, .body = "only GET\n"};
  }
  if (head.path() == "/") return Index();
  const auto page = pages_.find(head.path());
  if (page == pages_.end()) return {.status = 404, .body = "no such page; / lists what there is\n"};
  return page->second.handler();
}

AdminReply AdminServer::Index() const {
  AdminReply reply;
  for (const auto& [path, page] : pages_) reply.body += path + "  " + page.description + "\n";
  return reply;
}

}  // namespace headgate::admin
