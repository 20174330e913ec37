#include "controller/cli/explanation.h"

#include <arpa/inet.h>
#include <google/protobuf/message.h>
#include <re2/re2.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_split.h"
#include "common/strings.h"
#include "controller/translate/annotations/reader.h"
#include "controller/translate/diagnostic.h"
#include "controller/translate/names.h"
#include "controller/translate/translate.h"

namespace headgate::cli {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using translate::Translation;

using Settings = std::map<std::string, std::string>;

const v1::Resource* FindResource(const Translation& translation, std::string_view name) {
  const auto found = std::lower_bound(
      translation.resources.begin(), translation.resources.end(), name,
      [](const auto& resource, std::string_view n) { return resource->name() < n; });
  return found != translation.resources.end() && (*found)->name() == name ? found->get() : nullptr;
}

const v1::Cluster* FindCluster(const Translation& translation, const std::string& name) {
  const v1::Resource* resource = FindResource(translation, name);
  return resource != nullptr && resource->has_cluster() ? &resource->cluster() : nullptr;
}

// The field as one line: "60s", "mode: ALWAYS status: 308".
std::string ValueText(const Message& message, const FieldDescriptor* field) {
  if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE && !field->is_repeated()) {
    const Message& inner = message.GetReflection()->GetMessage(message, field);
    if (field->message_type()->full_name() == "google.protobuf.Duration") {
      const auto* seconds = inner.GetDescriptor()->FindFieldByName("seconds");
      const auto* nanos = inner.GetDescriptor()->FindFieldByName("nanos");
      return absl::FormatDuration(absl::Seconds(inner.GetReflection()->GetInt64(inner, seconds)) +
                                  absl::Nanoseconds(inner.GetReflection()->GetInt32(inner, nanos)));
    }
    const std::string text = inner.ShortDebugString();
    return text.empty() ? "yes" : text;
  }
  // Printed with its name in front, once for each element.
  const std::unique_ptr<Message> alone(message.New());
  alone->CopyFrom(message);
  std::vector<const FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  for (const FieldDescriptor* other : fields) {
    if (other != field) alone->GetReflection()->ClearField(alone.get(), other);
  }
  std::string text = alone->ShortDebugString();
  const std::string prefix = StrCat(field->name(), ": ");
  if (text.starts_with(prefix)) text.erase(0, prefix.size());
  return text;
}

void Collect(const Message& message, std::string_view prefix,
             const std::set<std::string_view>& without, Settings& out) {
  std::vector<const FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    if (!without.contains(field->name()))
      out[StrCat(prefix, field->name())] = ValueText(message, field);
  }
}

const std::string* MainCluster(const v1::Route& route, bool tls) {
  if (!route.has_forward() || route.forward().clusters().empty()) return nullptr;
  const v1::WeightedCluster& first = route.forward().clusters(0);
  return tls && !first.tls_cluster().empty() ? &first.tls_cluster() : &first.cluster();
}

// All that decides how the request is served, but for where its parts are.
Settings SettingsOf(const Translation& translation, const Choice& choice, const Request& request) {
  Settings out;
  if (choice.host == nullptr) return out;
  Collect(*choice.host, "host.", {"host", "routes"}, out);
  if (choice.route == nullptr) return out;
  const v1::Route& route = *choice.route;
  Collect(route, "", {"match", "origin", "policy", "forward"}, out);
  Collect(route.policy(), "", {}, out);
  const std::string* name = MainCluster(route, request.tls);
  const v1::Cluster* cluster = name == nullptr ? nullptr : FindCluster(translation, *name);
  if (cluster != nullptr) Collect(*cluster, "upstream.", {"endpoints", "dns", "log_name"}, out);
  return out;
}

// Who has the request, so that two translations can be compared.
std::string TakenBy(const Choice& choice) {
  if (choice.host == nullptr) return "nobody";
  if (choice.route == nullptr) return StrCat("no route of host ", choice.host->host());
  const v1::RouteOrigin& origin = choice.route->origin();
  return StrCat(MatchText(*choice.route), " of host ", choice.host->host(), ", Ingress ",
                origin.namespace_(), "/", origin.ingress());
}

// --- taking things away ---

struct Removal {
  std::string name;  // "nginx.ingress.kubernetes.io/app-root of Ingress shop/main"
  std::function<void()> take_away;
  std::function<void()> put_back;
};

// `entries` leads to the map of an object that is taken apart. What is there for other programs
// stays.
template <typename T, typename F>
void AddRemovals(state::ClusterState& state, const T& object, F entries, std::string_view of,
                 std::vector<Removal>& out) {
  for (size_t i = 0; i < entries(object).size(); ++i) {
    const std::string& name = entries(object)[i].first;
    const bool foreign = name.find('/') != std::string::npos &&
                         !name.starts_with(translate::kNginxPrefix) &&
                         !name.starts_with(translate::kHeadgatePrefix);
    if (foreign) continue;
    T without = object;
    entries(without).erase(entries(without).begin() + static_cast<ptrdiff_t>(i));
    out.push_back({StrCat(name, " of ", of, " ", object.meta.key.ToString()),
                   [&state, without] { state.Apply(kube::Change(kube::Object(without))); },
                   [&state, object] { state.Apply(kube::Change(kube::Object(object))); }});
  }
}

// The Ingresses that have a say on a host: all that cause a part of it.
std::set<kube::ObjectKey> IngressesOf(const Translation& translation, const v1::VirtualHost& host) {
  std::set<kube::ObjectKey> out;
  const v1::Resource* resource = FindResource(translation, translate::VirtualHostName(host.host()));
  if (resource == nullptr) return out;
  for (const v1::Provenance& provenance : resource->provenance()) {
    if (provenance.kind() == "Ingress") out.insert({provenance.namespace_(), provenance.name()});
  }
  for (const v1::Route& route : host.routes())
    out.insert({route.origin().namespace_(), route.origin().ingress()});
  return out;
}

// And all that name the host, canaries and those that lose a path to somebody else too.
std::set<kube::ObjectKey> ConcernedBy(const Inputs& inputs, const Translation& translation,
                                      const Choice& choice, const Request& request) {
  std::set<kube::ObjectKey> out;
  const std::string pattern = choice.host == nullptr ? request.host : choice.host->host();
  if (choice.host != nullptr) out = IngressesOf(translation, *choice.host);
  for (const kube::ObjectKey& key : inputs.state.IngressKeys()) {
    for (const kube::IngressRule& rule : inputs.state.FindIngress(key)->rules) {
      const std::string named =
          rule.host.empty() ? std::string(translate::kEveryHost) : absl::AsciiStrToLower(rule.host);
      if (named == request.host || named == pattern) out.insert(key);
    }
  }
  return out;
}

std::vector<Removal> RemovalsFor(Inputs& inputs, const translate::Options& options,
                                 const Choice& choice, const std::set<kube::ObjectKey>& concerned) {
  std::vector<Removal> out;
  const auto annotations = [](auto& object) -> auto& { return object.meta.annotations; };
  for (const kube::ObjectKey& key : concerned) {
    if (const auto ingress = inputs.state.ShareIngress(key)) {
      AddRemovals(inputs.state, *ingress, annotations, "Ingress", out);
    }
  }
  if (choice.route != nullptr) {
    const v1::RouteOrigin& origin = choice.route->origin();
    const kube::Service* service =
        inputs.state.FindService({origin.namespace_(), origin.service()});
    if (service != nullptr) AddRemovals(inputs.state, *service, annotations, "Service", out);
  }
  const kube::ConfigMap* config_map =
      options.config_map ? inputs.state.FindConfigMap(*options.config_map) : nullptr;
  if (config_map != nullptr) {
    AddRemovals(
        inputs.state, *config_map, [](auto& object) -> auto& { return object.data; }, "ConfigMap",
        out);
  }
  return out;
}

void FindOrigins(Inputs& inputs, const translate::Options& options, const Request& request,
                 absl::Time now, const Translation& translation, const Choice& choice,
                 const std::set<kube::ObjectKey>& concerned, Explanation& out) {
  const Settings settings = SettingsOf(translation, choice, request);
  std::map<std::string, std::vector<std::string>> origins;
  for (const Removal& removal : RemovalsFor(inputs, options, choice, concerned)) {
    removal.take_away();
    const Translation without = translate::Translate(inputs.state, {}, options, now);
    removal.put_back();
    const Choice other = Choose(without, request);
    if (TakenBy(other) != TakenBy(choice)) {
      out.decisive.push_back(StrCat(removal.name, " (else ", TakenBy(other), ")"));
      continue;
    }
    const Settings otherwise = SettingsOf(without, other, request);
    for (const auto& [name, value] : settings) {
      const auto found = otherwise.find(name);
      if (found == otherwise.end() || found->second != value) origins[name].push_back(removal.name);
    }
  }
  for (const auto& [name, value] : settings) out.settings.push_back({name, value, origins[name]});
}

// --- where it goes ---

std::string FieldOf(const Inputs& inputs, const v1::Route& route, std::string_view host) {
  const kube::Ingress* ingress =
      inputs.state.FindIngress({route.origin().namespace_(), route.origin().ingress()});
  if (ingress == nullptr) return {};
  const bool exact = route.match().has_exact_path();
  for (size_t rule = 0; rule < ingress->rules.size(); ++rule) {
    const std::string named = absl::AsciiStrToLower(ingress->rules[rule].host);
    if (named != host && !(named.empty() && host == translate::kEveryHost)) continue;
    for (size_t path = 0; path < ingress->rules[rule].paths.size(); ++path) {
      const kube::IngressPath& entry = ingress->rules[rule].paths[path];
      const bool same_type =
          route.match().has_regex_path() || (entry.type == kube::PathType::kExact) == exact;
      if (same_type && entry.path == route.origin().path())
        return StrCat("spec.rules[", rule, "].http.paths[", path, "]");
    }
  }
  return ingress->default_backend ? "spec.defaultBackend" : "";
}

std::string AddressText(const std::string& address, uint32_t port) {
  char text[INET6_ADDRSTRLEN] = "";
  const bool ipv6 = address.size() == 16;
  inet_ntop(ipv6 ? AF_INET6 : AF_INET, address.data(), text, sizeof text);
  return ipv6 ? StrCat("[", text, "]:", port) : StrCat(text, ":", port);
}

void AddEndpoints(const Translation& translation, const std::string& cluster_name,
                  Explanation& out) {
  const v1::Cluster* cluster = FindCluster(translation, cluster_name);
  if (cluster == nullptr) return;
  if (cluster->has_dns()) {
    out.endpoints.push_back(
        {StrCat(cluster->dns().host(), ":", cluster->dns().port()), "by name", false, ""});
    return;
  }
  const v1::Resource* endpoints = FindResource(translation, cluster->endpoints());
  if (endpoints == nullptr) return;
  for (const v1::Endpoint& endpoint : endpoints->endpoints().endpoints()) {
    out.endpoints.push_back({AddressText(endpoint.address(), endpoint.port()), endpoint.target(),
                             endpoint.state() == v1::Endpoint::DRAINING, ""});
  }
}

// Which side of a canary, as far as the request alone decides.
std::string CanaryText(const v1::Canary& canary, const Request& request) {
  const std::string* value = canary.header().empty() ? nullptr : request.Find(canary.header());
  const auto decided = [&](bool yes) {
    return StrCat(yes ? "yes" : "no", ", by the field ", canary.header());
  };
  if (value != nullptr && !canary.header_value().empty()) {
    if (*value == canary.header_value()) return decided(true);
  } else if (value != nullptr && !canary.header_pattern().empty()) {
    if (re2::RE2::PartialMatch(*value, canary.header_pattern())) return decided(true);
  } else if (value != nullptr && (*value == "always" || *value == "never")) {
    return decided(*value == "always");
  }
  const std::string* cookies = canary.cookie().empty() ? nullptr : request.Find("cookie");
  if (cookies != nullptr) {
    for (const absl::string_view cookie : absl::StrSplit(*cookies, "; ")) {
      if (cookie == absl::StrCat(canary.cookie(), "=always"))
        return StrCat("yes, by the cookie ", canary.cookie());
      if (cookie == absl::StrCat(canary.cookie(), "=never"))
        return StrCat("no, by the cookie ", canary.cookie());
    }
  }
  return StrCat(canary.weight(), " requests out of ",
                canary.weight_total() == 0 ? 100 : canary.weight_total());
}

std::string AnswerText(const Translation& translation, const Choice& choice, const Request& request,
                       const Explanation& explained) {
  if (choice.host == nullptr || choice.route == nullptr) {
    const v1::Resource* settings = FindResource(translation, translate::kSettingsName);
    const bool default_backend =
        settings != nullptr && !settings->settings().default_backend_cluster().empty();
    return default_backend ? "the controller's default backend"
                           : "404: no Ingress has this host and path";
  }
  const v1::Route& route = *choice.route;
  const v1::RoutePolicy& policy = route.policy();
  if (request.path == "/" && !choice.host->app_root().empty())
    return StrCat("302 to ", choice.host->app_root());
  if (route.has_fixed_response())
    return StrCat(route.fixed_response().status(), " by the data plane itself");
  if (request.method == "OPTIONS" && policy.has_cors())
    return "204 to an origin that may, as a preflight of CORS; else as below";
  if (route.has_redirect())
    return StrCat(route.redirect().status(), " to ", route.redirect().location());
  const v1::HttpsRedirect& https = policy.https_redirect();
  const bool to_https =
      https.mode() == v1::HttpsRedirect::ALWAYS ||
      (https.mode() == v1::HttpsRedirect::IF_TLS_CONFIGURED && choice.host->tls_configured());
  if (!request.tls && to_https)
    return StrCat(https.status() == 0 ? 308 : https.status(), " to https://", request.host);
  if (route.has_static_files()) return "from files";
  if (explained.endpoints.empty()) {
    const bool taken_over = policy.has_error_backend() && policy.error_backend().serves_empty();
    return taken_over ? "the Service of default-backend, since there is no endpoint"
                      : "503: the Service has no endpoint";
  }
  return "forwarded to one of the endpoints, if it passes what is asked of it";
}

// All but where it comes from.
Explanation Describe(const Translation& translation, const Choice& choice, const Request& request) {
  Explanation out;
  out.request = StrCat(request.method, " ", request.tls ? "https" : "http", "://", request.host,
                       request.path, request.query);
  if (choice.host != nullptr) out.host = choice.host->host();
  if (choice.route != nullptr) {
    const v1::Route& route = *choice.route;
    out.match = MatchText(route);
    out.ingress = StrCat(route.origin().namespace_(), "/", route.origin().ingress());
    if (!route.origin().service().empty())
      out.service = StrCat(route.origin().namespace_(), "/", route.origin().service());
    out.port = route.origin().service_port();
    if (const std::string* cluster = MainCluster(route, request.tls))
      AddEndpoints(translation, *cluster, out);
    if (route.policy().has_canary()) out.canary = CanaryText(route.policy().canary(), request);
  }
  out.answer = AnswerText(translation, choice, request, out);
  for (const PassedOver& passed : choice.passed_over) {
    const v1::RouteOrigin& origin = passed.route->origin();
    out.passed_over.push_back(
        {MatchText(*passed.route), StrCat(origin.namespace_(), "/", origin.ingress()), passed.why});
  }
  return out;
}

void AddHealth(const DataPlaneView& view, Explanation& out) {
  for (ExplainedEndpoint& endpoint : out.endpoints) {
    const auto found = view.unhealthy.find(endpoint.address);
    if (found != view.unhealthy.end()) endpoint.unhealthy = found->second;
  }
}

}  // namespace

Explanation Explain(Inputs& inputs, const translate::Options& options, const Request& request,
                    absl::Time now) {
  const Translation translation = translate::Translate(inputs.state, {}, options, now);
  const Choice choice = Choose(translation, request);
  Explanation out = Describe(translation, choice, request);
  if (choice.route != nullptr) out.field = FieldOf(inputs, *choice.route, out.host);
  const std::set<kube::ObjectKey> concerned = ConcernedBy(inputs, translation, choice, request);
  FindOrigins(inputs, options, request, now, translation, choice, concerned, out);
  out.traced = true;
  for (const translate::Diagnostic& diagnostic : translation.diagnostics) {
    if (diagnostic.kind == kube::Kind::kIngress && concerned.contains(diagnostic.object))
      out.findings.push_back(diagnostic.ToString());
  }
  return out;
}

Explanation ExplainDataPlane(const DataPlaneView& view, const Request& request) {
  const Choice choice = Choose(view.translation, request);
  Explanation out = Describe(view.translation, choice, request);
  for (const auto& [name, value] : SettingsOf(view.translation, choice, request))
    out.settings.push_back({name, value, {}});
  AddHealth(view, out);
  return out;
}

void AddDataPlane(const DataPlaneView& view, const Request& request, Explanation& explanation) {
  AddHealth(view, explanation);
  const Explanation served = ExplainDataPlane(view, request);
  const bool same = served.host == explanation.host && served.match == explanation.match &&
                    served.ingress == explanation.ingress;
  if (same) {
    explanation.data_plane = "has the same route";
  } else if (served.match.empty()) {
    explanation.data_plane = "has no route for this request";
  } else {
    explanation.data_plane = StrCat("has another route: ", served.match, " of host ", served.host,
                                    ", Ingress ", served.ingress);
  }
}

}  // namespace headgate::cli
