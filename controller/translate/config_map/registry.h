// All families of options, and the one function that reads them.
#pragma once

#include <vector>

#include "controller/kube/objects.h"
#include "controller/translate/config_map/settings.h"
#include "controller/translate/diagnostic.h"
#include "controller/translate/options.h"

namespace headgate::translate {

// `config_map` is the object that options.config_map names, null when it is not there. A bad value
// harms its option alone. What no family knows is listed in one diagnostic, except the tuning of
// NGINX that has no meaning here: that is passed over, so that a ConfigMap carries over.
GlobalSettings ReadConfigMap(const kube::ConfigMap* config_map, const Options& options,
                             std::vector<Diagnostic>& diagnostics);

}  // namespace headgate::translate
