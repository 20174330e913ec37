#include "controller/publish/tls_files.h"

#include <fcntl.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_credentials_options.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <utility>

#include "common/log.h"
#include "common/strings.h"
#include "common/tls_files_check.h"

namespace headgate::publish {
namespace {

constexpr size_t kMaxFileBytes = size_t{1} << 20;
constexpr unsigned kGrpcLooksEverySeconds = 1;

}  // namespace

TlsFiles::StagedFile::~StagedFile() {
  if (fd_ >= 0) close(fd_);
}

absl::Status TlsFiles::StagedFile::Replace(const std::string& content, int64_t generation) {
  const int fresh = memfd_create("headgate-tls", MFD_CLOEXEC);
  if (fresh < 0) return absl::ErrnoToStatus(errno, "cannot make an anonymous file");
  // Small and in memory: it is written whole or not at all.
  const bool written =
      write(fresh, content.data(), content.size()) == static_cast<ssize_t>(content.size());
  const timespec time{.tv_sec = generation, .tv_nsec = 0};
  const timespec times[] = {time, time};
  if (!written || futimens(fresh, times) != 0) {
    const absl::Status failed = absl::ErrnoToStatus(errno, "cannot fill an anonymous file");
    close(fresh);
    return failed;
  }
  if (fd_ < 0) {
    fd_ = fresh;
    return absl::OkStatus();
  }
  const int replaced = dup3(fresh, fd_, O_CLOEXEC);
  close(fresh);
  return replaced < 0 ? absl::ErrnoToStatus(errno, "cannot replace an anonymous file")
                      : absl::OkStatus();
}

std::string TlsFiles::StagedFile::path() const { return StrCat("/proc/self/fd/", fd_); }

TlsFiles::TlsFiles(const TlsPaths& paths, absl::Duration look_every)
    : look_every_(look_every),
      certificate_(paths.certificate, kMaxFileBytes),
      key_(paths.key, kMaxFileBytes),
      client_ca_(paths.client_ca, kMaxFileBytes) {}

absl::StatusOr<std::unique_ptr<TlsFiles>> TlsFiles::Load(const TlsPaths& paths,
                                                         absl::Duration look_every) {
  std::unique_ptr<TlsFiles> files(new TlsFiles(paths, look_every));
  if (absl::StatusOr<bool> loaded = files->Refresh(); !loaded.ok()) return loaded.status();
  files->thread_ = std::thread([raw = files.get()] { raw->Watch(); });
  return files;
}

TlsFiles::~TlsFiles() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stop_changed_.notify_one();
  if (thread_.joinable()) thread_.join();
}

absl::StatusOr<bool> TlsFiles::Refresh() {
  for (WatchedFile* file : {&certificate_, &key_, &client_ca_}) {
    const absl::StatusOr<bool> changed = file->Refresh();
    if (!changed.ok()) return changed.status();
    pending_ = pending_ || *changed;
  }
  if (!pending_) return false;
  pending_ = false;
  if (absl::Status sound =
          CheckTlsFiles({certificate_.path(), certificate_.content()},
                        {key_.path(), key_.content()}, {client_ca_.path(), client_ca_.content()});
      !sound.ok()) {
    return sound;
  }
  ++generation_;
  for (auto [staged, file] :
       {std::pair(&staged_key_, &key_), std::pair(&staged_certificate_, &certificate_),
        std::pair(&staged_client_ca_, &client_ca_)}) {
    if (absl::Status done = staged->Replace(file->content(), generation_); !done.ok()) return done;
  }
  return true;
}

void TlsFiles::Watch() {
  std::string last_error;
  std::unique_lock lock(mutex_);
  while (!stop_changed_.wait_for(lock, absl::ToChronoNanoseconds(look_every_),
                                 [this] { return stopping_; })) {
    lock.unlock();
    const absl::StatusOr<bool> refreshed = Refresh();
    if (refreshed.ok() && *refreshed) {
      HEADGATE_LOG(kInfo, "publish", "took over new TLS files",
                   {"certificate", certificate_.path()});
      last_error.clear();
    } else if (!refreshed.ok() && last_error != refreshed.status().message()) {
      last_error = std::string(refreshed.status().message());
      HEADGATE_LOG(kWarn, "publish", "kept the last good TLS files", {"error", last_error});
    }
    lock.lock();
  }
}

std::shared_ptr<grpc::ServerCredentials> TlsFiles::MakeCredentials() const {
  grpc::experimental::TlsServerCredentialsOptions options(
      std::make_shared<grpc::experimental::FileWatcherCertificateProvider>(
          staged_key_.path(), staged_certificate_.path(), staged_client_ca_.path(),
          kGrpcLooksEverySeconds));
  options.watch_identity_key_cert_pairs();
  options.watch_root_certs();
  options.set_cert_request_type(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  return grpc::experimental::TlsServerCredentials(options);
}

}  // namespace headgate::publish
