// The HTTP/2 load generator of bench/compare: as bench_load, over multiplexed connections, and with
// --grpc=1 unary gRPC calls. The line protocol with the parent is bench_load's.
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "bench/compare/load/fail.h"
#include "bench/compare/load/flags.h"
#include "bench/compare/load/h2_socket.h"
#include "bench/compare/load/histogram.h"

namespace headgate::bench {
namespace {

constexpr char kUsage[] =
    "bench_h2_load: sends a fixed number of HTTP/2 requests, checks every answer, reports "
    "latency.\n"
    "Speaks the line protocol of bench_load.\n"
    "  --target=ADDR:PORT       where the proxy listens\n"
    "  --connections=8          how many connections\n"
    "  --streams=32             requests under way at once on each\n"
    "  --requests=100000        requests to measure, over all connections\n"
    "  --warmup=20              requests on each stream before that\n"
    "  --path=/bytes/1024       path of each request\n"
    "  --host=bench.test        :authority and SNI\n"
    "  --tls=0                  13: TLS 1.3 with ALPN h2; else prior knowledge\n"
    "  --grpc=0                 1: unary gRPC calls with a message of 100 bytes, echoed\n"
    "  --length=-               body length that every answer must have\n";

constexpr size_t kGrpcPrefix = 5;

uint64_t NowNs() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
}

class Load;

// One connection with its streams.
class Connection {
 public:
  Connection(Load& load, int epoll, size_t index);
  ~Connection();

  void StartRequest();
  void OnEvents(uint32_t events);
  void Flush();
  bool open() const { return open_; }

 private:
  struct Stream {
    uint64_t started_ns = 0;
    uint64_t received = 0;
    bool good_status = false;
    bool good_grpc_status = false;
    size_t sent = 0;
  };

  static Stream& StreamOf(nghttp2_session* session, int32_t id) {
    return *static_cast<Stream*>(nghttp2_session_get_stream_user_data(session, id));
  }
  static int OnHeader(nghttp2_session* session, const nghttp2_frame* frame, const uint8_t* name,
                      size_t name_size, const uint8_t* value, size_t value_size, uint8_t flags,
                      void* self);
  static int OnData(nghttp2_session* session, uint8_t flags, int32_t id, const uint8_t* data,
                    size_t size, void* self);
  static int OnClose(nghttp2_session* session, int32_t id, uint32_t error, void* self);
  static ssize_t ReadBody(nghttp2_session* session, int32_t id, uint8_t* buffer, size_t size,
                          uint32_t* flags, nghttp2_data_source* source, void* self);

  Load& load_;
  const int epoll_;
  const size_t index_;
  std::unique_ptr<H2Socket> socket_;
  nghttp2_session* session_ = nullptr;
  SSL* tls_ = nullptr;
  bool connecting_ = true;
  bool open_ = false;
  uint32_t wanted_ = 0;
  std::vector<std::unique_ptr<Stream>> free_;
  friend class Load;
};

class Load {
 public:
  explicit Load(const Flags& flags)
      : target_(ParseAddress(flags.Text("target"))),
        host_(flags.Text("host")),
        path_(flags.Text("path")),
        grpc_(flags.Bool("grpc")),
        streams_(flags.Number("streams")),
        requests_(flags.Number("requests")),
        warmup_(std::max<uint64_t>(flags.Number("warmup"), 1)) {
    if (flags.Text("length") != "-")
      expected_length_ = static_cast<int64_t>(flags.Number("length"));
    if (flags.Number("tls") != 0) {
      tls_ = SSL_CTX_new(TLS_client_method());
      SSL_CTX_set_min_proto_version(tls_, TLS1_3_VERSION);
      SSL_CTX_set_mode(tls_, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
      constexpr std::array<unsigned char, 3> kAlpn = {2, 'h', '2'};
      SSL_CTX_set_alpn_protos(tls_, kAlpn.data(), kAlpn.size());
    }
    if (grpc_) {
      message_.assign(kGrpcPrefix + 100, 'm');
      constexpr std::array<char, kGrpcPrefix> kPrefix = {0, 0, 0, 0, 100};
      std::copy(kPrefix.begin(), kPrefix.end(), message_.begin());
      expected_length_ = static_cast<int64_t>(message_.size());
      fields_ = {H2Field(":method", "POST"),
                 H2Field(":scheme", tls_ == nullptr ? "http" : "https"),
                 H2Field(":authority", host_),
                 H2Field(":path", path_),
                 H2Field("content-type", "application/grpc"),
                 H2Field("te", "trailers"),
                 H2Field("user-agent", "bench")};
    } else {
      fields_ = {
          H2Field(":method", "GET"),      H2Field(":scheme", tls_ == nullptr ? "http" : "https"),
          H2Field(":authority", host_),   H2Field(":path", path_),
          H2Field("user-agent", "bench"), H2Field("accept", "*/*")};
    }
    epoll_ = epoll_create1(EPOLL_CLOEXEC);
    for (uint64_t i = 0; i < flags.Number("connections"); ++i) {
      connections_.push_back(std::make_unique<Connection>(*this, epoll_, i));
    }
  }

  void WarmUp() { Run(connections_.size() * streams_ * warmup_); }

  void Measure() {
    histogram_ = {};
    const uint64_t begin = NowNs();
    Run(requests_);
    const double seconds = static_cast<double>(NowNs() - begin) / 1e9;
    const auto micros = [&](double q) {
      return static_cast<double>(histogram_.Quantile(q)) / 1000;
    };
    std::printf(
        "{\"requests\": %llu, \"seconds\": %.6f, \"requests_per_second\": %.1f, \"p50_us\": %.1f, "
        "\"p90_us\": %.1f, \"p99_us\": %.1f, \"max_us\": %.1f}\n",
        static_cast<unsigned long long>(requests_), seconds,
        static_cast<double>(requests_) / seconds, micros(0.5), micros(0.9), micros(0.99),
        micros(1.0));
  }

 private:
  friend class Connection;

  // That many requests, each stream asking again when it is answered.
  void Run(uint64_t requests) {
    to_issue_ = requests;
    done_ = 0;
    while (connecting() > 0) Poll();
    for (uint64_t i = 0; i < streams_; ++i) {
      for (auto& connection : connections_) {
        if (to_issue_ > 0) connection->StartRequest();
      }
    }
    for (auto& connection : connections_) connection->Flush();
    while (done_ < requests) Poll();
  }

  size_t connecting() const {
    return static_cast<size_t>(
        std::count_if(connections_.begin(), connections_.end(),
                      [](const auto& connection) { return !connection->open(); }));
  }

  void Poll() {
    const int n = epoll_wait(epoll_, events_.data(), static_cast<int>(events_.size()), 20'000);
    if (n == 0) Fail("no answer for 20 seconds");
    for (int i = 0; i < n; ++i) {
      const epoll_event& event = events_[static_cast<size_t>(i)];
      connections_[event.data.u64]->OnEvents(event.events);
    }
  }

  sockaddr_in target_;
  std::string host_;
  std::string path_;
  const bool grpc_;
  const uint64_t streams_;
  const uint64_t requests_;
  const uint64_t warmup_;
  int64_t expected_length_ = -1;
  SSL_CTX* tls_ = nullptr;
  std::string message_;
  std::vector<nghttp2_nv> fields_;
  int epoll_ = -1;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::array<epoll_event, 256> events_{};
  uint64_t to_issue_ = 0;
  uint64_t done_ = 0;
  LatencyHistogram histogram_;
};

Connection::Connection(Load& load, int epoll, size_t index)
    : load_(load), epoll_(epoll), index_(index) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&load.target_), sizeof load.target_) != 0 &&
      errno != EINPROGRESS) {
    FailErrno("connect");
  }
  if (load.tls_ != nullptr) {
    tls_ = SSL_new(load.tls_);
    SSL_set_fd(tls_, fd);
    SSL_set_connect_state(tls_);
    SSL_set_tlsext_host_name(tls_, load.host_.c_str());
  }
  socket_ = std::make_unique<H2Socket>(fd, tls_);
  wanted_ = EPOLLIN | EPOLLOUT;
  epoll_event event{};
  event.events = wanted_;
  event.data.u64 = index;
  epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);

  nghttp2_session_callbacks* callbacks = nullptr;
  nghttp2_session_callbacks_new(&callbacks);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, OnHeader);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, OnData);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, OnClose);
  nghttp2_session_client_new(&session_, callbacks, this);
  nghttp2_session_callbacks_del(callbacks);
  constexpr uint32_t kWindow = 16u << 20;
  const std::array<nghttp2_settings_entry, 2> settings = {
      {{NGHTTP2_SETTINGS_ENABLE_PUSH, 0}, {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, kWindow}}};
  nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings.data(), settings.size());
  nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0, kWindow);
}

Connection::~Connection() { nghttp2_session_del(session_); }

void Connection::StartRequest() {
  std::unique_ptr<Stream> stream;
  if (free_.empty()) {
    stream = std::make_unique<Stream>();
  } else {
    stream = std::move(free_.back());
    free_.pop_back();
  }
  *stream = {.started_ns = NowNs()};
  --load_.to_issue_;
  nghttp2_data_provider body{};
  body.read_callback = ReadBody;
  const int32_t id =
      nghttp2_submit_request(session_, nullptr, load_.fields_.data(), load_.fields_.size(),
                             load_.grpc_ ? &body : nullptr, stream.get());
  if (id < 0) Fail(std::string("HTTP/2 request: ") + nghttp2_strerror(id));
  static_cast<void>(stream.release());  // OnClose takes it back
}

ssize_t Connection::ReadBody(nghttp2_session* session, int32_t id, uint8_t* buffer, size_t size,
                             uint32_t* flags, nghttp2_data_source*, void* self) {
  const std::string& message = static_cast<Connection*>(self)->load_.message_;
  Stream& stream = StreamOf(session, id);
  const size_t count = std::min(size, message.size() - stream.sent);
  std::memcpy(buffer, message.data() + stream.sent, count);
  stream.sent += count;
  if (stream.sent == message.size()) *flags |= NGHTTP2_DATA_FLAG_EOF;
  return static_cast<ssize_t>(count);
}

int Connection::OnHeader(nghttp2_session* session, const nghttp2_frame* frame, const uint8_t* name,
                         size_t name_size, const uint8_t* value, size_t value_size, uint8_t,
                         void*) {
  const std::string_view field(reinterpret_cast<const char*>(name), name_size);
  const std::string_view text(reinterpret_cast<const char*>(value), value_size);
  if (field == ":status" && text == "200")
    StreamOf(session, frame->hd.stream_id).good_status = true;
  if (field == "grpc-status" && text == "0")
    StreamOf(session, frame->hd.stream_id).good_grpc_status = true;
  return 0;
}

int Connection::OnData(nghttp2_session* session, uint8_t, int32_t id, const uint8_t*, size_t size,
                       void*) {
  StreamOf(session, id).received += size;
  return 0;
}

int Connection::OnClose(nghttp2_session* session, int32_t id, uint32_t error, void* self) {
  Connection& connection = *static_cast<Connection*>(self);
  Load& load = connection.load_;
  std::unique_ptr<Stream> stream(&StreamOf(session, id));
  const bool right_length =
      load.expected_length_ < 0 || stream->received == static_cast<uint64_t>(load.expected_length_);
  if (error != NGHTTP2_NO_ERROR || !stream->good_status || !right_length ||
      (load.grpc_ && !stream->good_grpc_status)) {
    Fail("wrong answer: error " + std::to_string(error) + ", " + std::to_string(stream->received) +
         " bytes" + (stream->good_status ? "" : ", status not 200"));
  }
  load.histogram_.Record(NowNs() - stream->started_ns);
  ++load.done_;
  connection.free_.push_back(std::move(stream));
  if (load.to_issue_ > 0) connection.StartRequest();
  return 0;
}

void Connection::OnEvents(uint32_t events) {
  if (connecting_) {
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(socket_->fd(), SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) Fail(std::string("connect: ") + std::strerror(error));
    if ((events & EPOLLOUT) == 0) return;
    connecting_ = false;
  }
  if (!open_) {
    if (tls_ != nullptr) {
      const int done = SSL_do_handshake(tls_);
      if (done != 1) {
        if (SSL_get_error(tls_, done) != SSL_ERROR_WANT_READ) Fail("TLS handshake");
        return;
      }
      const unsigned char* protocol = nullptr;
      unsigned length = 0;
      SSL_get0_alpn_selected(tls_, &protocol, &length);
      if (length != 2) Fail("the proxy did not choose h2");
    }
    open_ = true;
  }
  if (!socket_->Receive(session_)) Fail("the proxy closed the connection");
  Flush();
}

void Connection::Flush() {
  if (!socket_->Send(session_)) Fail("the proxy closed the connection");
  const uint32_t wanted = EPOLLIN | (socket_->blocked() ? static_cast<uint32_t>(EPOLLOUT) : 0u);
  if (wanted == wanted_) return;
  wanted_ = wanted;
  epoll_event event{};
  event.events = wanted;
  event.data.u64 = index_;
  epoll_ctl(epoll_, EPOLL_CTL_MOD, socket_->fd(), &event);
}

}  // namespace
}  // namespace headgate::bench

int main(int argc, char** argv) {
  using headgate::bench::Flags;
  const Flags flags(argc, argv, headgate::bench::kUsage,
                    {{"target", ""},
                     {"connections", "8"},
                     {"streams", "32"},
                     {"requests", "100000"},
                     {"warmup", "20"},
                     {"path", "/bytes/1024"},
                     {"host", "bench.test"},
                     {"tls", "0"},
                     {"grpc", "0"},
                     {"length", "-"}});
  std::signal(SIGPIPE, SIG_IGN);
  headgate::bench::RaiseFileLimit();
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  headgate::bench::Load load(flags);
  load.WarmUp();
  std::puts("ready");
  std::string line;
  if (!std::getline(std::cin, line)) return 1;
  load.Measure();
  std::getline(std::cin, line);
  return 0;
}
