// The last step of every translation: a name and a body become a finished resource.
#pragma once

#include <string>
#include <string_view>

#include "controller/kube/objects.h"
#include "controller/translate/translation.h"

namespace headgate::translate {

// Sets the name and the content hash. `resource` holds body and provenance.
ResourcePtr Finish(std::string name, v1::Resource resource);

// Notes the object and field that caused (a part of) the resource.
void AddProvenance(v1::Resource& resource, kube::Kind kind, const kube::ObjectKey& object,
                   std::string field);

// Adds what is not empty. Keys come in ascending order.
void AddSecretEntry(v1::Resource& resource, std::string_view key, std::string_view value);

}  // namespace headgate::translate
