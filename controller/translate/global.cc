#include "controller/translate/global.h"

#include "common/strings.h"
#include "controller/translate/emit.h"
#include "controller/translate/ticket_keys.h"

namespace headgate::translate {
namespace {

using kube::Kind;
using kube::ObjectKey;

// The field that a decoder's error names: it says "... KIND NAME: FIELD: what is wrong".
std::string FieldOf(std::string_view error, const ObjectKey& key) {
  const std::string mark = key.ToString() + ": ";
  const size_t at = error.find(mark);
  if (at == std::string_view::npos) return "object";
  error.remove_prefix(at + mark.size());
  const size_t end = error.find(": ");
  const bool named = end != std::string_view::npos && error.substr(0, end).find(' ') == error.npos;
  return named ? std::string(error.substr(0, end)) : "object";
}

v1::Resource CertificateOf(const kube::Secret& secret) {
  v1::Resource resource;
  v1::Certificate& certificate = *resource.mutable_certificate();
  certificate.set_chain_pem(std::string(secret.Find("tls.crt")->Reveal()));
  certificate.set_key_pem(std::string(secret.Find("tls.key")->Reveal()));
  AddProvenance(resource, Kind::kSecret, secret.meta.key, "");
  return resource;
}

}  // namespace

std::optional<BackendRef> DefaultBackendRef(const state::ClusterState& state,
                                            const Options& options) {
  if (!options.default_backend) return std::nullopt;
  const kube::Service* service = state.FindService(*options.default_backend);
  if (service == nullptr || service->ports.empty()) return std::nullopt;
  return BackendRef{*options.default_backend, {"", service->ports.front().port}};
}

std::vector<Diagnostic> CheckDefaultBackend(const std::optional<BackendRef>& backend,
                                            BackendProblem problem, const Options& options) {
  if (!options.default_backend || (backend && problem == BackendProblem::kNone)) return {};
  return {
      {Kind::kService, *options.default_backend, "spec.ports", Reason::kServiceNotFound,
       Severity::kWarning,
       "the default backend is not there or has no usable port; unmatched requests are answered "
       "by the built-in 404"}};
}

ResourcePtr TranslateSettings(const std::optional<BackendRef>& default_backend,
                              const GlobalSettings& global, const DhParameters& dh_parameters,
                              const ConfigMapLookup& config_map_of, const Options& options,
                              std::vector<Diagnostic>& diagnostics) {
  v1::Resource resource;
  v1::Settings& settings = *resource.mutable_settings();
  settings = global.settings;
  AddConfigMapHeaders(global.headers, config_map_of, settings, diagnostics);
  if (!options.ticket_root.empty() || !global.ticket_key.empty()) {
    settings.mutable_tls()->set_ticket_keys(std::string(kTicketKeysName));
  }
  if (dh_parameters.secret != nullptr) settings.mutable_tls()->set_dh_parameters(dh_parameters.pem);
  settings.set_default_certificate(std::string(kDefaultCertificateName));
  if (default_backend) {
    settings.set_default_backend_cluster(ClusterName(*default_backend));
    AddProvenance(resource, Kind::kService, default_backend->service, "");
  }
  if (options.config_map) AddProvenance(resource, Kind::kConfigMap, *options.config_map, "data");
  if (dh_parameters.secret != nullptr)
    AddProvenance(resource, Kind::kSecret, dh_parameters.secret->meta.key, "");
  return Finish(std::string(kSettingsName), std::move(resource));
}

ResourcePtr TranslateDefaultCertificate(const CertificateState* chosen, const Options& options) {
  v1::Resource resource;
  if (chosen != nullptr && chosen->use == CertificateState::Use::kUsable) {
    resource = CertificateOf(*chosen->certificate->secret);
  } else {
    v1::Certificate& certificate = *resource.mutable_certificate();
    certificate.set_chain_pem(options.fallback_certificate.chain);
    certificate.set_key_pem(std::string(options.fallback_certificate.key.Reveal()));
  }
  return Finish(std::string(kDefaultCertificateName), std::move(resource));
}

ResourcePtr TranslateCertificate(const CertificateState& state) {
  const kube::Secret& secret = *state.certificate->secret;
  return Finish(CertificateName(secret.meta.key), CertificateOf(secret));
}

Diagnostic DescribeInvalid(Kind kind, const ObjectKey& key, const std::string& error) {
  return {kind,
          key,
          FieldOf(error, key),
          Reason::kUndecodable,
          Severity::kError,
          StrCat(error, "; the last good form, if there is one, stays in use")};
}

}  // namespace headgate::translate
