#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "controller/publish/snapshot_log.h"

namespace headgate::publish {

inline ResourcePtr MakeResource(const std::string& name, uint64_t hash, size_t padding = 0) {
  auto resource = std::make_shared<v1::Resource>();
  resource->set_name(name);
  resource->set_hash(hash);
  resource->mutable_secret_data()->add_data()->set_value(std::string(padding, 'x'));
  return resource;
}

inline Change Put(const std::string& name, uint64_t hash, size_t padding = 0) {
  return {name, MakeResource(name, hash, padding)};
}
inline Change Removal(const std::string& name) { return {name, nullptr}; }

// Name to hash.
using Content = std::map<std::string, uint64_t>;

inline Content UpsertsOf(const Difference& difference) {
  Content out;
  for (const ResourcePtr& resource : difference.upserts) out[resource->name()] = resource->hash();
  return out;
}

}  // namespace headgate::publish
