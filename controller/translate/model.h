// One Ingress, read and checked on its own: its settings, and what it has to say about each host.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "controller/kube/objects.h"
#include "controller/translate/annotations/rules.h"
#include "controller/translate/annotations/settings.h"
#include "controller/translate/diagnostic.h"
#include "controller/translate/names.h"

namespace headgate::translate {

// The rules of an Ingress for one host.
struct HostRules {
  std::string host;             // lower case; kEveryHost for rules without host
  std::vector<uint32_t> rules;  // indices into Ingress::rules, ascending
  // Not empty: `host` is another name of this one, which has the rules.
  std::string of = {};
  bool redirect = false;  // ... and is sent to it
};

// Immutable once made.
struct IngressModel {
  std::shared_ptr<const kube::Ingress> object;
  IngressSettings settings;
  // In order of appearance. An Ingress that has nothing but a default backend is here with
  // kEveryHost and no rule.
  std::vector<HostRules> hosts;
  std::string annotation_prefix;  // of the annotations of ingress-nginx

  // The full name of one of these.
  std::string AnnotationName(std::string_view name) const {
    return annotation_prefix + std::string(name);
  }
  const kube::ObjectKey& key() const { return object->meta.key; }
  bool IsDefaultBackendOnly() const { return object->rules.empty() && object->default_backend; }
};

struct ReadResult {
  // Null when this form must not be used.
  std::shared_ptr<const IngressModel> model;
  std::vector<Diagnostic> diagnostics;
};

// What makes one Ingress readable or not, beside itself.
struct IngressRules {
  const AnnotationRules& annotations;
  bool catch_all = true;  // false: those with a default backend are not in use
};

// Reads annotations and hosts. Whatever is wrong with one rule harms that rule alone.
ReadResult ReadIngress(std::shared_ptr<const kube::Ingress> ingress, const IngressRules& rules);

// The newest form if it can be used, else the last good one (may be null) if it can, else a null
// model. The diagnostics are always those of the newest form.
ReadResult ReadIngressOrLastGood(std::shared_ptr<const kube::Ingress> newest,
                                 std::shared_ptr<const kube::Ingress> last_good,
                                 const IngressRules& rules);

// The backend as a cluster is named after it; nothing if it is not a usable reference to a Service.
std::optional<BackendRef> ToBackendRef(const kube::Ingress& ingress,
                                       const kube::IngressBackend& backend);

// Calls `visit(backend, field)` for every backend of the Ingress, the default one first.
template <typename F>
void ForEachBackend(const kube::Ingress& ingress, F&& visit);

// "spec.rules[0]", "spec.rules[0].http.paths[1]", "spec.tls[0]".
std::string RuleField(size_t rule);
std::string PathField(size_t rule, size_t path);
std::string TlsField(size_t entry);

// --- implementation ---

template <typename F>
void ForEachBackend(const kube::Ingress& ingress, F&& visit) {
  if (ingress.default_backend) visit(*ingress.default_backend, std::string("spec.defaultBackend"));
  for (size_t rule = 0; rule < ingress.rules.size(); ++rule) {
    const auto& paths = ingress.rules[rule].paths;
    for (size_t path = 0; path < paths.size(); ++path) {
      visit(paths[path].backend, PathField(rule, path) + ".backend");
    }
  }
}

}  // namespace headgate::translate
