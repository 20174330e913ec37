#include "controller/translate/emit.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include "common/hash.h"

namespace headgate::translate {
namespace {

std::string SerializeDeterministically(const v1::Resource& resource) {
  std::string bytes;
  bytes.reserve(resource.ByteSizeLong());
  google::protobuf::io::StringOutputStream stream(&bytes);
  google::protobuf::io::CodedOutputStream coded(&stream);
  coded.SetSerializationDeterministic(true);
  resource.SerializeToCodedStream(&coded);
  coded.Trim();
  return bytes;
}

}  // namespace

ResourcePtr Finish(std::string name, v1::Resource resource) {
  resource.set_name(std::move(name));
  resource.clear_hash();
  resource.set_hash(ContentHash(SerializeDeterministically(resource)));
  return std::make_shared<const v1::Resource>(std::move(resource));
}

void AddProvenance(v1::Resource& resource, kube::Kind kind, const kube::ObjectKey& object,
                   std::string field) {
  v1::Provenance& entry = *resource.add_provenance();
  entry.set_kind(std::string(KindName(kind)));
  entry.set_namespace_(object.ns);
  entry.set_name(object.name);
  entry.set_field(std::move(field));
}

void AddSecretEntry(v1::Resource& resource, std::string_view key, std::string_view value) {
  if (value.empty()) return;
  v1::SecretEntry& entry = *resource.mutable_secret_data()->add_data();
  entry.set_key(std::string(key));
  entry.set_value(std::string(value));
}

}  // namespace headgate::translate
