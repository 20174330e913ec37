// The units of the Translator that are Secrets: certificates of hosts, CAs of clients, and what is
// used towards endpoints.
#include <algorithm>
#include <utility>

#include "controller/translate/global.h"
#include "controller/translate/translator.h"
#include "controller/translate/upstream_secret.h"

namespace headgate::translate {
namespace {

using kube::ObjectKey;

// The certificate in use, to compare two states by.
const kube::Secret* SecretInUse(const CertificateState& state) {
  return state.certificate != nullptr ? state.certificate->secret.get() : nullptr;
}

template <typename Ingresses>
void Forget(Ingresses& ingresses, const IngressModel& model) {
  ingresses.erase(std::find(ingresses.begin(), ingresses.end(), &model));
}

}  // namespace

void Translator::LinkSecrets(const IngressModel& model) {
  for (const ObjectKey& secret : SecretsOf(*model.object)) {
    std::unique_ptr<CertificateUnit>& unit = certificates_[secret];
    if (unit == nullptr) {
      unit = std::make_unique<CertificateUnit>();
      dirty_certificates_.insert(secret);
    }
    unit->ingresses.push_back(&model);
  }
  if (const auto ca = ClientCaOf(model)) client_cas_[*ca].ingresses.push_back(&model);
  if (const auto secret = UpstreamSecretOf(model))
    upstream_secrets_[*secret].ingresses.push_back(&model);
  if (const auto ref = UserSecretOf(model)) user_secrets_[*ref].ingresses.push_back(&model);
}

void Translator::UnlinkSecrets(const IngressModel& model) {
  for (ObjectKey& secret : SecretsOf(*model.object)) {
    Forget(certificates_.at(secret)->ingresses, model);
    maybe_unused_certificates_.insert(std::move(secret));
  }
  if (const auto ca = ClientCaOf(model)) {
    Forget(client_cas_.at(*ca).ingresses, model);
    dirty_client_cas_.insert(*ca);
  }
  if (const auto secret = UpstreamSecretOf(model)) {
    Forget(upstream_secrets_.at(*secret).ingresses, model);
    dirty_upstream_secrets_.insert(*secret);
  }
  if (const auto ref = UserSecretOf(model)) {
    Forget(user_secrets_.at(*ref).ingresses, model);
    dirty_user_secrets_.insert(*ref);
  }
}

// What there is to say about a Secret is said when its unit is redone, in the same update.
void Translator::CheckSecretsOf(IngressUnit& unit) {
  const IngressModel* model = unit.model.get();
  const auto ca = model != nullptr ? ClientCaOf(*model) : std::nullopt;
  if (ca) {
    dirty_client_cas_.insert(*ca);
  } else {
    log_.Set(unit.client_ca_diagnostics,
             model != nullptr ? CheckClientCaOf(*model) : std::vector<Diagnostic>());
  }
  const auto secret = model != nullptr ? UpstreamSecretOf(*model) : std::nullopt;
  if (secret) {
    dirty_upstream_secrets_.insert(*secret);
  } else {
    log_.Set(unit.upstream_secret_diagnostics, {});
  }
  const auto users = model != nullptr ? UserSecretOf(*model) : std::nullopt;
  if (users) {
    dirty_user_secrets_.insert(*users);
  } else {
    log_.Set(unit.user_secret_diagnostics, {});
  }
}

// --- certificates ---

void Translator::RedoCertificates() {
  for (const ObjectKey& secret : std::exchange(dirty_certificates_, {})) {
    RedoCertificate(secret, *certificates_.at(secret));
  }
}

void Translator::RedoCertificate(const ObjectKey& secret, CertificateUnit& unit) {
  ++work_.certificates;
  CertificateState state =
      ChooseCertificate(LookUpSecret(*state_, secret), last_good_.FindSecret(secret), now_);
  certificate_recheck_ = std::min(certificate_recheck_, state.recheck);
  const bool changed = state.use != unit.state.use || SecretInUse(state) != SecretInUse(unit.state);
  unit.state = std::move(state);
  log_.Set(unit.diagnostics, std::exchange(unit.state.diagnostics, {}));
  const bool usable = unit.state.use == CertificateState::Use::kUsable;
  if (usable) {
    last_good_.secrets[secret] = unit.state.certificate->secret;
  } else {
    last_good_.secrets.erase(secret);
  }
  if (options_.default_certificate == secret) {
    log_.Set(std::string(kDefaultCertificateName), default_certificate_,
             TranslateDefaultCertificate(&unit.state, options_));
  }
  if (!changed) return;
  if (usable && unit.hosts > 0) {
    log_.Set(CertificateName(secret), unit.resource, TranslateCertificate(unit.state));
  }
  for (const IngressModel* model : unit.ingresses) {
    for (const HostRules& host : model->hosts) MarkTls(host.host);
  }
}

void Translator::OfferCertificate(HostUnit& host, const std::optional<ObjectKey>& secret) {
  if (host.tls.secret == secret) return;
  if (secret) {
    CertificateUnit& unit = *certificates_.at(*secret);
    if (++unit.hosts == 1) {
      log_.Set(CertificateName(*secret), unit.resource, TranslateCertificate(unit.state));
    }
  }
  if (host.tls.secret) {
    CertificateUnit& unit = *certificates_.at(*host.tls.secret);
    if (--unit.hosts == 0) log_.Set(CertificateName(*host.tls.secret), unit.resource, nullptr);
  }
}

// --- CAs of clients ---

void Translator::RedoClientCas() {
  for (const ObjectKey& secret : std::exchange(dirty_client_cas_, {})) {
    const auto it = client_cas_.find(secret);
    if (it == client_cas_.end()) continue;
    ClientCaUnit& unit = it->second;
    if (unit.ingresses.empty()) {
      log_.Set(SecretName(secret), unit.resource, nullptr);
      client_cas_.erase(it);
      continue;
    }
    const bool was_usable = unit.ca.usable();
    unit.ca = ReadClientCa(secret, LookUpSecret(*state_, secret));
    log_.Set(SecretName(secret), unit.resource, unit.ca.resource);
    for (const IngressModel* model : unit.ingresses) {
      log_.Set(ingresses_.at(model->key()).client_ca_diagnostics, CheckClientCaOf(*model));
      if (was_usable == unit.ca.usable()) continue;
      MarkHosts(*model);
    }
  }
}

std::vector<Diagnostic> Translator::CheckClientCaOf(const IngressModel& model) const {
  return CheckClientCa(model, [this](const ObjectKey& secret) -> const ClientCa& {
    return client_cas_.at(secret).ca;
  });
}

// --- Secrets for endpoints ---

void Translator::RedoUpstreamSecrets() {
  for (const ObjectKey& secret : std::exchange(dirty_upstream_secrets_, {})) {
    const auto it = upstream_secrets_.find(secret);
    if (it == upstream_secrets_.end()) continue;
    UpstreamSecretUnit& unit = it->second;
    const bool unused = unit.ingresses.empty();
    UpstreamSecret state;
    if (!unused) {
      state = ChooseUpstreamSecret(secret, LookUpSecret(*state_, secret),
                                   last_good_.FindUpstreamSecret(secret));
    }
    log_.Set(UpstreamSecretName(secret), unit.resource, state.resource);
    for (const IngressModel* model : unit.ingresses) {
      log_.Set(ingresses_.at(model->key()).upstream_secret_diagnostics,
               DescribeUpstreamSecret(*model, state));
    }
    if (state.secret != nullptr) {
      last_good_.upstream_secrets[secret] = std::move(state.secret);
    } else {
      last_good_.upstream_secrets.erase(secret);
    }
    if (unused) upstream_secrets_.erase(it);
  }
}

// --- Secrets with users ---

void Translator::RedoUserSecrets() {
  for (const UserSecretRef& ref : std::exchange(dirty_user_secrets_, {})) {
    const auto it = user_secrets_.find(ref);
    if (it == user_secrets_.end()) continue;
    UserSecretUnit& unit = it->second;
    const UserSecret state = ReadUserSecret(ref, LookUpSecret(*state_, ref.secret));
    const bool used = std::any_of(
        unit.ingresses.begin(), unit.ingresses.end(),
        [&](const auto* model) { return !RefersToForbiddenSecret(*model, global_.ingress); });
    log_.Set(UserSecretName(ref), unit.resource, used ? state.resource : nullptr);
    for (const IngressModel* model : unit.ingresses) {
      log_.Set(ingresses_.at(model->key()).user_secret_diagnostics,
               DescribeUserSecret(*model, global_.ingress, state));
    }
    if (unit.ingresses.empty()) user_secrets_.erase(it);
  }
}

}  // namespace headgate::translate
