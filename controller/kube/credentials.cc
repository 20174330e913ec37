#include "controller/kube/credentials.h"

#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "common/log.h"
#include "common/strings.h"
#include "controller/kube/json.h"
#include "controller/kube/yaml.h"

namespace headgate::kube {
namespace {

constexpr size_t kMaxFileBytes = size_t{1} << 20;

std::string Trimmed(std::string_view text) {
  return std::string(absl::StripAsciiWhitespace(ToAbsl(text)));
}

absl::StatusOr<SecretBytes> ReadOrEmpty(const std::shared_ptr<CredentialText>& text) {
  return text == nullptr ? SecretBytes() : text->Read();
}

}  // namespace

std::shared_ptr<CredentialText> CredentialText::Inline(std::string_view text) {
  auto credential = std::make_shared<CredentialText>();
  const std::lock_guard<std::mutex> lock(credential->mutex_);
  credential->inline_ = SecretBytes(text);
  return credential;
}

std::shared_ptr<CredentialText> CredentialText::File(const std::string& path) {
  auto credential = std::make_shared<CredentialText>();
  const std::lock_guard<std::mutex> lock(credential->mutex_);
  credential->file_ = std::make_unique<WatchedFile>(path, kMaxFileBytes);
  return credential;
}

absl::StatusOr<SecretBytes> CredentialText::Read() {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (file_ == nullptr) return inline_;
  const absl::StatusOr<bool> changed = file_->Refresh();
  if (!changed.ok()) {
    if (file_->content().empty()) return changed.status();
    HEADGATE_LOG_EVERY(60, kWarn, "kube", "cannot read credentials again, using the last ones",
                       {"error", changed.status()});
  }
  return SecretBytes(file_->content());
}

absl::StatusOr<TlsMaterial> ApiServerConfig::LoadTls() const {
  TlsMaterial material;
  absl::StatusOr<SecretBytes> ca_pem = ReadOrEmpty(ca);
  if (!ca_pem.ok()) return ca_pem.status();
  absl::StatusOr<SecretBytes> certificate = ReadOrEmpty(client_certificate);
  if (!certificate.ok()) return certificate.status();
  absl::StatusOr<SecretBytes> key = ReadOrEmpty(client_key);
  if (!key.ok()) return key.status();
  material.ca = std::string(ca_pem->Reveal());
  material.client_certificate = std::string(certificate->Reveal());
  material.client_key = *std::move(key);
  return material;
}

absl::StatusOr<SecretBytes> ApiServerConfig::LoadToken() const {
  absl::StatusOr<SecretBytes> text = ReadOrEmpty(token);
  if (!text.ok()) return text.status();
  const absl::string_view trimmed = absl::StripAsciiWhitespace(ToAbsl(text->Reveal()));
  // The token becomes a header field.
  for (const char c : trimmed) {
    if (c <= ' ' || c >= 0x7F) return absl::UnauthenticatedError("the bearer token is not a word");
  }
  return SecretBytes(ToStd(trimmed));
}

absl::StatusOr<ApiServerConfig> InClusterConfig(
    const std::function<const char*(const char*)>& environment, const std::string& folder) {
  const char* host = environment("KUBERNETES_SERVICE_HOST");
  const char* port = environment("KUBERNETES_SERVICE_PORT");
  if (host == nullptr || port == nullptr || *host == '\0' || *port == '\0') {
    return absl::FailedPreconditionError(
        "not running in a Kubernetes pod: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are "
        "not set");
  }
  ApiServerConfig config;
  // The HTTP library cannot dial a literal IPv6 address; every API server's certificate has this
  // name too.
  const bool is_ipv6 = std::string_view(host).find(':') != std::string_view::npos;
  config.url = StrCat("https://", is_ipv6 ? "kubernetes.default.svc" : host, ":", port);
  config.ca = CredentialText::File(folder + "/ca.crt");
  config.token = CredentialText::File(folder + "/token");
  if (const absl::StatusOr<SecretBytes> token = config.token->Read(); !token.ok()) {
    return token.status();
  }
  if (const absl::StatusOr<SecretBytes> ca = config.ca->Read(); !ca.ok()) return ca.status();
  if (const absl::StatusOr<std::string> ns = ReadFile(folder + "/namespace", 1024); ns.ok()) {
    config.default_namespace = Trimmed(*ns);
  }
  return config;
}

namespace {

// The part of a kubeconfig that is in use, and what is needed to read it.
class KubeconfigReader {
 public:
  KubeconfigReader(const std::string& path, const FieldNode& root, FieldErrors& errors)
      : root_(root), errors_(errors) {
    const size_t slash = path.rfind('/');
    folder_ = slash == std::string::npos ? "" : path.substr(0, slash + 1);
  }

  ApiServerConfig Read(std::string context_name) {
    ApiServerConfig config;
    const FieldNode current = root_.Get("current-context");
    if (context_name.empty()) context_name = current.String();
    if (context_name.empty()) current.Fail("is required (or choose a context)");
    if (!errors_.ok()) return config;
    WithNamed("contexts", "context", context_name, [&](const FieldNode& context) {
      config.default_namespace = context.Get("namespace").String();
      const FieldNode cluster = context.Get("cluster");
      const FieldNode user = context.Get("user");
      if (!cluster.Require() || !user.Require()) return;
      WithNamed("clusters", "cluster", cluster.String(),
                [&](const FieldNode& node) { ReadCluster(node, config); });
      WithNamed("users", "user", user.String(),
                [&](const FieldNode& node) { ReadUser(node, config); });
    });
    return config;
  }

 private:
  // Finds the entry called `name` in a list of {name, <field>: {...}}.
  template <typename Visit>
  void WithNamed(std::string_view list_name, std::string_view field, const std::string& name,
                 Visit visit) {
    const FieldNode list = root_.Get(list_name);
    for (size_t i = 0; i < list.size(); ++i) {
      const FieldNode entry = list.At(i);
      if (entry.Get("name").View() != name) continue;
      const FieldNode node = entry.Get(field);
      visit(node);
      return;
    }
    list.Fail(StrCat("has no entry named \"", name, "\""));
  }

  void ReadCluster(const FieldNode& node, ApiServerConfig& config) {
    const FieldNode server = node.Get("server");
    server.Require();
    config.url = server.String();
    while (!config.url.empty() && config.url.back() == '/') config.url.pop_back();
    if (!config.url.starts_with("https://") && !config.url.starts_with("http://")) {
      server.Fail("must be an http:// or https:// URL");
    }
    if (node.Get("proxy-url").present()) node.Get("proxy-url").Fail("is not supported");
    config.tls_server_name = node.Get("tls-server-name").String();
    config.insecure_skip_tls_verify = node.Get("insecure-skip-tls-verify").Bool(false);
    config.ca = ReadText(node, "certificate-authority");
  }

  void ReadUser(const FieldNode& node, ApiServerConfig& config) {
    for (const char* field : {"exec", "auth-provider", "username", "password"}) {
      const FieldNode refused = node.Get(field);
      if (refused.present()) {
        refused.Fail("is not supported; use a token, a token file or a client certificate");
      }
    }
    config.client_certificate = ReadText(node, "client-certificate");
    config.client_key = ReadText(node, "client-key");
    if ((config.client_certificate == nullptr) != (config.client_key == nullptr)) {
      node.Fail("client-certificate and client-key need each other");
    }
    // As in kubectl, the text wins over the file.
    const FieldNode token = node.Get("token");
    const FieldNode token_file = node.Get("tokenFile");
    if (!token.View().empty()) {
      config.token = CredentialText::Inline(token.View());
    } else if (!token_file.View().empty()) {
      config.token = CheckedFile(token_file);
    }
  }

  // NAME-data (base64) or the file NAME; the data wins, as in kubectl. Null if there is neither.
  std::shared_ptr<CredentialText> ReadText(const FieldNode& node, const std::string& name) {
    const FieldNode file = node.Get(name);
    const std::string data_name = name + "-data";
    const FieldNode data = node.Get(data_name);
    if (!data.View().empty()) {
      std::string text;
      if (!absl::Base64Unescape(ToAbsl(data.View()), &text)) data.Fail("must be base64");
      auto credential = CredentialText::Inline(text);
      WipeMemory(text.data(), text.size());
      return credential;
    }
    if (!file.View().empty()) return CheckedFile(file);
    return nullptr;
  }

  std::shared_ptr<CredentialText> CheckedFile(const FieldNode& node) {
    const std::string path = node.String();
    auto credential = CredentialText::File(path[0] == '/' ? path : folder_ + path);
    const absl::StatusOr<SecretBytes> content = credential->Read();
    if (!content.ok()) node.Fail(ToStd(content.status().message()));
    return credential;
  }

  const FieldNode& root_;
  FieldErrors& errors_;
  std::string folder_;
};

}  // namespace

absl::StatusOr<ApiServerConfig> LoadKubeconfig(const std::string& path,
                                               const std::string& context) {
  absl::StatusOr<std::string> content = ReadFile(path, kMaxFileBytes);
  if (!content.ok()) return content.status();
  absl::StatusOr<std::vector<Json>> documents = ParseYaml(*content);
  WipeMemory(content->data(), content->size());
  if (!documents.ok()) {
    return absl::InvalidArgumentError(StrCat(path, ": ", documents.status().message()));
  }
  if (documents->size() != 1) {
    return absl::InvalidArgumentError(StrCat(path, ": must be one YAML document"));
  }
  FieldErrors errors;
  const FieldNode root((*documents)[0], errors);
  ApiServerConfig config = KubeconfigReader(path, root, errors).Read(context);
  if (!errors.ok()) return absl::InvalidArgumentError(StrCat(path, ": ", errors.first()));
  return config;
}

}  // namespace headgate::kube
