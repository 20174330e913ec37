// The Secret that ssl-dh-param names.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "controller/kube/objects.h"
#include "controller/translate/diagnostic.h"
#include "controller/translate/options.h"
#include "controller/translate/secret_view.h"

namespace headgate::translate {

// What such a Secret amounts to.
struct DhParameters {
  std::shared_ptr<const kube::Secret> secret;  // the form in use; null: there is none
  std::string pem;                             // of it, and nothing else that it holds
  std::vector<Diagnostic> diagnostics;         // of the ConfigMap of options
};

// Chooses between the newest form of the Secret and its last good one (either may be null). Without
// a newest form there is nothing, whatever was good before: deleting is a decision. An empty name:
// none is asked for. REQUIRES: options.config_map, unless the name is empty.
DhParameters ChooseDhParameters(const kube::ObjectKey& key, SecretView newest,
                                std::shared_ptr<const kube::Secret> last_good,
                                const Options& options);

}  // namespace headgate::translate
