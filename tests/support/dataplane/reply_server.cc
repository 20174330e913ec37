#include "tests/support/dataplane/reply_server.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <string_view>
#include <utility>

namespace headgate::test {

ReplyServer::ReplyServer(std::string name)
    : name_(std::move(name)), listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_storage storage;
  const socklen_t length = base::Address::ParseHostPort("127.0.0.1:0")->ToSockaddr(storage);
  EXPECT_EQ(bind(listener_.get(), reinterpret_cast<sockaddr*>(&storage), length), 0);
  EXPECT_EQ(listen(listener_.get(), 128), 0);
  address_ = *net::LocalAddress(listener_.get());
  accepting_ = std::thread([this] { Accept(); });
}

ReplyServer::~ReplyServer() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    for (const int fd : open_) shutdown(fd, SHUT_RDWR);
  }
  shutdown(listener_.get(), SHUT_RDWR);
  accepting_.join();
  for (std::thread& thread : threads_) thread.join();
}

void ReplyServer::Accept() {
  while (true) {
    const int fd = accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) return;
    std::lock_guard lock(mutex_);
    if (stopping_) {
      close(fd);
      return;
    }
    open_.push_back(fd);
    threads_.emplace_back([this, fd] { Converse(fd); });
  }
}

void ReplyServer::Converse(int fd) {
  std::string input;
  char buffer[4096];
  while (true) {
    const size_t end = input.find("\r\n\r\n");
    if (end == std::string::npos) {
      const ssize_t got = recv(fd, buffer, sizeof(buffer), 0);
      if (got <= 0) break;
      input.append(buffer, static_cast<size_t>(got));
      continue;
    }
    const bool probe = input.starts_with("GET /health ");
    input.erase(0, end + 4);
    ++(probe ? probes_ : requests_);
    if (!probe && broken_) break;
    const std::string reply = "HTTP/1.1 " + std::to_string(probe ? probe_status_ : status_) +
                              " X\r\nContent-Length: " + std::to_string(name_.size()) + "\r\n\r\n" +
                              name_;
    if (send(fd, reply.data(), reply.size(), MSG_NOSIGNAL) < 0) break;
  }
  std::lock_guard lock(mutex_);
  open_.erase(std::find(open_.begin(), open_.end(), fd));
  close(fd);
  closed_.notify_all();
}

bool ReplyServer::AwaitNoConnections() {
  std::unique_lock lock(mutex_);
  return closed_.wait_for(lock, std::chrono::seconds(60), [this] { return open_.empty(); });
}

}  // namespace headgate::test
