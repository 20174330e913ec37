#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/file.h"

namespace grpc {
class ServerCredentials;
}

namespace headgate::publish {

// Where the snapshot server's identity is. All PEM.
struct TlsPaths {
  std::string certificate;  // chain, leaf first
  std::string key;
  std::string client_ca;  // who signs the data planes' certificates
};

// Mutual TLS for the snapshot server from files that may be rotated at any time. A new set is taken
// over for new connections once it is whole: the key fits the certificate and there is a CA. Until
// then the last good set stays, with one log line a change.
//
// Thread: one owner; has a thread of its own that looks at the files.
class TlsFiles {
 public:
  // Fails when the files do not hold a usable set now.
  static absl::StatusOr<std::unique_ptr<TlsFiles>> Load(
      const TlsPaths& paths, absl::Duration look_every = absl::Seconds(2));
  ~TlsFiles();
  TlsFiles(const TlsFiles&) = delete;
  TlsFiles& operator=(const TlsFiles&) = delete;

  // REQUIRES: outlived by this object.
  std::shared_ptr<grpc::ServerCredentials> MakeCredentials() const;

 private:
  // One file of the set as gRPC sees it: an anonymous file whose content is replaced at once. gRPC
  // has only a provider that polls paths and takes what it finds, sound or not; so what it finds is
  // what we have checked.
  class StagedFile {
   public:
    StagedFile() = default;
    ~StagedFile();
    StagedFile(const StagedFile&) = delete;
    StagedFile& operator=(const StagedFile&) = delete;

    // `generation` becomes the modification time, by which gRPC notices that it read across a
    // change.
    absl::Status Replace(const std::string& content, int64_t generation);
    std::string path() const;

   private:
    int fd_ = -1;
  };

  TlsFiles(const TlsPaths& paths, absl::Duration look_every);

  // True when a new set was taken over.
  absl::StatusOr<bool> Refresh();
  void Watch();

  const absl::Duration look_every_;
  WatchedFile certificate_;
  WatchedFile key_;
  WatchedFile client_ca_;
  bool pending_ = true;  // something was read that has not been taken over
  int64_t generation_ = 0;
  StagedFile staged_certificate_;
  StagedFile staged_key_;
  StagedFile staged_client_ca_;

  std::mutex mutex_;
  std::condition_variable stop_changed_;
  bool stopping_ = false;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace headgate::publish
