#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "dataplane/base/intrusive_list.h"
#include "dataplane/codec/output_queue.h"
#include "dataplane/codec/server_connection.h"
#include "dataplane/http2/server_stream.h"
#include "dataplane/http2/session.h"
#include "dataplane/net/event_loop.h"

namespace headgate::http2 {

// HTTP/2 with one client: many exchanges at a time. Lives with its codec::ServerConnectionOwner.
//
// Reading feeds the session at once. Writing waits for the end of the turn: whatever all streams
// have said by then is produced and written together. The output holds kOutputTarget at most while
// the socket takes nothing; bodies wait in their streams, and these push back on their exchanges.
//
// The end: Drain says that it is near (a GOAWAY that excludes nothing), and when the client has
// heard, which streams are the last. When those are done, or when the session is over for another
// reason, our direction ends, and what the client still sends is dropped for a while so that it can
// read what we said.
class ServerConnection final : public codec::ServerConnection,
                               private SessionEvents,
                               private net::IoHandler,
                               private net::TimerHandler {
 public:
  // `environment` outlives the connection. The handshake is complete.
  ServerConnection(const codec::ServerEnvironment& environment, codec::Accepted accepted);
  ~ServerConnection() override;

  // Call once, when the owner holds this. `early` are bytes that have been read already, valid
  // during the call; `edges` have come for it. `draining`: see Drain. May end with the connection
  // closed.
  void Start(std::string_view early, net::IoEvents edges, bool draining);

  // codec::ServerConnection
  void Drain() override;
  void Abort(const base::Failure& failure) override;

 private:
  friend class ServerStream;

  static constexpr size_t kOutputTarget = 64 * 1024;
  // Above this the streams of a connection together push back, each with its first byte.
  static constexpr size_t kMaxUnsent = 1024 * 1024;

  enum class State : uint8_t {
    kOpen,
    kDraining,  // the end has been announced
    kClosing,   // no further streams; those that are there go on
    kLinger,    // our direction has ended
    kClosed,
  };
  enum class TimerRole : uint8_t { kNone, kFirstRequest, kHeaders, kIdle, kDrain, kLinger };

  // SessionEvents
  Stream& OnStreamOpened(int32_t id) override;
  void OnGoaway(int32_t last_stream, ErrorCode error) override;
  void OnSettings() override {}
  void OnPingAck() override;
  // net::IoHandler, net::TimerHandler
  void OnIo(net::IoEvents events) override;
  void OnTimer(net::Timer& timer) override;

  void ReadAndProcess();
  void Process(std::string_view data);
  void NoteAbuse();
  void UpdateTimer();
  void SetTimer(TimerRole role, codec::milliseconds delay);

  void ScheduleFlush();
  void Flush();
  // The stream has something to send, or to be told of.
  void Touch(ServerStream& stream);
  void Retire(ServerStream& stream);

  void RefuseFurtherStreams();
  void CheckEnd();
  void FailStreams(const base::Failure& failure);
  void StartLinger();
  // The connection is no more; what exchanges are left are told why.
  void Close(const base::Failure& failure);

  const codec::ServerEnvironment& environment_;
  codec::WorkerIo& io_;
  const codec::ServerOptions& options_;
  std::unique_ptr<net::Transport> transport_;
  net::IoRegistration registration_;
  net::Timer timer_;       // see timer_role_
  net::Timer send_timer_;  // the socket takes nothing
  net::MemberTask<ServerConnection, &ServerConnection::Flush> flush_task_{*this};
  http::ConnectionInfo info_;

  State state_ = State::kOpen;
  TimerRole timer_role_ = TimerRole::kNone;
  bool readable_ = false;
  bool peer_closed_ = false;  // an edge said so; what it sent before may still have to be read
  bool abused_ = false;       // what it still sends is not read
  uint32_t requests_ = 0;

  codec::OutputQueue output_;
  uint64_t counted_written_ = 0;  // of output_.written(), already in the counters
  size_t unsent_ = 0;             // body bytes that wait in all streams

  std::vector<std::unique_ptr<ServerStream>> streams_;
  base::IntrusiveList<ServerStream> sending_;
  Session session_;
};

}  // namespace headgate::http2
