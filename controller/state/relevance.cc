#include "controller/state/relevance.h"

namespace headgate::state {
namespace {

constexpr std::string_view kDefaultClassAnnotation = "ingressclass.kubernetes.io/is-default-class";

bool IsDefaultClass(const kube::IngressClass& ingress_class) {
  const std::string* value = ingress_class.meta.FindAnnotation(kDefaultClassAnnotation);
  return value != nullptr && *value == "true";
}

// Whether `a` is preferred to `b` as the default class.
bool Outranks(const kube::IngressClass& a, const kube::IngressClass& b) {
  if (a.meta.creation_time != b.meta.creation_time) {
    return a.meta.creation_time > b.meta.creation_time;
  }
  return a.meta.key.name < b.meta.key.name;
}

}  // namespace

void Relevance::Rebuild(const std::vector<const kube::IngressClass*>& classes) {
  owned_classes_.clear();
  const kube::IngressClass* default_class = nullptr;
  for (const kube::IngressClass* ingress_class : classes) {
    if (OwnsClass(*ingress_class)) owned_classes_.insert(ingress_class->meta.key.name);
    if (IsDefaultClass(*ingress_class) &&
        (default_class == nullptr || Outranks(*ingress_class, *default_class))) {
      default_class = ingress_class;
    }
  }
  owns_default_class_ = default_class != nullptr && OwnsClass(*default_class);
}

bool Relevance::Owns(const kube::Ingress& ingress) const {
  if (!options_.watch_namespace.empty() && ingress.meta.key.ns != options_.watch_namespace) {
    return false;
  }
  if (ingress.class_name.has_value()) return owned_classes_.contains(*ingress.class_name);
  if (const std::string* annotation = ingress.meta.FindAnnotation(kClassAnnotation)) {
    return *annotation == options_.ingress_class;
  }
  return options_.watch_without_class || owns_default_class_;
}

bool Relevance::OwnsClass(const kube::IngressClass& ingress_class) const {
  return ingress_class.controller == options_.controller_class ||
         (options_.ingress_class_by_name && ingress_class.meta.key.name == options_.ingress_class);
}

}  // namespace headgate::state
