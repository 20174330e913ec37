#include "dataplane/config/client_auth_index.h"

#include <utility>

#include "dataplane/base/arena.h"
#include "dataplane/config/compile_values.h"
#include "dataplane/http/uri.h"

namespace headgate::config {
namespace {

constexpr uint32_t kMaxDepth = 100;

}  // namespace

absl::StatusOr<ClientAuthSpec> CompileClientAuth(const v1::ClientAuth& in) {
  using Mode = tls::ClientAuthMode;
  ClientAuthSpec out;
  switch (in.mode()) {
    case v1::ClientAuth::MODE_UNSPECIFIED: out.rules.mode = Mode::kRefuse; return out;
    case v1::ClientAuth::OFF: out.rules.mode = Mode::kOff; break;
    case v1::ClientAuth::REQUIRED: out.rules.mode = Mode::kRequired; break;
    case v1::ClientAuth::OPTIONAL: out.rules.mode = Mode::kOptional; break;
    case v1::ClientAuth::OPTIONAL_NO_CA: out.rules.mode = Mode::kOptionalNoCa; break;
    default: return FieldError("client_auth.mode", "unknown mode");
  }
  if (out.rules.mode != Mode::kOff) {
    HEADGATE_RETURN_IF_ERROR(CheckReference("client_auth.secret", in.secret(), "secret/"));
    out.secret = in.secret();
  }
  HEADGATE_RETURN_IF_ERROR(CheckRange("client_auth.verify_depth", in.verify_depth(), 0, kMaxDepth));
  out.rules.verify_depth = in.verify_depth() == 0 ? 1 : in.verify_depth();
  HEADGATE_RETURN_IF_ERROR(CheckPrintable("client_auth.error_page", in.error_page()));
  if (in.error_page().starts_with('/')) {
    base::BlockPool blocks;
    base::Arena arena(blocks);
    http::NormalPath normal;
    const std::string_view page = in.error_page();
    if (!http::NormalizePath(page.substr(0, page.find('?')), arena, normal)) {
      return FieldError("client_auth.error_page",
                        "is a path that can be read in more than one way");
    }
  }
  out.rules.error_page = in.error_page();
  out.rules.pass_certificate = in.pass_certificate();
  if (!in.match_subject().empty()) {
    std::string error;
    out.rules.match_subject =
        Regex::Compile(in.match_subject(), Regex::Anchor::kNone, Regex::Case::kSensitive, &error);
    if (out.rules.match_subject == nullptr) return FieldError("client_auth.match_subject", error);
  }
  return out;
}

void ClientAuthIndex::SetHost(std::string_view host, ClientAuthSpec spec) {
  hosts_.insert_or_assign(std::string(host), std::move(spec));
  dirty_.emplace(host);
}

void ClientAuthIndex::RemoveHost(std::string_view host) {
  const auto at = hosts_.find(host);
  if (at == hosts_.end()) return;
  dirty_.insert(at->first);
  hosts_.erase(at);
}

tls::ClientAuthRules ClientAuthIndex::Resolve(const ClientAuthSpec& spec) const {
  tls::ClientAuthRules rules = spec.rules;
  if (spec.secret.empty()) return rules;
  const SecretBytes* ca = secrets_.Find(spec.secret, "ca.crt");
  const SecretBytes* crl = secrets_.Find(spec.secret, "ca.crl");
  if (ca != nullptr) rules.ca_pem = ca->Reveal();
  if (crl != nullptr) rules.crl_pem = crl->Reveal();
  if (!tls::CheckTrust(rules.ca_pem, rules.crl_pem).ok()) rules.mode = tls::ClientAuthMode::kRefuse;
  return rules;
}

std::shared_ptr<const tls::ClientAuthTable> ClientAuthIndex::Table() {
  const bool secrets_changed =
      std::exchange(secrets_seen_, secrets_.version()) != secrets_.version();
  if (dirty_.empty() && !(secrets_changed && !hosts_.empty())) return table_;
  tls::ClientAuthTable::Edit edit(*table_);
  bool changed = false;
  for (const auto& [name, spec] : hosts_) {
    const bool dirty = dirty_.erase(name) > 0;
    if (!dirty && (!secrets_changed || spec.secret.empty())) continue;
    auto made = std::make_shared<const tls::ClientAuth>(name, Resolve(spec));
    const auto* held = edit.FindPattern(name);
    if (!dirty && held != nullptr && (*held)->fingerprint() == made->fingerprint()) continue;
    edit.Set(std::move(made));
    changed = true;
  }
  // What is left are hosts that ask for nothing any more.
  for (const std::string& name : std::exchange(dirty_, {})) {
    edit.Remove(name);
    changed = true;
  }
  if (changed) table_ = std::make_shared<const tls::ClientAuthTable>(std::move(edit).Finish());
  return table_;
}

}  // namespace headgate::config
