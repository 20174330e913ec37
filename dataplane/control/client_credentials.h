#pragma once

#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "common/file.h"

namespace grpc {
class ChannelCredentials;
}

namespace headgate::control {

// Where this data plane's identity is, and who signs the controller's. All PEM.
struct TlsPaths {
  std::string certificate;  // chain, leaf first
  std::string key;
  std::string controller_ca;
};

// What to prove to the controller with. Files are looked at before each connection, so that they
// may be rotated at any time; a set that does not fit together is passed over for the last good
// one.
//
// Thread: one owner.
class ClientCredentials {
 public:
  // Absent: no TLS.
  explicit ClientCredentials(const std::optional<TlsPaths>& paths);

  // For the next connection. Fails while there has been no good set.
  absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> Next();

 private:
  struct Files {
    WatchedFile certificate;
    WatchedFile key;
    WatchedFile controller_ca;
  };
  // True when a file was read that had not been read before.
  absl::StatusOr<bool> Refresh();

  std::optional<Files> files_;
  bool pending_ = true;  // something was read that has not been checked
  std::shared_ptr<grpc::ChannelCredentials> last_good_;
};

}  // namespace headgate::control
