// Resources that are there once: the settings, the default certificate, certificates by Secret; and
// diagnostics that belong to no Ingress.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "controller/kube/objects.h"
#include "controller/state/cluster_state.h"
#include "controller/translate/backends.h"
#include "controller/translate/certificates.h"
#include "controller/translate/config_map/settings.h"
#include "controller/translate/dh_parameters.h"
#include "controller/translate/header_config_maps.h"
#include "controller/translate/names.h"
#include "controller/translate/options.h"
#include "controller/translate/translation.h"

namespace headgate::translate {

// The first port of the default backend's Service; nothing without the option, the Service or a
// port.
std::optional<BackendRef> DefaultBackendRef(const state::ClusterState& state,
                                            const Options& options);

// Why the option --default-backend-service has no effect, if so.
std::vector<Diagnostic> CheckDefaultBackend(const std::optional<BackendRef>& backend,
                                            BackendProblem problem, const Options& options);

// `default_backend`: where requests that match no route go, if anywhere.
ResourcePtr TranslateSettings(const std::optional<BackendRef>& default_backend,
                              const GlobalSettings& global, const DhParameters& dh_parameters,
                              const ConfigMapLookup& config_map_of, const Options& options,
                              std::vector<Diagnostic>& diagnostics);

// "cert/default": the certificate of the Secret in the options when it can be used, else the
// fallback.
ResourcePtr TranslateDefaultCertificate(const CertificateState* chosen, const Options& options);

// "cert/<ns>/<name>". REQUIRES: the certificate is usable.
ResourcePtr TranslateCertificate(const CertificateState& state);

// The latest form of `key` could not be decoded.
Diagnostic DescribeInvalid(kube::Kind kind, const kube::ObjectKey& key, const std::string& error);

}  // namespace headgate::translate
