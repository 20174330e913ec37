// Where the API server is and how we prove who we are: from inside a pod, or from a kubeconfig
// file.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "common/file.h"
#include "common/secret_bytes.h"

namespace headgate::kube {

// Certificates and keys in PEM; empty parts are not used.
struct TlsMaterial {
  std::string ca;                  // empty: the system's
  std::string client_certificate;  // chain, leaf first
  SecretBytes client_key;
};

// PEM or a token, given as such or in a file that may be rotated. Thread: any.
class CredentialText {
 public:
  CredentialText() = default;
  static std::shared_ptr<CredentialText> Inline(std::string_view text);
  static std::shared_ptr<CredentialText> File(const std::string& path);

  // The present text. From a file: read again when it changed; if that fails, what was read before,
  // and an error only if there is nothing.
  absl::StatusOr<SecretBytes> Read();

 private:
  std::mutex mutex_;
  SecretBytes inline_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<WatchedFile> file_ ABSL_GUARDED_BY(mutex_);
};

// An API server and one identity there. Copies share what they read from files.
struct ApiServerConfig {
  std::string url;              // "https://10.0.0.1:6443", without a slash at the end
  std::string tls_server_name;  // for SNI and the certificate check, instead of the URL's host; may
                                // be empty
  bool insecure_skip_tls_verify = false;
  std::string default_namespace;  // of the context or the pod; may be empty

  // Each may be null.
  std::shared_ptr<CredentialText> ca;
  std::shared_ptr<CredentialText> client_certificate;
  std::shared_ptr<CredentialText> client_key;
  std::shared_ptr<CredentialText> token;

  // What is to be used for a new connection, read now.
  absl::StatusOr<TlsMaterial> LoadTls() const;
  // For the Authorization header of a request, read now; empty when tokens are not used.
  absl::StatusOr<SecretBytes> LoadToken() const;
};

// From the environment and files that Kubernetes gives every pod. `environment` is getenv(3) or a
// test's own; `folder` has token, ca.crt and namespace.
absl::StatusOr<ApiServerConfig> InClusterConfig(
    const std::function<const char*(const char*)>& environment,
    const std::string& folder = "/var/run/secrets/kubernetes.io/serviceaccount");

// From a kubeconfig file. `context`: empty for the current one. Understood are server,
// certificate-authority(-data), insecure-skip-tls-verify and tls-server-name;
// client-certificate(-data), client-key(-data), token and tokenFile. exec, auth-provider, passwords
// and proxies are refused. Files are relative to the kubeconfig, and are read again when they
// change. Errors name file and field and never contain a secret.
absl::StatusOr<ApiServerConfig> LoadKubeconfig(const std::string& path, const std::string& context);

}  // namespace headgate::kube
