#include "controller/status/status_client.h"

#include <arpa/inet.h>

#include <utility>

#include "common/strings.h"
#include "controller/kube/decode.h"
#include "controller/state/relevance.h"

namespace headgate::status {
namespace {

// Somebody else may write it all the time; the next round comes to it again.
constexpr int kAttempts = 3;

std::string CollectionOf(const kube::ObjectKey& key) {
  return kube::CollectionPath(kube::ResourceTypeOf(kube::Kind::kIngress), key.ns);
}

bool IsIpAddress(const std::string& text) {
  in6_addr address;
  return inet_pton(AF_INET, text.c_str(), &address) == 1 ||
         inet_pton(AF_INET6, text.c_str(), &address) == 1;
}

// Whether what makes an Ingress ours is as it was.
bool SameClass(const kube::Ingress& a, const kube::Ingress& b) {
  const std::string* of_a = a.meta.FindAnnotation(state::kClassAnnotation);
  const std::string* of_b = b.meta.FindAnnotation(state::kClassAnnotation);
  return a.class_name == b.class_name && (of_a == nullptr) == (of_b == nullptr) &&
         (of_a == nullptr || *of_a == *of_b);
}

absl::StatusOr<kube::Ingress> Decode(kube::Json& document) {
  kube::Decoded decoded = kube::DecodeObject(kube::ResourceTypeOf(kube::Kind::kIngress), document);
  if (auto* object = std::get_if<kube::Object>(&decoded)) {
    return std::get<kube::Ingress>(std::move(*object));
  }
  return absl::InvalidArgumentError(std::get<kube::MalformedObject>(decoded).error);
}

}  // namespace

absl::StatusOr<kube::Ingress> StatusClient::Write(const kube::Ingress& ingress,
                                                  const AddressList& addresses) {
  absl::StatusOr<kube::Ingress> written = Patch(ingress, addresses);
  for (int attempt = 1; absl::IsAborted(written.status()) && attempt < kAttempts; ++attempt) {
    absl::StatusOr<kube::Ingress> now = Read(ingress.meta.key);
    if (!now.ok()) return now.status();
    if (now->meta.uid != ingress.meta.uid || !SameClass(*now, ingress)) {
      return absl::NotFoundError("the Ingress is another one by now");
    }
    if (now->addresses == addresses) return now;
    written = Patch(*now, addresses);
  }
  return written;
}

absl::StatusOr<kube::Ingress> StatusClient::Patch(const kube::Ingress& ingress,
                                                  const AddressList& addresses) {
  kube::Json list;  // null, which removes the field
  for (const std::string& address : addresses) {
    list.push_back({{IsIpAddress(address) ? "ip" : "hostname", address}});
  }
  // With uid and resourceVersion a patch applies to this very form, or is refused as a conflict.
  const kube::Json patch = {
      {"metadata", {{"uid", ingress.meta.uid}, {"resourceVersion", ingress.meta.resource_version}}},
      {"status", {{"loadBalancer", {{"ingress", std::move(list)}}}}}};
  absl::StatusOr<kube::Json> written = api_.Write(
      kube::WriteMethod::kPatch,
      StrCat(CollectionOf(ingress.meta.key), "/", ingress.meta.key.name, "/status"), patch);
  if (!written.ok()) return written.status();
  return Decode(*written);
}

absl::StatusOr<kube::Ingress> StatusClient::Read(const kube::ObjectKey& key) {
  // A list, because to list is what the controller may do anyway.
  absl::StatusOr<kube::Json> list =
      api_.Read(StrCat(CollectionOf(key), "?fieldSelector=metadata.name%3D", key.name));
  if (!list.ok()) return list.status();
  const auto items = list->find("items");
  if (items == list->end() || !items->is_array() || items->empty()) {
    return absl::NotFoundError("the Ingress is gone");
  }
  return Decode(items->front());
}

}  // namespace headgate::status
