#include "dataplane/config/secret_index.h"

namespace headgate::config {

void SecretIndex::Set(std::string_view name, const v1::SecretData& secret) {
  Data& data = secrets_[std::string(name)];
  data.clear();
  for (const v1::SecretEntry& entry : secret.data())
    data.emplace(entry.key(), SecretBytes(entry.value()));
  ++version_;
}

void SecretIndex::Remove(std::string_view name) {
  const auto at = secrets_.find(name);
  if (at == secrets_.end()) return;
  secrets_.erase(at);
  ++version_;
}

const SecretIndex::Data* SecretIndex::Find(std::string_view name) const {
  const auto secret = secrets_.find(name);
  return secret == secrets_.end() ? nullptr : &secret->second;
}

const SecretBytes* SecretIndex::Find(std::string_view name, std::string_view key) const {
  const Data* data = Find(name);
  if (data == nullptr) return nullptr;
  const auto value = data->find(key);
  return value == data->end() ? nullptr : &value->second;
}

}  // namespace headgate::config
