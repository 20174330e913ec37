// Which Ingresses are ours: IngressClass by name and controller, the default class, the legacy
// annotation.
//
// Pure. The table is rebuilt when an IngressClass changes; asking it costs a hash lookup, so
// membership is never stored with the Ingress and cannot go stale.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "controller/kube/objects.h"

namespace headgate::state {

// The annotation that named an Ingress's class before spec.ingressClassName did.
inline constexpr std::string_view kClassAnnotation = "kubernetes.io/ingress.class";

struct RelevanceOptions {
  // --ingress-class: the value of the annotation kubernetes.io/ingress.class that is ours.
  std::string ingress_class = "headgate";
  // --controller-class: IngressClasses with this .spec.controller are ours.
  std::string controller_class = "headgate.dev/ingress-controller";
  // --ingress-class-by-name: an IngressClass named `ingress_class` is ours whatever its controller.
  bool ingress_class_by_name = false;
  // --watch-ingress-without-class: an Ingress that names no class is ours.
  bool watch_without_class = false;
  // --watch-namespace: only Ingresses in this namespace. Empty: all.
  std::string watch_namespace;
};

class Relevance {
 public:
  explicit Relevance(RelevanceOptions options) : options_(std::move(options)) {}

  // Takes the IngressClasses that exist, in any order.
  void Rebuild(const std::vector<const kube::IngressClass*>& classes);

  // .spec.ingressClassName decides when it is set, even against the annotation. Without either, an
  // Ingress is ours if the default class is ours (the newest IngressClass marked as default, as the
  // API server's admission picks it; at equal age the first by name) or if Ingresses without class
  // are asked for.
  bool Owns(const kube::Ingress& ingress) const;

 private:
  bool OwnsClass(const kube::IngressClass& ingress_class) const;

  const RelevanceOptions options_;
  absl::flat_hash_set<std::string> owned_classes_;
  bool owns_default_class_ = false;
};

}  // namespace headgate::state
