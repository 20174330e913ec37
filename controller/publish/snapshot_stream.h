#pragma once

#include <grpcpp/support/server_callback.h>

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "common/clock.h"
#include "controller/publish/subscriber.h"
#include "proto/headgate/v1/discovery.pb.h"

namespace headgate::publish {

class Hub;

// One data plane's connection: carries messages between gRPC and a Subscriber.
//
// gRPC calls the On… methods on threads of its own, and Advance comes from the publisher's. All of
// them only note what happened and call Step, which decides what to do next; Step runs in one
// thread at a time, and outside the lock where it calls gRPC, since gRPC may call back from within.
//
// Lifetime: the hub's list keeps it alive until OnDone, the last call that gRPC makes; Step holds a
// reference too.
class SnapshotStream final
    : public grpc::ServerBidiReactor<v1::DataPlaneMessage, v1::ControllerMessage>,
      public std::enable_shared_from_this<SnapshotStream> {
 public:
  SnapshotStream(std::shared_ptr<Hub> hub, const Clock& clock, std::string peer);

  // Begins to read. Once, after the hub has it.
  void Start() { Step(); }
  // There may be something new to tell.
  void Advance() { Step(); }
  // Ends the stream with UNAVAILABLE: the data plane is to dial again.
  void End();

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

 private:
  enum class Action { kNothing, kRead, kWrite, kFinish };

  void Step();
  Action Decide() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void TakeIn(v1::DataPlaneMessage message) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void TakeInHealth(const v1::HealthReport& before) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void FinishWith(grpc::Status status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // True when outgoing_ holds the next message.
  bool PrepareMessage() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::shared_ptr<Hub> hub_;
  const Clock& clock_;
  const std::string peer_;

  std::mutex mutex_;
  Subscriber subscriber_ ABSL_GUARDED_BY(mutex_);
  bool stepping_ ABSL_GUARDED_BY(mutex_) = false;
  bool reading_ ABSL_GUARDED_BY(mutex_) = false;
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
  // Set: the stream is to end with this as soon as no write is under way.
  std::optional<grpc::Status> finish_with_ ABSL_GUARDED_BY(mutex_);
  absl::Duration began_at_ ABSL_GUARDED_BY(mutex_);

  // Handed to gRPC: touched by it alone while reading_ or writing_.
  v1::DataPlaneMessage incoming_;
  v1::ControllerMessage outgoing_;
};

}  // namespace headgate::publish
