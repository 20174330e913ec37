// One client connection of the load generator: sends a request, checks the answer, over plain TCP
// or TLS.
#pragma once

#include <netinet/in.h>
#include <openssl/ssl.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace headgate::bench {

// What every connection does. Outlives the connections.
struct Plan {
  sockaddr_in target{};
  SSL_CTX* tls = nullptr;  // null: plain TCP
  std::string server_name;
  // Offer the session of the connection before (TLS resumption).
  bool resume = false;
  // Each request asks for "Connection: close" and the server must close.
  bool close_each = false;
  std::string_view body;
  int expected_status = 200;
  // -1: any
  int64_t expected_length = -1;
};

class Connection {
 public:
  enum class Progress {
    kPending,   // wait for the events of WantedEvents()
    kAnswered,  // the answer is complete and right; the connection is open
    kClosed,    // the answer is complete and right; the connection is closed. Open() again.
  };

  explicit Connection(const Plan& plan) : plan_(plan) {}
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Starts a non-blocking connect and registers the socket with `epoll` under `data`.
  // REQUIRES: closed.
  void Open(int epoll, uint64_t data);
  bool open() const { return fd_ >= 0; }

  // Sends `head` (which must outlive the answer) and the plan's body. REQUIRES: open, no request
  // under way.
  Progress Send(std::string_view head);

  // Carries on after an epoll event. An idle connection that the server closed is closed (kClosed);
  // everything else unexpected ends the program.
  Progress OnEvent(uint32_t events);

  bool busy() const { return state_ != State::kIdle; }

  uint64_t started_ns = 0;  // for the caller

 private:
  enum class State { kIdle, kConnecting, kHandshaking, kSending, kReading, kDraining };
  enum class Io { kDone, kAgain, kEnd };

  Progress Advance();
  Progress Flush();
  Progress ReadAnswer();
  void ConsumeHead();
  Io Write(std::string_view data, size_t* written);
  Io Read(char* buffer, size_t size, size_t* got);
  void WantEvents(uint32_t events);
  void Close();

  const Plan& plan_;
  int fd_ = -1;
  int epoll_ = -1;
  uint64_t epoll_data_ = 0;
  uint32_t wanted_ = 0;
  State state_ = State::kIdle;
  SSL* ssl_ = nullptr;
  SSL_SESSION* session_ = nullptr;
  std::string_view head_;
  size_t head_sent_ = 0;
  size_t body_sent_ = 0;
  std::string input_;         // an incomplete answer head
  int64_t answer_left_ = -1;  // body bytes still to come; -1: the head is not complete
  bool server_closes_ = false;
};

// A client context for the load generator: ALPN http/1.1, no verification (the certificates are
// ours). `version` is 0x0303 or 0x0304.
SSL_CTX* NewClientContext(int version, bool resume);

}  // namespace headgate::bench
