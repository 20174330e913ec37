// The gRPC application behind every proxy in bench/compare: HTTP/2 with prior knowledge, one
// thread; answers each unary call with the message it got and grpc-status 0.
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>

#include "bench/compare/load/fail.h"
#include "bench/compare/load/flags.h"
#include "bench/compare/load/h2_socket.h"

namespace headgate::bench {
namespace {

constexpr char kUsage[] =
    "bench_grpc_backend: echoes unary gRPC calls over HTTP/2 with prior knowledge.\n"
    "  --listen=ADDR:PORT   serve here\n";

struct Stream {
  std::string message;
  size_t sent = 0;
};

class Connection {
 public:
  Connection(int epoll, int fd) : epoll_(epoll), socket_(fd) {
    nghttp2_session_callbacks* callbacks = nullptr;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, OnBegin);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, OnData);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, OnFrame);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, OnClose);
    nghttp2_session_server_new(&session_, callbacks, this);
    nghttp2_session_callbacks_del(callbacks);
    const nghttp2_settings_entry setting{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 1000};
    nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, &setting, 1);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = this;
    epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
  }
  ~Connection() { nghttp2_session_del(session_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // False: it is over.
  bool OnEvents() {
    if (!socket_.Receive(session_) || !socket_.Send(session_)) return false;
    if (socket_.blocked() != waiting_) {
      waiting_ = socket_.blocked();
      epoll_event event{};
      event.events = EPOLLIN | (waiting_ ? static_cast<uint32_t>(EPOLLOUT) : 0u);
      event.data.ptr = this;
      epoll_ctl(epoll_, EPOLL_CTL_MOD, socket_.fd(), &event);
    }
    return true;
  }

 private:
  static Stream* StreamOf(nghttp2_session* session, int32_t id) {
    return static_cast<Stream*>(nghttp2_session_get_stream_user_data(session, id));
  }

  static int OnBegin(nghttp2_session* session, const nghttp2_frame* frame, void*) {
    if (frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0;
    nghttp2_session_set_stream_user_data(session, frame->hd.stream_id,
                                         new Stream);  // OnClose deletes it
    return 0;
  }

  static int OnData(nghttp2_session* session, uint8_t, int32_t id, const uint8_t* data, size_t size,
                    void*) {
    StreamOf(session, id)->message.append(reinterpret_cast<const char*>(data), size);
    return 0;
  }

  static int OnFrame(nghttp2_session* session, const nghttp2_frame* frame, void*) {
    if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0) return 0;
    if (frame->hd.type != NGHTTP2_DATA && frame->hd.type != NGHTTP2_HEADERS) return 0;
    const std::array<nghttp2_nv, 2> head = {H2Field(":status", "200"),
                                            H2Field("content-type", "application/grpc")};
    nghttp2_data_provider body{};
    body.read_callback = ReadBody;
    nghttp2_submit_response(session, frame->hd.stream_id, head.data(), head.size(), &body);
    return 0;
  }

  static ssize_t ReadBody(nghttp2_session* session, int32_t id, uint8_t* buffer, size_t size,
                          uint32_t* flags, nghttp2_data_source*, void*) {
    Stream& stream = *StreamOf(session, id);
    const size_t count = std::min(size, stream.message.size() - stream.sent);
    std::memcpy(buffer, stream.message.data() + stream.sent, count);
    stream.sent += count;
    if (stream.sent == stream.message.size()) {
      *flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
      const nghttp2_nv status = H2Field("grpc-status", "0");
      nghttp2_submit_trailer(session, id, &status, 1);
    }
    return static_cast<ssize_t>(count);
  }

  static int OnClose(nghttp2_session* session, int32_t id, uint32_t, void*) {
    delete StreamOf(session, id);
    return 0;
  }

  const int epoll_;
  H2Socket socket_;
  nghttp2_session* session_ = nullptr;
  bool waiting_ = false;
};

[[noreturn]] void Serve(const std::string& listen_at) {
  const sockaddr_in address = ParseAddress(listen_at);
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      listen(listener, 4096) != 0) {
    FailErrno("cannot listen on " + listen_at);
  }
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = nullptr;
  epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
  std::array<epoll_event, 256> events;
  for (;;) {
    const int n = epoll_wait(epoll, events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < n; ++i) {
      auto* connection = static_cast<Connection*>(events[static_cast<size_t>(i)].data.ptr);
      if (connection != nullptr) {
        if (!connection->OnEvents()) delete connection;
        continue;
      }
      const int fd = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd >= 0)
        static_cast<void>(new Connection(epoll, fd));  // deletes itself through its events
    }
  }
}

}  // namespace
}  // namespace headgate::bench

int main(int argc, char** argv) {
  const headgate::bench::Flags flags(argc, argv, headgate::bench::kUsage, {{"listen", ""}});
  std::signal(SIGPIPE, SIG_IGN);
  headgate::bench::RaiseFileLimit();
  headgate::bench::Serve(flags.Text("listen"));
}
