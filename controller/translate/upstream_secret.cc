#include "controller/translate/upstream_secret.h"

#include <array>
#include <utility>

#include "common/strings.h"
#include "controller/translate/certificates.h"
#include "controller/translate/emit.h"
#include "controller/translate/names.h"
#include "controller/translate/pem.h"

namespace headgate::translate {
namespace {

constexpr std::string_view kAnnotation = "nginx.ingress.kubernetes.io/proxy-ssl-secret";
constexpr std::string_view kTrust = "ca.crt";
constexpr std::string_view kChain = "tls.crt";
constexpr std::string_view kKey = "tls.key";
constexpr size_t kMaxPem = 1024 * 1024;

const SecretBytes* FindFilled(const kube::Secret& secret, std::string_view key) {
  const SecretBytes* value = secret.Find(key);
  return value != nullptr && !value->empty() ? value : nullptr;
}

// Why the Secret cannot be used, with the key that is to blame; empty when it can.
std::string Check(const std::shared_ptr<const kube::Secret>& secret) {
  const SecretBytes* trust = FindFilled(*secret, kTrust);
  const bool has_pair =
      FindFilled(*secret, kChain) != nullptr || FindFilled(*secret, kKey) != nullptr;
  if (trust == nullptr && !has_pair) return "it has neither ca.crt nor tls.crt with tls.key";
  if (trust != nullptr &&
      (trust->size() > kMaxPem || CountPem(trust->Reveal()).certificates == 0)) {
    return "data[ca.crt]: this is not a list of PEM certificates of 1 MiB at most";
  }
  if (!has_pair) return {};
  std::string field;
  std::string error;
  if (ParseCertificate(secret, &field, &error) == nullptr) return StrCat(field, ": ", error);
  return {};
}

ResourcePtr Translate(const kube::ObjectKey& key, const kube::Secret& secret) {
  v1::Resource resource;
  resource.mutable_secret_data();
  for (const std::string_view name : {kTrust, kChain, kKey}) {
    if (const SecretBytes* value = FindFilled(secret, name)) {
      AddSecretEntry(resource, name, value->Reveal());
    }
  }
  AddProvenance(resource, kube::Kind::kSecret, key, "");
  return Finish(UpstreamSecretName(key), std::move(resource));
}

}  // namespace

UpstreamSecret ChooseUpstreamSecret(const kube::ObjectKey& key, const SecretView& newest,
                                    std::shared_ptr<const kube::Secret> last_good) {
  UpstreamSecret state;
  if (newest.secret == nullptr) {
    state.problem = StrCat("it ", newest.Absence());
    state.reason = newest.AbsenceReason();
    return state;
  }
  state.problem = Check(newest.secret);
  state.reason = Reason::kInvalidCertificate;
  if (state.problem.empty()) {
    state.secret = newest.secret;
  } else if (last_good != nullptr && Check(last_good).empty()) {
    state.secret = std::move(last_good);
  }
  if (state.secret != nullptr) state.resource = Translate(key, *state.secret);
  return state;
}

std::optional<kube::ObjectKey> UpstreamSecretOf(const IngressModel& ingress) {
  const kube::ObjectKey& secret = ingress.settings.upstream_tls.secret;
  if (secret.name.empty()) return std::nullopt;
  return secret;
}

std::vector<Diagnostic> DescribeUpstreamSecret(const IngressModel& ingress,
                                               const UpstreamSecret& state) {
  if (state.problem.empty()) return {};
  return {{kube::Kind::kIngress, ingress.key(), std::string(kAnnotation), state.reason,
           Severity::kError,
           StrCat("Secret ", ingress.settings.upstream_tls.secret.ToString(), ": ", state.problem,
                  state.resource != nullptr
                      ? "; its last good form stays in use"
                      : "; requests that go to endpoints over TLS are answered 503")}};
}

}  // namespace headgate::translate
