#include "dataplane/control/client_credentials.h"

#include <grpcpp/security/credentials.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "common/log.h"
#include "common/strings.h"

namespace headgate::control {
namespace {

constexpr size_t kMaxFileBytes = size_t{1} << 20;

template <auto Free>
struct Freer {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};
using BioPtr = std::unique_ptr<BIO, Freer<BIO_free>>;
using X509Ptr = std::unique_ptr<X509, Freer<X509_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;

BioPtr BioOf(const std::string& pem) {
  return BioPtr(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
}

X509Ptr FirstCertificate(const std::string& pem) {
  return X509Ptr(PEM_read_bio_X509(BioOf(pem).get(), nullptr, nullptr, nullptr));
}

// An encrypted key must not make OpenSSL ask the terminal.
int NoPassphrase(char*, int, int, void*) { return 0; }

absl::Status Check(const WatchedFile& certificate_file, const WatchedFile& key_file,
                   const WatchedFile& ca_file) {
  const auto bad = [](const WatchedFile& file, std::string_view what) {
    ERR_clear_error();
    return absl::InvalidArgumentError(StrCat(file.path(), ": ", what));
  };
  const X509Ptr certificate = FirstCertificate(certificate_file.content());
  if (certificate == nullptr) return bad(certificate_file, "not a PEM certificate");
  const KeyPtr key(
      PEM_read_bio_PrivateKey(BioOf(key_file.content()).get(), nullptr, NoPassphrase, nullptr));
  if (key == nullptr) return bad(key_file, "not an unencrypted PEM private key");
  if (X509_check_private_key(certificate.get(), key.get()) != 1) {
    return bad(key_file, StrCat("does not fit the certificate in ", certificate_file.path()));
  }
  if (FirstCertificate(ca_file.content()) == nullptr) return bad(ca_file, "not a PEM certificate");
  return absl::OkStatus();
}

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
  if (absl::Status sound = Check(files_->certificate, files_->key, files_->controller_ca);
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
