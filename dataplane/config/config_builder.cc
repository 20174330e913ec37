#include "dataplane/config/config_builder.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "dataplane/config/certificate_index.h"
#include "dataplane/config/client_auth_index.h"
#include "dataplane/config/cluster_index.h"
#include "dataplane/config/compile_routes.h"
#include "dataplane/config/compile_settings.h"
#include "dataplane/config/compile_tcp.h"
#include "dataplane/config/compile_values.h"
#include "dataplane/config/secret_index.h"
#include "dataplane/config/static_files.h"
#include "dataplane/config/ticket_key_reader.h"
#include "dataplane/config/user_tables.h"

namespace headgate::config {
namespace {

using HostMap = base::HostMap<route::HostRoutes>;

constexpr std::string_view kSettings = "settings";
constexpr std::string_view kVirtualHost = "vhost/";
constexpr std::string_view kCluster = "cluster/";
constexpr std::string_view kEndpoints = "endpoints/";
constexpr std::string_view kCertificate = "cert/";
constexpr std::string_view kSecret = "secret/";
constexpr std::string_view kFiles = "files/";
constexpr std::string_view kTcp = "tcp/";

absl::Status CheckName(const v1::Resource& resource, std::string_view prefix) {
  if (!AfterPrefix(resource.name(), prefix).empty()) return absl::OkStatus();
  return FieldError("name", StrCat("does not start with \"", prefix, "\", as its kind demands"));
}

}  // namespace

class ConfigBuilder::Impl {
 public:
  explicit Impl(Options options) : options_(options), clusters_(registry_) { UseSettings({}); }

  BuildResult Apply(absl::Span<const v1::Resource* const> upserts,
                    absl::Span<const std::string> removed) {
    BuildResult result;
    for (const std::string& name : removed) Remove(name);
    for (const v1::Resource* resource : upserts) {
      const absl::Status status = Upsert(*resource);
      if (status.ok()) continue;
      result.refusals.push_back(
          {resource->name(), resource->hash(), std::string(ToStd(status.message()))});
    }
    TakeClusterChanges(result);
    result.update.config = TakeConfig();
    return result;
  }

  ConfigUpdate Resolved(std::string_view dns_name, std::span<const base::Address> addresses) {
    std::vector<base::Address> allowed;
    for (const base::Address& address : addresses) {
      if (options_.allow_local_dns || !IsLocalAddress(address)) allowed.push_back(address);
    }
    clusters_.SetDnsAddresses(dns_name, allowed);
    BuildResult result;
    TakeClusterChanges(result);
    return std::move(result.update);
  }

  const std::shared_ptr<const CompiledConfig>& config() const { return config_; }
  const ClusterIndex& clusters() const { return clusters_; }
  const CertificateIndex& certificates() const { return certificates_; }

  ResourceCounts counts() const {
    return {.settings = settings_given_ ? size_t{1} : size_t{0},
            .virtual_hosts = hosts_->size(),
            .routes = route_count_,
            .clusters = clusters_.cluster_count(),
            .endpoints = clusters_.endpoints_count(),
            .certificates = certificates_.certificate_count(),
            .secrets = clusters_.secret_count(),
            .file_sets = files_->size(),
            .tcp_services = tcp_services_->size()};
  }

 private:
  void Remove(const std::string& name) {
    if (name == kSettings) {
      if (std::exchange(settings_given_, false)) UseSettings({});
    } else if (const auto host = AfterPrefix(name, kVirtualHost); !host.empty()) {
      SetHost(host, {});
    } else if (!AfterPrefix(name, kCluster).empty()) {
      clusters_.RemoveCluster(name);
    } else if (!AfterPrefix(name, kEndpoints).empty()) {
      clusters_.RemoveEndpoints(name);
    } else if (!AfterPrefix(name, kCertificate).empty()) {
      certificates_.RemoveCertificate(name);
    } else if (!AfterPrefix(name, kFiles).empty()) {
      SetFiles(name, nullptr);
    } else if (!AfterPrefix(name, kTcp).empty()) {
      RemoveTcpService(name);
    } else if (IsUserTable(name)) {
      SetUsers(name, nullptr);
    } else {
      clusters_.RemoveSecret(name);
      secrets_.Remove(name);
    }
  }

  absl::Status Upsert(const v1::Resource& resource) {
    switch (resource.body_case()) {
      case v1::Resource::kSettings: return UpsertSettings(resource);
      case v1::Resource::kVirtualHost: return UpsertHost(resource);
      case v1::Resource::kCluster: return UpsertCluster(resource);
      case v1::Resource::kEndpoints: return UpsertEndpoints(resource);
      case v1::Resource::kCertificate: return UpsertCertificate(resource);
      case v1::Resource::kSecretData: return UpsertSecret(resource);
      case v1::Resource::kFiles: return UpsertFiles(resource);
      case v1::Resource::kTcpService: return UpsertTcpService(resource);
      case v1::Resource::BODY_NOT_SET: break;
    }
    return FieldError("body", "is missing, or of a kind that this version does not know");
  }

  absl::Status UpsertSettings(const v1::Resource& resource) {
    if (resource.name() != kSettings) return FieldError("name", "is not \"settings\"");
    SettingsSpec spec;
    HEADGATE_ASSIGN_OR_RETURN(spec, CompileSettings(resource.settings()));
    settings_given_ = true;
    UseSettings(std::move(spec));
    return absl::OkStatus();
  }

  absl::Status UpsertHost(const v1::Resource& resource) {
    HEADGATE_RETURN_IF_ERROR(CheckName(resource, kVirtualHost));
    const std::string& host = resource.virtual_host().host();
    if (AfterPrefix(resource.name(), kVirtualHost) != host) {
      return FieldError("host", "differs from the resource's name");
    }
    CompiledHost compiled;
    HEADGATE_ASSIGN_OR_RETURN(compiled,
                              CompileVirtualHost(resource.virtual_host(), registry_, access_));
    SetHost(host, std::move(compiled));
    return absl::OkStatus();
  }

  absl::Status UpsertCluster(const v1::Resource& resource) {
    HEADGATE_RETURN_IF_ERROR(CheckName(resource, kCluster));
    ClusterSpec spec;
    HEADGATE_ASSIGN_OR_RETURN(spec, CompileCluster(resource.cluster(), options_.allow_local_dns));
    clusters_.SetCluster(resource.name(), std::move(spec));
    return absl::OkStatus();
  }

  absl::Status UpsertEndpoints(const v1::Resource& resource) {
    HEADGATE_RETURN_IF_ERROR(CheckName(resource, kEndpoints));
    std::vector<CompiledEndpoint> endpoints;
    HEADGATE_ASSIGN_OR_RETURN(endpoints, CompileEndpoints(resource.endpoints()));
    clusters_.SetEndpoints(resource.name(), std::move(endpoints));
    return absl::OkStatus();
  }

  absl::Status UpsertCertificate(const v1::Resource& resource) {
    HEADGATE_RETURN_IF_ERROR(CheckName(resource, kCertificate));
    const v1::Certificate& body = resource.certificate();
    std::shared_ptr<const tls::Certificate> certificate;
    HEADGATE_ASSIGN_OR_RETURN(certificate, parser_.Parse(body.chain_pem(), body.key_pem()));
    certificates_.SetCertificate(resource.name(), std::move(certificate));
    return absl::OkStatus();
  }

  absl::Status UpsertFiles(const v1::Resource& resource) {
    HEADGATE_RETURN_IF_ERROR(CheckName(resource, kFiles));
    std::shared_ptr<const FileSet> files;
    HEADGATE_ASSIGN_OR_RETURN(files, CompileFiles(resource.files()));
    SetFiles(resource.name(), std::move(files));
    return absl::OkStatus();
  }

  // Null: they are gone. There are few, and they change seldom: each change makes a new table.
  void SetFiles(const std::string& name, std::shared_ptr<const FileSet> files) {
    auto table = std::make_shared<FileTable>(*files_);
    if (files != nullptr) {
      (*table)[name] = std::move(files);
    } else if (table->erase(name) == 0) {
      return;
    }
    files_ = std::move(table);
  }

  absl::Status UpsertTcpService(const v1::Resource& resource) {
    HEADGATE_RETURN_IF_ERROR(CheckName(resource, kTcp));
    std::shared_ptr<const TcpService> service;
    HEADGATE_ASSIGN_OR_RETURN(service, CompileTcpService(resource.tcp_service(), registry_));
    if (AfterPrefix(resource.name(), kTcp) != std::to_string(service->port)) {
      return FieldError("port", "differs from the resource's name");
    }
    // As SetFiles.
    auto table = std::make_shared<TcpTable>(*tcp_services_);
    (*table)[service->port] = std::move(service);
    tcp_services_ = std::move(table);
    return absl::OkStatus();
  }

  void RemoveTcpService(std::string_view name) {
    auto table = std::make_shared<TcpTable>(*tcp_services_);
    const auto is_named = [&](const auto& entry) { return StrCat(kTcp, entry.first) == name; };
    if (std::erase_if(*table, is_named) > 0) tcp_services_ = std::move(table);
  }

  absl::Status UpsertSecret(const v1::Resource& resource) {
    HEADGATE_RETURN_IF_ERROR(CheckName(resource, kSecret));
    if (IsUserTable(resource.name())) {
      SetUsers(resource.name(), CompileUserTable(resource.name(), resource.secret_data()));
      return absl::OkStatus();
    }
    TlsSecret secret;
    HEADGATE_ASSIGN_OR_RETURN(secret, CompileTlsSecret(resource.secret_data(), parser_));
    clusters_.SetSecret(resource.name(), std::move(secret));
    secrets_.Set(resource.name(), resource.secret_data());
    return absl::OkStatus();
  }

  // As SetFiles.
  void SetUsers(const std::string& name, std::shared_ptr<const policy::UserTable> users) {
    auto tables = std::make_shared<UserTables>(*users_);
    if (users != nullptr) {
      (*tables)[name] = std::move(users);
    } else if (tables->erase(name) == 0) {
      return;
    }
    users_ = std::move(tables);
  }

  // `compiled` without routes: the host is gone.
  void SetHost(std::string_view host, CompiledHost compiled) {
    if (!host_edit_) host_edit_.emplace(*hosts_);
    if (const HostMap::Item* old = host_edit_->FindPattern(host)) {
      route_count_ -= (*old)->table().route_count();
    }
    if (compiled.routes) {
      route_count_ += compiled.routes->table().route_count();
      host_edit_->Set(std::move(compiled.routes));
    } else {
      host_edit_->Remove(host);
    }
    certificates_.SetHost(host, std::move(compiled.certificates));
    SetPassthrough(host, std::move(compiled.passthrough));
    if (compiled.client_auth) {
      client_auth_.SetHost(host, *std::move(compiled.client_auth));
    } else {
      client_auth_.RemoveHost(host);
    }
  }

  // Few hosts have it, and it changes seldom: each change makes a new table.
  void SetPassthrough(std::string_view host, std::optional<PassthroughRule> rule) {
    if (!rule && passthrough_->find(host) == passthrough_->end()) return;
    auto table = std::make_shared<PassthroughTable>(*passthrough_);
    table->erase(std::string(host));
    if (rule) table->emplace(host, *std::move(rule));
    passthrough_ = std::move(table);
  }

  void UseSettings(SettingsSpec spec) {
    settings_ = std::make_shared<const CompiledSettings>(std::move(spec.settings));
    certificates_.SetDefault(std::move(spec.default_certificate));
    ticket_keys_.SetName(std::move(spec.ticket_keys));
    default_backend_ = spec.default_backend_cluster.empty()
                           ? ClusterHandle()
                           : registry_.Acquire(spec.default_backend_cluster);
  }

  void TakeClusterChanges(BuildResult& result) {
    ClusterIndex::Changes changes = clusters_.TakeChanges();
    result.update.clusters = std::move(changes.clusters);
    result.update.slot_count = registry_.slot_count();
    result.dns_started = std::move(changes.dns_started);
    result.dns_stopped = std::move(changes.dns_stopped);
  }

  // The new configuration, or null when there is nothing new in it.
  std::shared_ptr<const CompiledConfig> TakeConfig() {
    if (host_edit_) {
      hosts_ = std::make_shared<route::HostTable>(std::move(*host_edit_).Finish());
      host_edit_.reset();
    }
    const auto certificates = certificates_.Table();
    const auto client_auth = client_auth_.Table();
    const auto ticket_keys = ticket_keys_.Keys();
    if (config_ && config_->settings == settings_ && config_->hosts == hosts_ &&
        config_->certificates == certificates && config_->files == files_ &&
        config_->client_auth == client_auth && config_->ticket_keys == ticket_keys &&
        config_->passthrough == passthrough_ && config_->tcp_services == tcp_services_ &&
        config_->users == users_) {
      return nullptr;
    }
    auto config = std::make_shared<CompiledConfig>();
    config->generation = ++generation_;
    config->settings = settings_;
    config->hosts = hosts_;
    config->certificates = certificates;
    config->files = files_;
    config->users = users_;
    config->client_auth = client_auth;
    config->ticket_keys = ticket_keys;
    config->passthrough = passthrough_;
    config->tcp_services = tcp_services_;
    config->default_backend = default_backend_;
    config_ = std::move(config);
    return config_;
  }

  const Options options_;
  ClusterRegistry registry_;
  ClusterIndex clusters_;
  tls::CertificateParser parser_;
  CertificateIndex certificates_;
  std::shared_ptr<const FileTable> files_ = std::make_shared<const FileTable>();
  std::shared_ptr<const UserTables> users_ = std::make_shared<const UserTables>();
  std::shared_ptr<const PassthroughTable> passthrough_ = std::make_shared<const PassthroughTable>();
  std::shared_ptr<const TcpTable> tcp_services_ = std::make_shared<const TcpTable>();
  SecretIndex secrets_;
  AccessPool access_;
  ClientAuthIndex client_auth_{secrets_};
  TicketKeyReader ticket_keys_{secrets_};
  size_t route_count_ = 0;
  uint64_t generation_ = 0;

  bool settings_given_ = false;
  std::shared_ptr<const CompiledSettings> settings_;
  ClusterHandle default_backend_;
  std::shared_ptr<const route::HostTable> hosts_ = std::make_shared<route::HostTable>();
  std::optional<HostMap::Edit> host_edit_;
  std::shared_ptr<const CompiledConfig> config_;
};

ConfigBuilder::ConfigBuilder(Options options) : impl_(std::make_unique<Impl>(options)) {}
ConfigBuilder::~ConfigBuilder() = default;

BuildResult ConfigBuilder::Apply(absl::Span<const v1::Resource* const> upserts,
                                 absl::Span<const std::string> removed) {
  return impl_->Apply(upserts, removed);
}

ConfigUpdate ConfigBuilder::Resolved(std::string_view dns_name,
                                     std::span<const base::Address> addresses) {
  return impl_->Resolved(dns_name, addresses);
}

const std::shared_ptr<const CompiledConfig>& ConfigBuilder::config() const {
  return impl_->config();
}

std::shared_ptr<const CompiledCluster> ConfigBuilder::FindCluster(std::string_view name) const {
  return impl_->clusters().Find(name);
}

std::vector<NamedCluster> ConfigBuilder::Clusters() const { return impl_->clusters().All(); }

void ConfigBuilder::ForEachCertificate(const CertificateIndex::Visit& visit) const {
  impl_->certificates().ForEach(visit);
}

ResourceCounts ConfigBuilder::counts() const { return impl_->counts(); }

}  // namespace headgate::config
