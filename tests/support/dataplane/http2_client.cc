#include "tests/support/dataplane/http2_client.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <chrono>

#include "tests/support/dataplane/peer.h"

namespace headgate::test {
namespace {

// Writes to a socket, however long it takes.
class SocketTransport final : public net::Transport {
 public:
  explicit SocketTransport(int fd) : fd_(fd) {}
  int fd() const override { return fd_; }
  net::IoResult Handshake() override { return {.status = net::IoResult::Status::kOk}; }
  net::IoResult Read(std::span<char>) override { return {}; }
  net::IoResult Write(std::span<const iovec> pieces) override {
    size_t total = 0;
    for (const iovec& piece : pieces) {
      std::string_view rest(static_cast<const char*>(piece.iov_base), piece.iov_len);
      total += rest.size();
      while (!rest.empty()) {
        const ssize_t sent = send(fd_, rest.data(), rest.size(), MSG_NOSIGNAL);
        if (sent <= 0) return {.status = net::IoResult::Status::kFailed};
        rest.remove_prefix(static_cast<size_t>(sent));
      }
    }
    return {.status = net::IoResult::Status::kOk, .bytes = total};
  }
  void ShutdownWrite() override {}

 private:
  int fd_;
};

net::TimePoint Now() { return net::Clock::now(); }

}  // namespace

void Http2Client::Call::OnHeaders(http2::HeaderBlock& block, bool end) {
  if (status != 0) {
    for (const http::Field& field : block.fields) {
      trailers += std::string(field.name) + "=" + std::string(field.value) + ";";
    }
    return;
  }
  const http2::HeadResult result = http2::MakeResponseHead(block, head_request_, end, response_);
  EXPECT_TRUE(result.ok()) << result.detail;
  if (response_.status < 200) {
    informational.push_back(response_.status);
  } else {
    status = response_.status;
  }
}

Http2Client::Http2Client(uint16_t port) : session_(http2::Side::kClient, {}, *this, Now()) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_storage storage;
  const socklen_t length = base::Address::ParseIp("127.0.0.1", port)->ToSockaddr(storage);
  EXPECT_EQ(connect(fd, reinterpret_cast<sockaddr*>(&storage), length), 0);
  fd_ = net::Fd(fd);
  Flush();
}

http2::Stream& Http2Client::OnStreamOpened(int32_t) {
  ADD_FAILURE() << "a server pushed";
  calls_.push_back(std::make_unique<Call>(pool_, false));
  return *calls_.back();
}

void Http2Client::OnGoaway(int32_t last_stream, http2::ErrorCode error) {
  goaway = error;
  goaway_last = last_stream;
}

Http2Client::Call& Http2Client::Send(std::string_view method, std::string_view target,
                                     const Fields& fields, bool end, http::BodyLength body,
                                     std::string_view upgrade) {
  calls_.push_back(std::make_unique<Call>(pool_, method == "HEAD"));
  http::RequestHead head;
  head.method = http::ParseMethod(method);
  head.method_text = method;
  head.target = target;
  head.authority = "a.example";
  head.body = body;
  head.upgrade = upgrade;
  for (const auto& [name, value] : fields) head.fields.Add(name, value);
  EXPECT_TRUE(session_.SendRequest(*calls_.back(), head, "http", end));
  Flush();
  return *calls_.back();
}

void Http2Client::SendBody(Call& call, std::string_view piece, bool end) {
  session_.SendBody(call, piece, end);
  Flush();
}

void Http2Client::SendTrailers(Call& call, const Fields& trailers) {
  http::HeaderMap map;
  for (const auto& [name, value] : trailers) map.Add(name, value);
  session_.SendTrailers(call, map);
  Flush();
}

void Http2Client::Reset(Call& call) {
  session_.Reset(call, http2::ErrorCode::kCancel);
  Flush();
}

void Http2Client::SendRaw(std::string_view bytes) {
  SocketTransport transport(fd_.get());
  const iovec piece{const_cast<char*>(bytes.data()), bytes.size()};
  if (transport.Write({&piece, 1}).status != net::IoResult::Status::kOk) gone = true;
}

void Http2Client::Flush() {
  codec::OutputQueue output;
  SocketTransport transport(fd_.get());
  session_.Produce(output, size_t{1} << 24);
  if (output.Flush(transport) == codec::OutputQueue::Result::kFailed) gone = true;
}

bool Http2Client::Wait(const std::function<bool()>& done, bool credit, int limit_ms) {
  const auto limit = Now() + std::chrono::milliseconds(limit_ms);
  char buffer[65536];
  const auto return_credit = [&] {
    if (!credit) return;
    for (const auto& call : calls_) session_.ReturnCredit(*call);
    Flush();
  };
  return_credit();
  while (!done()) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(limit - Now()).count();
    pollfd waiting{.fd = fd_.get(), .events = POLLIN, .revents = 0};
    if (gone || left <= 0 || poll(&waiting, 1, static_cast<int>(left)) != 1) return false;
    const ssize_t got = recv(fd_.get(), buffer, sizeof(buffer), 0);
    if (got <= 0) {
      gone = true;
      continue;
    }
    session_.Receive({buffer, static_cast<size_t>(got)}, Now());
    return_credit();
    Flush();
  }
  return true;
}

std::string Frame(uint8_t type, uint8_t flags, uint32_t stream, std::string_view payload) {
  std::string frame;
  for (int shift : {16, 8, 0}) frame.push_back(static_cast<char>(payload.size() >> shift));
  frame.push_back(static_cast<char>(type));
  frame.push_back(static_cast<char>(flags));
  for (int shift : {24, 16, 8, 0}) frame.push_back(static_cast<char>(stream >> shift));
  frame += payload;
  return frame;
}

}  // namespace headgate::test
