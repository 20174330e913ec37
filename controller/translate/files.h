// A ConfigMap that an Ingress path names as its backend: its entries become the files of that path.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "controller/kube/objects.h"
#include "controller/translate/translation.h"

namespace headgate::translate {

// The ConfigMap that the backend names (`resource` without apiGroup, of kind ConfigMap); nothing if
// it names something else.
std::optional<kube::ObjectKey> ToConfigMapRef(const kube::Ingress& ingress,
                                              const kube::IngressBackend& backend);

// Those of all backends of the Ingress, each once.
std::vector<kube::ObjectKey> ConfigMapsOf(const kube::Ingress& ingress);

// "files/NS/NAME".
std::string FilesName(const kube::ObjectKey& config_map);

// .data and .binaryData as files. Null: there is no such ConfigMap.
ResourcePtr TranslateFiles(const kube::ConfigMap* config_map);

// What the Ingress's reference to a ConfigMap at `field` suffers from when the ConfigMap is
// missing.
Diagnostic DescribeMissingConfigMap(const kube::Ingress& ingress, const std::string& field,
                                    const kube::ObjectKey& config_map);

}  // namespace headgate::translate
