#include "controller/translate/model.h"

#include <algorithm>
#include <optional>

#include "absl/strings/ascii.h"
#include "common/host_pattern.h"
#include "common/strings.h"
#include "controller/translate/annotations/registry.h"
#include "controller/translate/annotations/values.h"
#include "controller/translate/files.h"
#include "controller/translate/path_match.h"

namespace headgate::translate {
namespace {

using kube::Ingress;
using kube::Kind;

void AddRule(std::vector<HostRules>& hosts, std::string host, uint32_t rule) {
  auto it = std::find_if(hosts.begin(), hosts.end(),
                         [&](const HostRules& entry) { return entry.host == host; });
  if (it == hosts.end()) it = hosts.insert(it, HostRules{std::move(host), {}});
  it->rules.push_back(rule);
}

std::vector<HostRules> ReadHosts(const Ingress& ingress, std::vector<Diagnostic>& diagnostics) {
  std::vector<HostRules> hosts;
  if (ingress.rules.empty() && ingress.default_backend) {
    hosts.push_back(HostRules{std::string(kEveryHost), {}});
  }
  for (uint32_t i = 0; i < ingress.rules.size(); ++i) {
    const std::string& host = ingress.rules[i].host;
    if (host.empty()) {
      AddRule(hosts, std::string(kEveryHost), i);
      continue;
    }
    absl::StatusOr<HostPattern> pattern = HostPattern::Parse(host);
    if (pattern.ok()) {
      AddRule(hosts, pattern->text(), i);
    } else {
      diagnostics.push_back({Kind::kIngress, ingress.meta.key, RuleField(i) + ".host",
                             Reason::kInvalidHost, Severity::kError,
                             StrCat(ToStd(pattern.status().message()), "; the rule is left out")});
    }
  }
  return hosts;
}

// The same host with "www." or without; empty: it has none.
std::string TwinOf(std::string_view host) {
  if (host == kEveryHost || host.starts_with('*')) return {};
  return host.starts_with("www.") ? std::string(host.substr(4)) : StrCat("www.", host);
}

// Names that annotations give to the hosts. An Ingress has one thing to say about each.
void AddOtherNames(const HeaderSettings& settings, std::vector<HostRules>& hosts) {
  const std::vector<HostRules> own = hosts;
  const auto add = [&](std::string name, const HostRules& of, bool redirect) {
    const bool known = std::any_of(hosts.begin(), hosts.end(),
                                   [&](const HostRules& host) { return host.host == name; });
    if (!name.empty() && !known) hosts.push_back({std::move(name), of.rules, of.host, redirect});
  };
  if (settings.canary) return;  // it makes no host
  for (const HostRules& host : own) {
    if (host.host == kEveryHost) continue;
    for (const std::string& alias : settings.aliases) add(alias, host, false);
  }
  for (const HostRules& host : own) {
    if (settings.www_redirect) add(TwinOf(host.host), host, true);
  }
}

// Whether all of it stands for itself, in a regular expression too.
bool IsPlain(std::string_view path) {
  return std::all_of(path.begin(), path.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '_' || c == '-' ||
           c == '/';
  });
}

// What is wrong with a path or its backend, whoever wins it.
void CheckPath(const Ingress& ingress, const kube::IngressPath& path, const std::string& field,
               bool strict, std::vector<Diagnostic>& diagnostics) {
  if (!path.path.empty() && !path.path.starts_with('/')) {
    diagnostics.push_back(
        {Kind::kIngress, ingress.meta.key, field + ".path", Reason::kInvalidPath, Severity::kError,
         StrCat("\"", path.path, "\" does not start with /; the path is left out")});
  } else if (!IsServable(path.path)) {
    diagnostics.push_back(
        {Kind::kIngress, ingress.meta.key, field + ".path", Reason::kInvalidPath, Severity::kError,
         StrCat(QuoteValue(path.path),
                " is too long or holds a control character; the path is left out")});
  } else if (strict && path.type != kube::PathType::kImplementationSpecific &&
             !IsPlain(path.path)) {
    diagnostics.push_back(
        {Kind::kIngress, ingress.meta.key, field + ".path", Reason::kPathCharacters,
         Severity::kInfo,
         StrCat(QuoteValue(path.path),
                " has characters besides letters, digits and \"._-/\", which "
                "only a path of type ImplementationSpecific should have; it is served, but the "
                "webhook refuses it (strict-validate-path-type)")});
  }
}

void CheckBackend(const Ingress& ingress, const kube::IngressBackend& backend,
                  const std::string& field, std::vector<Diagnostic>& diagnostics) {
  if (ToConfigMapRef(ingress, backend)) return;
  if (backend.resource) {
    diagnostics.push_back(
        {Kind::kIngress, ingress.meta.key, field + ".resource", Reason::kResourceBackend,
         Severity::kError,
         StrCat(backend.resource->kind, " \"", backend.resource->name,
                "\" cannot be a backend here, only a Service or a ConfigMap can; it is left out")});
  } else if (!ToBackendRef(ingress, backend)) {
    diagnostics.push_back({Kind::kIngress, ingress.meta.key, field + ".service",
                           Reason::kInvalidBackend, Severity::kError,
                           StrCat("\"", backend.service, "\" port \"", backend.port.ToString(),
                                  "\" does not name a Service and a port; it is left out")});
  }
}

}  // namespace

ReadResult ReadIngress(std::shared_ptr<const Ingress> ingress, const IngressRules& rules) {
  ReadResult result;
  if (ingress->default_backend && !rules.catch_all) {
    result.diagnostics.push_back(
        {Kind::kIngress, ingress->meta.key, "spec.defaultBackend", Reason::kInvalidBackend,
         Severity::kError, "Ingresses with a default backend are not served: --disable-catch-all"});
    return result;
  }
  auto model = std::make_shared<IngressModel>();
  AnnotationResult annotations = ReadAnnotations(*ingress, rules.annotations, result.diagnostics);
  model->settings = std::move(annotations.settings);
  model->annotation_prefix = rules.annotations.prefix;
  model->hosts = ReadHosts(*ingress, result.diagnostics);
  AddOtherNames(model->settings.headers, model->hosts);
  for (size_t rule = 0; rule < ingress->rules.size(); ++rule) {
    const auto& paths = ingress->rules[rule].paths;
    for (size_t path = 0; path < paths.size(); ++path) {
      CheckPath(*ingress, paths[path], PathField(rule, path), rules.annotations.strict_paths,
                result.diagnostics);
    }
  }
  ForEachBackend(*ingress, [&](const kube::IngressBackend& backend, const std::string& field) {
    CheckBackend(*ingress, backend, field, result.diagnostics);
  });
  model->object = std::move(ingress);
  if (!annotations.refused) result.model = std::move(model);
  return result;
}

ReadResult ReadIngressOrLastGood(std::shared_ptr<const Ingress> newest,
                                 std::shared_ptr<const Ingress> last_good,
                                 const IngressRules& rules) {
  ReadResult result = ReadIngress(std::move(newest), rules);
  if (result.model == nullptr && last_good != nullptr) {
    result.model = ReadIngress(std::move(last_good), rules).model;
  }
  return result;
}

std::optional<BackendRef> ToBackendRef(const Ingress& ingress,
                                       const kube::IngressBackend& backend) {
  const bool port_ok = backend.port.number != 0 || IsNamePart(backend.port.name);
  if (backend.resource || !IsNamePart(backend.service) || !port_ok) return std::nullopt;
  return BackendRef{{ingress.meta.key.ns, backend.service}, backend.port};
}

std::string RuleField(size_t rule) { return StrCat("spec.rules[", rule, "]"); }

std::string PathField(size_t rule, size_t path) {
  return StrCat("spec.rules[", rule, "].http.paths[", path, "]");
}

std::string TlsField(size_t entry) { return StrCat("spec.tls[", entry, "]"); }

}  // namespace headgate::translate
