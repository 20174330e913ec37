#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "proto/headgate/v1/snapshot.pb.h"

namespace headgate::control {

// A SecretData resource whose content and hash follow from `form`.
inline v1::Resource MakeResource(const std::string& name, uint64_t form, size_t padding = 0) {
  v1::Resource resource;
  resource.set_name(name);
  resource.set_hash(form);
  v1::SecretEntry& entry = *resource.mutable_secret_data()->add_data();
  entry.set_key("form");
  entry.set_value(std::to_string(form) + std::string(padding, 'x'));
  return resource;
}

inline std::vector<const v1::Resource*> Pointers(const std::vector<v1::Resource>& resources) {
  std::vector<const v1::Resource*> out;
  for (const v1::Resource& resource : resources) out.push_back(&resource);
  return out;
}

// Name to hash: what most assertions compare.
using Content = std::map<std::string, uint64_t>;

inline Content ContentOf(const std::vector<v1::Resource>& resources) {
  Content out;
  for (const v1::Resource& resource : resources) out[resource.name()] = resource.hash();
  return out;
}

// Removed with everything in it at the end.
class TempDir {
 public:
  TempDir() {
    std::string pattern = (std::filesystem::temp_directory_path() / "headgate-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  const std::string& path() const { return path_; }
  std::string File(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace headgate::control
