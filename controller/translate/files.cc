#include "controller/translate/files.h"

#include <algorithm>
#include <map>
#include <string_view>

#include "common/strings.h"
#include "controller/translate/emit.h"
#include "controller/translate/model.h"

namespace headgate::translate {
namespace {

using kube::ObjectKey;

// The characters of an object's name: it is going to be part of a field selector.
bool IsObjectName(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
  });
}

// As Kubernetes demands of keys; manifests may hold others, which could be no file names.
bool IsKey(std::string_view key) {
  if (key.empty() || key == "." || key.starts_with("..") || key.size() > 253) return false;
  return std::all_of(key.begin(), key.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  });
}

}  // namespace

std::optional<ObjectKey> ToConfigMapRef(const kube::Ingress& ingress,
                                        const kube::IngressBackend& backend) {
  const std::optional<kube::ResourceRef>& ref = backend.resource;
  if (!ref || !ref->api_group.empty() || ref->kind != "ConfigMap" || !IsObjectName(ref->name)) {
    return std::nullopt;
  }
  return ObjectKey{ingress.meta.key.ns, ref->name};
}

std::vector<ObjectKey> ConfigMapsOf(const kube::Ingress& ingress) {
  std::vector<ObjectKey> keys;
  ForEachBackend(ingress, [&](const kube::IngressBackend& backend, const std::string&) {
    if (auto key = ToConfigMapRef(ingress, backend)) keys.push_back(*std::move(key));
  });
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  return keys;
}

std::string FilesName(const ObjectKey& config_map) {
  return StrCat("files/", config_map.ns, "/", config_map.name);
}

ResourcePtr TranslateFiles(const kube::ConfigMap* config_map) {
  if (config_map == nullptr) return nullptr;
  std::map<std::string_view, std::string_view> files;
  for (const kube::StringMap* map : {&config_map->data, &config_map->binary_data}) {
    for (const auto& [key, value] : *map) {
      if (IsKey(key)) files.emplace(key, value);
    }
  }
  v1::Resource resource;
  v1::Files& out = *resource.mutable_files();
  for (const auto& [name, content] : files) {
    v1::File& file = *out.add_files();
    file.set_name(std::string(name));
    file.set_content(std::string(content));
  }
  AddProvenance(resource, kube::Kind::kConfigMap, config_map->meta.key, "data");
  return Finish(FilesName(config_map->meta.key), std::move(resource));
}

Diagnostic DescribeMissingConfigMap(const kube::Ingress& ingress, const std::string& field,
                                    const ObjectKey& config_map) {
  return {kube::Kind::kIngress,
          ingress.meta.key,
          field + ".resource",
          Reason::kConfigMapNotFound,
          Severity::kWarning,
          StrCat("ConfigMap \"", config_map.name, "\" does not exist; requests are answered 503")};
}

}  // namespace headgate::translate
