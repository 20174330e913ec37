// What somebody holds who follows the updates of a Translator: the other side of the contract.
#pragma once

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "controller/translate/translation.h"

namespace headgate::translate {

// Every byte, with maps in order.
inline std::string BytesOf(const v1::Resource& resource) {
  std::string bytes;
  google::protobuf::io::StringOutputStream stream(&bytes);
  google::protobuf::io::CodedOutputStream coded(&stream);
  coded.SetSerializationDeterministic(true);
  resource.SerializeToCodedStream(&coded);
  coded.Trim();
  return bytes;
}

class HeldSnapshot {
 public:
  // Applies an update and checks what translation.h promises about it.
  void Apply(const TranslationUpdate& update) {
    for (const auto& resource : update.upserted) {
      ResourcePtr& held = resources_[resource->name()];
      if (held != nullptr) {
        EXPECT_NE(held->hash(), resource->hash()) << resource->name();
      }
      held = resource;
    }
    for (const auto& name : update.removed) EXPECT_EQ(resources_.erase(name), 1u) << name;
    for (const auto& diagnostic : update.cleared) {
      EXPECT_EQ(diagnostics_.erase(diagnostic), 1u) << diagnostic.ToString();
    }
    for (const auto& diagnostic : update.raised) {
      EXPECT_TRUE(diagnostics_.insert(diagnostic).second) << diagnostic.ToString();
    }
    EXPECT_EQ(update.resource_count, resources_.size());
  }

  const v1::Resource* Find(const std::string& name) const {
    auto it = resources_.find(name);
    return it == resources_.end() ? nullptr : it->second.get();
  }
  // One line for each diagnostic.
  std::vector<std::string> Diagnostics() const {
    std::vector<std::string> lines;
    for (const auto& diagnostic : diagnostics_) lines.push_back(diagnostic.ToString());
    return lines;
  }
  const std::map<std::string, ResourcePtr>& resources() const { return resources_; }

  // Every byte, by name.
  std::map<std::string, std::string> Bytes() const {
    std::map<std::string, std::string> bytes;
    for (const auto& [name, resource] : resources_) bytes[name] = BytesOf(*resource);
    return bytes;
  }

 private:
  std::map<std::string, ResourcePtr> resources_;
  std::set<Diagnostic> diagnostics_;
};

}  // namespace headgate::translate
