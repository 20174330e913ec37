#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <unordered_map>

#include "dataplane/codec/options.h"
#include "dataplane/codec/worker_io.h"
#include "dataplane/config/cluster_handle.h"
#include "dataplane/http/message.h"
#include "dataplane/upstream/cluster_set.h"

namespace headgate::proxy {

// Copies of requests on their way to mirrors, and whatever comes back, which nobody reads. They
// never wait for the request that they are copies of, nor does that for them: a copy that the
// mirror does not take fast enough is dropped, and so is one for which there is no room.
//
// One a worker, on its thread.
class Mirrors {
 public:
  static constexpr size_t kMaxCopies = 256;               // under way
  static constexpr size_t kMaxUnsentBytes = 1024 * 1024;  // of one copy

  using CopyId = uint64_t;
  static constexpr CopyId kNone = 0;

  // Both outlive this.
  Mirrors(codec::WorkerIo& io, upstream::ClusterSet& clusters);
  ~Mirrors();
  Mirrors(const Mirrors&) = delete;
  Mirrors& operator=(const Mirrors&) = delete;

  // Begins a copy; `end`: it has no body. kNone: it was dropped. `head` is not needed after the
  // call.
  CopyId Begin(config::ClusterSlot cluster, const http::RequestHead& head, bool end,
               const codec::AttemptTimeouts& timeouts);
  // The rest of it. What concerns a copy that is over already, or kNone, is ignored.
  void SendBody(CopyId id, std::string_view piece, bool end);
  void SendTrailers(CopyId id, const http::HeaderMap& trailers);
  // The rest will not come.
  void Abandon(CopyId id);

 private:
  class Copy;

  Copy* Find(CopyId id) const;
  void Remove(Copy& copy);

  codec::WorkerIo& io_;
  upstream::ClusterSet& clusters_;
  std::unordered_map<CopyId, std::unique_ptr<Copy>> copies_;
  CopyId last_id_ = kNone;
};

}  // namespace headgate::proxy
