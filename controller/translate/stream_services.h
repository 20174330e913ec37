// Ports whose connections are passed on as they are, from the ConfigMaps of
// --tcp-services-configmap and
// --udp-services-configmap: "9000": "NAMESPACE/SERVICE:PORT:PROXY:PROXY", the first PROXY for the
// header that is taken off connections, the second for the one that is sent to endpoints, and
// either left out.
#pragma once

#include <functional>
#include <vector>

#include "controller/kube/objects.h"
#include "controller/translate/backends.h"
#include "controller/translate/config_map/settings.h"
#include "controller/translate/options.h"
#include "controller/translate/translation.h"

namespace headgate::translate {

struct StreamServices {
  std::vector<ResourcePtr> resources;     // sorted by name, each name once
  std::vector<ClusterRef> clusters;       // that they lead to; the same one perhaps more than once
  std::vector<kube::ObjectKey> services;  // that entries name, whether or not they are there
  std::vector<Diagnostic> diagnostics;    // about the ConfigMaps
};

// What a ConfigMap of these options is, as far as is known.
struct StreamConfigMap {
  const kube::ConfigMap* object = nullptr;
  bool missing = false;  // it was looked for and is not there
};

// An entry that cannot be used harms itself alone: its port is not opened. Nothing is passed on of
// UDP.
StreamServices TranslateStreamServices(
    const StreamConfigMap& tcp, const StreamConfigMap& udp,
    const std::function<const kube::Service*(const kube::ObjectKey&)>& service_of,
    const GlobalSettings& global, const Options& options);

}  // namespace headgate::translate
