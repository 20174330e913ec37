#include "controller/kube/rest_transport.h"

#include <cpprest/http_client.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <pplx/threadpool.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/strings.h"

namespace headgate::kube {
namespace {

namespace http = web::http;

constexpr size_t kMaxErrorBody = 1024;
constexpr size_t kReadSize = 64 * 1024;

struct BioFree {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
using Bio = std::unique_ptr<BIO, BioFree>;

Bio MemoryBio(std::string_view text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// Every certificate of a PEM text; false if there is none or one is broken.
template <typename Add>
bool ForEachCertificate(std::string_view pem, Add add) {
  const Bio bio = MemoryBio(pem);
  int count = 0;
  while (X509* certificate = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)) {
    const bool added = add(certificate, count);
    X509_free(certificate);
    if (!added) return false;
    ++count;
  }
  // The end of the text shows as "no start line".
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  return count > 0 && at_end;
}

// Trusts only the given CAs: the library has loaded the system's already, which would let any
// public CA vouch for an API server.
absl::Status TrustOnly(SSL_CTX* context, std::string_view ca_pem) {
  X509_STORE* store = X509_STORE_new();
  if (store == nullptr) return absl::ResourceExhaustedError("out of memory");
  SSL_CTX_set_cert_store(context, store);  // takes the reference
  const bool good = ForEachCertificate(
      ca_pem, [&](X509* certificate, int) { return X509_STORE_add_cert(store, certificate) == 1; });
  return good ? absl::OkStatus()
              : absl::UnauthenticatedError("the certificate authority is not PEM");
}

absl::Status PresentCertificate(SSL_CTX* context, std::string_view chain_pem,
                                const SecretBytes& key_pem) {
  const bool good = ForEachCertificate(chain_pem, [&](X509* certificate, int index) {
    return (index == 0 ? SSL_CTX_use_certificate(context, certificate)
                       : SSL_CTX_add1_chain_cert(context, certificate)) == 1;
  });
  if (!good) return absl::UnauthenticatedError("the client certificate is not PEM");
  const Bio bio = MemoryBio(key_pem.Reveal());
  EVP_PKEY* key = PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr);
  const bool fits = key != nullptr && SSL_CTX_use_PrivateKey(context, key) == 1;
  EVP_PKEY_free(key);
  ERR_clear_error();
  return fits ? absl::OkStatus()
              : absl::UnauthenticatedError(
                    "the client key is not PEM or does not fit the certificate");
}

absl::Status ConfigureTls(SSL_CTX* context, const TlsMaterial& material) {
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  if (!material.ca.empty()) {
    if (absl::Status status = TrustOnly(context, material.ca); !status.ok()) return status;
  }
  if (material.client_certificate.empty()) return absl::OkStatus();
  return PresentCertificate(context, material.client_certificate, material.client_key);
}

const http::method& MethodOf(WriteMethod method) {
  switch (method) {
    case WriteMethod::kPost: return http::methods::POST;
    case WriteMethod::kPut: return http::methods::PUT;
    case WriteMethod::kPatch: break;
  }
  return http::methods::PATCH;
}

// What outlives a transport that was destroyed with operations of the library still on their way.
struct Shared {
  std::mutex mutex;
  std::condition_variable changed;
  bool cancelled = false;
  // Set while a request is under way. Never cancelled with the mutex held: that may complete tasks.
  std::optional<pplx::cancellation_token_source> request;
  // Why the last connection could not be prepared.
  absl::Status tls_status;
};

class RestTransport final : public Transport {
 public:
  RestTransport(const ApiServerConfig& config, const RestTransportOptions& options)
      : config_(config), options_(options), shared_(std::make_shared<Shared>()) {}

  absl::StatusOr<HttpResult> Get(const std::string& target, absl::Duration idle_limit,
                                 const OnData& on_data) override {
    return Do([&] { return MakeRequest(http::methods::GET, target); }, idle_limit, on_data);
  }

  absl::StatusOr<HttpResult> Write(WriteMethod method, const std::string& target,
                                   const std::string& body, absl::Duration idle_limit,
                                   const OnData& on_data) override {
    const auto make = [&] {
      http::http_request request = MakeRequest(MethodOf(method), target);
      // As bytes: of text cpprestsdk makes a stream whose type it then mistakes.
      request.set_body(std::vector<unsigned char>(body.begin(), body.end()));
      request.headers().set_content_type(
          method == WriteMethod::kPatch ? "application/merge-patch+json" : "application/json");
      return request;
    };
    return Do(make, idle_limit, on_data);
  }

  void Cancel() override {
    std::optional<pplx::cancellation_token_source> request;
    {
      const std::lock_guard<std::mutex> lock(shared_->mutex);
      shared_->cancelled = true;
      request = shared_->request;
      shared_->changed.notify_all();
    }
    if (request) request->cancel();
  }

 private:
  // `make` gives the request, but for credentials.
  template <typename Make>
  absl::StatusOr<HttpResult> Do(Make make, absl::Duration idle_limit, const OnData& on_data) {
    pplx::cancellation_token_source source;
    {
      const std::lock_guard<std::mutex> lock(shared_->mutex);
      if (shared_->cancelled) return absl::CancelledError("cancelled");
      shared_->request = source;
      shared_->tls_status = absl::OkStatus();
    }
    absl::StatusOr<HttpResult> result = absl::UnknownError("");
    try {
      result = Perform(make(), idle_limit, on_data, source);
    } catch (const std::exception& error) {
      result = absl::UnavailableError(error.what());
    }
    if (!result.ok()) source.cancel();  // closes the connection
    const std::lock_guard<std::mutex> lock(shared_->mutex);
    shared_->request.reset();
    if (shared_->cancelled) return absl::CancelledError("cancelled");
    if (!result.ok() && !shared_->tls_status.ok()) return shared_->tls_status;
    return result;
  }

  http::http_request MakeRequest(const http::method& method, const std::string& target) const {
    http::http_request request(method);
    request.set_request_uri(http::uri(target));
    request.headers().add(http::header_names::accept, "application/json");
    request.headers().add(http::header_names::user_agent, options_.user_agent);
    return request;
  }

  absl::StatusOr<HttpResult> Perform(http::http_request request, absl::Duration idle_limit,
                                     const OnData& on_data,
                                     const pplx::cancellation_token_source& source) {
    absl::StatusOr<SecretBytes> token = config_.LoadToken();
    if (!token.ok()) return absl::UnauthenticatedError(token.status().message());
    if (client_ == nullptr) client_ = MakeClient();

    if (!token->empty()) {
      request.headers().add(http::header_names::authorization, StrCat("Bearer ", token->Reveal()));
    }
    // The library takes the name for SNI and for the check of the certificate from this field.
    if (!config_.tls_server_name.empty()) {
      request.headers().add(http::header_names::host, config_.tls_server_name);
    }

    auto sent = client_->request(request, source.get_token());
    if (absl::Status status = Await(sent, options_.head_limit); !status.ok()) return status;
    http::http_response response = sent.get();
    HttpResult result;
    result.status = response.status_code();
    result.retry_after = RetryAfter(response);
    const bool good = result.status >= 200 && result.status < 300;
    const absl::Status status = ReadBody(response, idle_limit, [&](std::string_view bytes) {
      if (good) return on_data(bytes);
      result.error_body.append(bytes.substr(0, kMaxErrorBody - result.error_body.size()));
      return result.error_body.size() < kMaxErrorBody;
    });
    if (good && !status.ok()) return status;
    if (!status.ok()) source.cancel();  // the rest of an error page is of no interest
    return result;
  }

  absl::Status ReadBody(http::http_response& response, absl::Duration idle_limit,
                        const OnData& on_data) {
    auto buffer = response.body().streambuf();
    while (true) {
      // Wait for one byte without taking it, then take what is there.
      auto ready = buffer.getc();
      if (absl::Status status = Await(ready, idle_limit); !status.ok()) return status;
      if (ready.get() == concurrency::streams::char_traits<uint8_t>::eof()) return absl::OkStatus();
      auto bytes = std::make_shared<std::string>(std::min(buffer.in_avail(), kReadSize), '\0');
      auto read = buffer.getn(reinterpret_cast<uint8_t*>(bytes->data()), bytes->size());
      if (absl::Status status = Await(read, idle_limit, bytes); !status.ok()) return status;
      if (!on_data(std::string_view(*bytes).substr(0, read.get()))) {
        return absl::AbortedError("no more wanted");
      }
    }
  }

  // Waits for the task to end, well or not. The library's own timeout would not tell the wait for
  // the head from the pauses of a watch, and a cancelled task need not end at once.
  template <typename T>
  absl::Status Await(const pplx::task<T>& task, absl::Duration limit,
                     std::shared_ptr<void> memory = nullptr) {
    auto done = std::make_shared<bool>(false);
    task.then([shared = shared_, done, memory = std::move(memory)](pplx::task<T> ended) {
      try {
        ended.wait();  // an exception that nobody looks at would end the program
      } catch (const std::exception&) {
        // The waiting thread gets it from the task itself.
      }
      const std::lock_guard<std::mutex> lock(shared->mutex);
      *done = true;
      shared->changed.notify_all();
    });
    std::unique_lock<std::mutex> lock(shared_->mutex);
    clock_.WaitUntil(lock, shared_->changed, clock_.MonotonicNow() + limit,
                     [&] { return *done || shared_->cancelled; });
    if (shared_->cancelled) return absl::CancelledError("cancelled");
    if (!*done) {
      return absl::DeadlineExceededError(StrCat("nothing came for ", absl::FormatDuration(limit)));
    }
    return absl::OkStatus();
  }

  std::unique_ptr<http::client::http_client> MakeClient() const {
    http::client::http_client_config client_config;
    client_config.set_timeout(std::chrono::hours(1));  // Await has the real limits
    client_config.set_max_redirects(0);                // a token goes to one server only
    client_config.set_validate_certificates(!config_.insecure_skip_tls_verify);
    client_config.set_ssl_context_callback([config = config_,
                                            shared = shared_](boost::asio::ssl::context& context) {
      const absl::StatusOr<TlsMaterial> material = config.LoadTls();
      absl::Status status = material.ok() ? ConfigureTls(context.native_handle(), *material)
                                          : absl::UnauthenticatedError(material.status().message());
      if (status.ok()) return;
      // Without its certificates the handshake fails, and then this is the reason to tell.
      const std::lock_guard<std::mutex> lock(shared->mutex);
      shared->tls_status = std::move(status);
    });
    return std::make_unique<http::client::http_client>(http::uri(config_.url), client_config);
  }

  static absl::Duration RetryAfter(const http::http_response& response) {
    const auto field = response.headers().find("Retry-After");
    int seconds = 0;
    if (field == response.headers().end() || !absl::SimpleAtoi(field->second, &seconds)) return {};
    return absl::Seconds(std::max(seconds, 0));
  }

  const ApiServerConfig config_;
  const RestTransportOptions options_;
  const std::shared_ptr<Shared> shared_;
  const SystemClock clock_;
  std::unique_ptr<http::client::http_client> client_;
};

}  // namespace

std::unique_ptr<Transport> MakeRestTransport(const ApiServerConfig& config,
                                             const RestTransportOptions& options) {
  return std::make_unique<RestTransport>(config, options);
}

void InitializeRest(size_t threads) {
  try {
    crossplat::threadpool::initialize_with_threads(threads);
  } catch (const std::exception& error) {
    HEADGATE_LOG(kDebug, "kube", "HTTP threads run already", {"error", error.what()});
  }
}

}  // namespace headgate::kube
