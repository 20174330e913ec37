// All families of options, and the one function that reads them.
#pragma once

#include <string_view>
#include <vector>

#include "controller/kube/objects.h"
#include "controller/translate/config_map/settings.h"
#include "controller/translate/diagnostic.h"
#include "controller/translate/options.h"

namespace headgate::translate {

// `config_map` is the object that options.config_map names, null when it is not there. A bad value
// harms its option alone. What is known to be without effect gets a diagnostic that says why
// (without_effect.h), what nobody knows is listed in one, and the tuning of NGINX that has no
// meaning here is passed over, so that a ConfigMap carries over.
GlobalSettings ReadConfigMap(const kube::ConfigMap* config_map, const Options& options,
                             std::vector<Diagnostic>& diagnostics);

// The names of all options that families read.
std::vector<std::string_view> EffectiveOptions();

}  // namespace headgate::translate
