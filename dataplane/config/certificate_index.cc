#include "dataplane/config/certificate_index.h"

#include <algorithm>
#include <utility>

namespace headgate::config {

CertificateIndex::CertificateIndex() : table_(std::make_shared<tls::CertTable>()) {}

void CertificateIndex::SetCertificate(std::string_view name,
                                      std::shared_ptr<const tls::Certificate> certificate) {
  auto at = slots_.find(name);
  if (at == slots_.end()) at = slots_.emplace(std::string(name), Slot{}).first;
  certificate_count_ += at->second.certificate ? 0 : 1;
  at->second.certificate = std::move(certificate);
  MarkUsersDirty(at->second);
  if (name == default_name_) default_dirty_ = true;
}

void CertificateIndex::RemoveCertificate(std::string_view name) {
  const auto at = slots_.find(name);
  if (at == slots_.end() || !at->second.certificate) return;
  --certificate_count_;
  at->second.certificate = nullptr;
  MarkUsersDirty(at->second);
  if (at->second.users.empty()) slots_.erase(at);
  if (name == default_name_) default_dirty_ = true;
}

void CertificateIndex::SetHost(std::string_view host, std::vector<std::string> certificates) {
  auto at = hosts_.find(host);
  if (at == hosts_.end()) {
    if (certificates.empty()) return;
    at = hosts_.emplace(std::string(host), Host{}).first;
    at->second.name = at->first;
  } else {
    const auto& held = at->second.certificates;
    if (std::equal(held.begin(), held.end(), certificates.begin(), certificates.end(),
                   [](const auto* slot, const std::string& name) { return slot->first == name; })) {
      return;
    }
    Release(at->second);
  }
  dirty_hosts_.insert(at->first);
  if (certificates.empty()) {
    hosts_.erase(at);
    return;
  }
  for (std::string& name : certificates) {
    auto& slot = *slots_.try_emplace(std::move(name)).first;
    slot.second.users.push_back(&at->second);
    at->second.certificates.push_back(&slot);
  }
  at->second.certificates.shrink_to_fit();
}

void CertificateIndex::SetDefault(std::string name) {
  if (name == default_name_) return;
  default_name_ = std::move(name);
  default_dirty_ = true;
}

void CertificateIndex::Release(Host& host) {
  for (auto* slot : std::exchange(host.certificates, {})) {
    auto& users = slot->second.users;
    users.erase(std::find(users.begin(), users.end(), &host));
    if (users.empty() && !slot->second.certificate) slots_.erase(slots_.find(slot->first));
  }
}

void CertificateIndex::MarkUsersDirty(const Slot& slot) {
  for (const Host* user : slot.users) dirty_hosts_.emplace(user->name);
}

std::shared_ptr<const tls::CertTable> CertificateIndex::Table() {
  if (dirty_hosts_.empty() && !default_dirty_) return table_;
  base::HostMap<tls::HostCertificates>::Edit edit(table_->hosts());
  for (const std::string& name : dirty_hosts_) {
    tls::HostCertificates::List list;
    if (const auto host = hosts_.find(name); host != hosts_.end()) {
      for (const auto* slot : host->second.certificates) {
        if (slot->second.certificate) list.push_back(slot->second.certificate);
      }
    }
    if (list.empty()) {
      edit.Remove(name);
    } else {
      edit.Set(std::make_shared<tls::HostCertificates>(name, std::move(list)));
    }
  }
  dirty_hosts_ = {};
  default_dirty_ = false;
  const auto fallback = slots_.find(default_name_);
  table_ = std::make_shared<tls::CertTable>(
      std::move(edit).Finish(), fallback == slots_.end() ? nullptr : fallback->second.certificate);
  return table_;
}

void CertificateIndex::ForEach(const Visit& visit) const {
  for (const auto& [name, host] : hosts_) {
    for (const auto* slot : host.certificates)
      visit(name, slot->first, slot->second.certificate.get());
  }
  if (default_name_.empty()) return;
  const auto fallback = slots_.find(default_name_);
  visit("", default_name_, fallback == slots_.end() ? nullptr : fallback->second.certificate.get());
}

}  // namespace headgate::config
