#include "dataplane/control/client_credentials.h"

#include <grpcpp/security/credentials.h>

#include "common/log.h"
#include "common/strings.h"
#include "common/tls_files_check.h"

namespace headgate::control {
namespace {

constexpr size_t kMaxFileBytes = size_t{1} << 20;

}  // namespace

ClientCredentials::ClientCredentials(const std::optional<TlsPaths>& paths) {
  if (!paths) {
    last_good_ = grpc::InsecureChannelCredentials();
    return;
  }
  files_.emplace(Files{WatchedFile(paths->certificate, kMaxFileBytes),
                       WatchedFile(paths->key, kMaxFileBytes),
                       WatchedFile(paths->controller_ca, kMaxFileBytes)});
}

absl::StatusOr<bool> ClientCredentials::Refresh() {
  for (WatchedFile* file : {&files_->certificate, &files_->key, &files_->controller_ca}) {
    const absl::StatusOr<bool> changed = file->Refresh();
    if (!changed.ok()) return changed.status();
    pending_ = pending_ || *changed;
  }
  if (!pending_) return false;
  pending_ = false;
  const auto pem = [](const WatchedFile& file) { return PemFile{file.path(), file.content()}; };
  if (absl::Status sound =
          CheckTlsFiles(pem(files_->certificate), pem(files_->key), pem(files_->controller_ca));
      !sound.ok()) {
    return sound;
  }
  return true;
}

absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> ClientCredentials::Next() {
  if (!files_) return last_good_;
  const absl::StatusOr<bool> fresh = Refresh();
  if (!fresh.ok()) {
    if (last_good_ == nullptr) return fresh.status();
    HEADGATE_LOG_EVERY(60, kWarn, "control", "kept the last good TLS files",
                       {"error", fresh.status()});
    return last_good_;
  }
  if (*fresh) {
    last_good_ = grpc::SslCredentials({.pem_root_certs = files_->controller_ca.content(),
                                       .pem_private_key = files_->key.content(),
                                       .pem_cert_chain = files_->certificate.content()});
  }
  if (last_good_ == nullptr) return absl::FailedPreconditionError("no usable TLS files yet");
  return last_good_;
}

}  // namespace headgate::control
