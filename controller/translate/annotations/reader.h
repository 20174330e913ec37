// The annotations of one Ingress or Service as the families read them, and the three things that
// can follow from a bad value. Those of ingress-nginx are read on an Ingress only.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "controller/kube/objects.h"
#include "controller/translate/annotations/rules.h"
#include "controller/translate/annotations/settings.h"
#include "controller/translate/diagnostic.h"

namespace headgate::translate {

class AnnotationReader {
 public:
  // References must outlive the reader.
  AnnotationReader(const kube::Ingress& ingress, const AnnotationRules& rules,
                   std::vector<Diagnostic>& diagnostics)
      : kind_(kube::Kind::kIngress),
        meta_(ingress.meta),
        rules_(rules),
        diagnostics_(diagnostics) {}
  AnnotationReader(const kube::Service& service, std::vector<Diagnostic>& diagnostics)
      : kind_(kube::Kind::kService),
        meta_(service.meta),
        rules_(ServiceRules()),
        diagnostics_(diagnostics) {}

  // The value of an annotation, or null. Here and below names are those of ingress-nginx without
  // their prefix, and our own with it.
  const std::string* Find(std::string_view name) const;

  // Calls `visit(name)` for every annotation of ingress-nginx.
  template <typename Visit>
  void ForEachName(Visit&& visit) const {
    for (const auto& [name, value] : meta_.annotations) {
      const std::string_view full = name;
      if (full.starts_with(rules_.prefix)) visit(full.substr(rules_.prefix.size()));
    }
  }

  // The value as a truth value; nothing when there is none, or a bad one, which is ignored.
  std::optional<bool> Bool(std::string_view name);

  // The ConfigMap of the Ingress's own namespace that the value names, as NAME or NAMESPACE/NAME;
  // nothing when there is no value, or a bad one, which is denied.
  std::optional<kube::ObjectKey> ConfigMap(std::string_view name);

  // A bad value is left out of account, and the default holds. `accepted` says what would be valid.
  void Ignore(std::string_view name, std::string_view accepted);
  // Something about a value that is taken nevertheless.
  void Warn(std::string_view name, std::string message);
  // Something worth knowing about a value that does what it says, or is known to do nothing.
  void Note(std::string_view name, std::string message);
  // For an Ingress: requests are answered 503 rather than served without what the annotation asks
  // for.
  void Deny(std::string_view name, std::string_view why);
  // For an Ingress: its whole form is refused: its last accepted form stays, or it is not served at
  // all.
  void Refuse(std::string_view name, std::string_view why);
  // Refuses because of a bad value. `accepted` says what would be valid.
  void RefuseValue(std::string_view name, std::string_view accepted);

  const AnnotationRules& rules() const { return rules_; }
  // Of the Ingress.
  const std::string& ns() const { return meta_.key.ns; }
  bool denied() const { return denied_; }
  bool refused() const { return refused_; }

 private:
  static const AnnotationRules& ServiceRules();
  void Add(std::string_view name, Severity severity, std::string message);

  const kube::Kind kind_;
  const kube::ObjectMeta& meta_;
  const AnnotationRules& rules_;
  std::vector<Diagnostic>& diagnostics_;
  bool denied_ = false;
  bool refused_ = false;
};

}  // namespace headgate::translate
