// core/v1 Secret, ConfigMap and Namespace.
#include <algorithm>

#include "absl/strings/escaping.h"
#include "common/strings.h"
#include "controller/kube/decode.h"

namespace headgate::kube::decode_internal {
namespace {

// False, and reported, when the text is not base64. The text itself is never part of the report.
bool DecodeBase64(const FieldNode& node, std::string& out) {
  const std::string_view text = node.View();
  if (absl::Base64Unescape(ToAbsl(text), &out)) return true;
  node.Fail("must be base64");
  return false;
}

void Put(Secret& secret, const std::string& key, std::string_view value) {
  const auto place =
      std::lower_bound(secret.data.begin(), secret.data.end(), key,
                       [](const auto& entry, const std::string& k) { return entry.first < k; });
  if (place != secret.data.end() && place->first == key) {
    place->second = SecretBytes(value);
  } else {
    secret.data.emplace(place, key, SecretBytes(value));
  }
}

}  // namespace

void DecodeSecret(const FieldNode& root, Secret& out) {
  out.type = root.Get("type").String();
  const FieldNode data = root.Get("data");
  data.ForEach([&](const std::string& key, const FieldNode& value) {
    std::string bytes;
    if (DecodeBase64(value, bytes)) Put(out, key, bytes);
    WipeMemory(bytes.data(), bytes.size());
  });
  // An API server folds .stringData into .data, and so it stands only in manifests.
  const FieldNode string_data = root.Get("stringData");
  string_data.ForEach(
      [&](const std::string& key, const FieldNode& value) { Put(out, key, value.View()); });
}

void DecodeConfigMap(const FieldNode& root, ConfigMap& out) {
  out.data = DecodeStringMap(root.Get("data"));
  const FieldNode binary = root.Get("binaryData");
  binary.ForEach([&](const std::string& key, const FieldNode& value) {
    std::string bytes;
    if (DecodeBase64(value, bytes)) out.binary_data.emplace_back(key, std::move(bytes));
  });
}

void DecodeNamespace(const FieldNode& root, Namespace& out) {
  const FieldNode meta = root.Get("metadata");
  out.labels = DecodeStringMap(meta.Get("labels"));
}

}  // namespace headgate::kube::decode_internal
