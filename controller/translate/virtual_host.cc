#include "controller/translate/virtual_host.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <map>
#include <utility>

#include "common/strings.h"
#include "controller/translate/access_policy.h"
#include "controller/translate/annotations/affinity.h"
#include "controller/translate/annotations/buffering.h"
#include "controller/translate/annotations/next_upstream.h"
#include "controller/translate/canary.h"
#include "controller/translate/emit.h"
#include "controller/translate/files.h"
#include "controller/translate/message_policy.h"
#include "controller/translate/other_hosts.h"
#include "controller/translate/passthrough.h"
#include "controller/translate/path_match.h"

namespace headgate::translate {
namespace {

using kube::Ingress;
using kube::IngressBackend;
using kube::IngressPath;
using kube::PathType;

// A route and who asked for it.
struct Winner {
  const IngressModel* ingress = nullptr;
  std::string field;
  v1::Route route;
};

class Builder {
 public:
  explicit Builder(const VirtualHostInput& input) : input_(input), claims_(*input.role.rules) {}

  VirtualHostResult Build() {
    for (const HostClaim& claim : claims_) {
      AddRules(claim);
      ComplainOfHost(*claim.ingress);
    }
    AddImplicitRoot();
    for (const HostClaim& canary : *input_.role.canaries) AddCanary(canary);
    const bool regex = std::any_of(winners_.begin(), winners_.end(), [](const auto& entry) {
      return IsRegex(entry.second.ingress->settings, entry.first.path);
    });
    if (regex) {
      OrderPatterns();
    } else {
      AddSlashRedirects();
      for (auto& [key, winner] : winners_) routes_.push_back(std::move(winner.route));
    }
    return Finished();
  }

 private:
  void AddRules(const HostClaim& claim) {
    const IngressModel& model = *claim.ingress;
    for (const uint32_t rule : *claim.rules) {
      const auto& paths = model.object->rules[rule].paths;
      for (size_t i = 0; i < paths.size(); ++i) AddPath(model, rule, i, paths[i]);
    }
    // Nothing but a default backend: a claim on everything under the catch-all host.
    if (model.IsDefaultBackendOnly()) AddDefaultBackendOnly(model);
  }

  void AddPath(const IngressModel& model, size_t rule, size_t index, const IngressPath& path) {
    if (!IsServable(path.path)) return;
    if (!LeadsSomewhere(model, path.backend)) return;
    MatchKey key{path.type == PathType::kExact, path.path.empty() ? "/" : path.path};
    v1::Route route = NewRoute(model, key);
    route.mutable_origin()->set_path(path.path);
    SetBackend(route, model, key, path.backend);
    Claim(std::move(key), {&model, PathField(rule, index), std::move(route)});
  }

  void AddDefaultBackendOnly(const IngressModel& model) {
    const IngressBackend* backend = DefaultBackendOf(model);
    if (backend == nullptr) return;
    MatchKey key{false, "/"};
    v1::Route route = NewRoute(model, key);
    SetBackend(route, model, key, *backend);
    Claim(std::move(key), {&model, "spec.defaultBackend", std::move(route)});
  }

  void Claim(MatchKey key, Winner challenger) {
    const auto [it, won] = winners_.try_emplace(std::move(key), Winner());
    if (won) {
      it->second = std::move(challenger);
      return;
    }
    const Winner& owner = it->second;
    const std::string_view type = it->first.exact ? "Exact" : "Prefix";
    std::string message = StrCat("host \"", input_.host, "\" path \"", it->first.path, "\" (", type,
                                 ") is already defined by ");
    if (owner.ingress == challenger.ingress) {
      StrAppend(&message, owner.field, " of this Ingress");
    } else {
      StrAppend(&message, "Ingress ", owner.ingress->key().ToString(), ", which comes first");
    }
    Complain(*challenger.ingress, std::move(challenger.field), Reason::kPathConflict,
             std::move(message));
  }

  // Everything under the host that no rule names.
  void AddImplicitRoot() {
    const IngressModel& first = *claims_.front().ingress;
    MatchKey key{false, "/"};
    const bool owned = winners_.find(key) != winners_.end();
    if (!owned) {
      v1::Route route = NewRoute(first, key);
      if (const IngressBackend* own = DefaultBackendOf(first)) {
        SetBackend(route, first, key, *own);
      } else if (input_.default_backend) {
        SetAction(route, first, *input_.default_backend, IngressSettings());
      } else {
        SetStatus(route, first, 404);
      }
      winners_.emplace(std::move(key), Winner{&first, RootField(first), std::move(route)});
    }
    for (const HostClaim& claim : claims_) {
      const IngressModel& model = *claim.ingress;
      if (model.IsDefaultBackendOnly() || !DefaultBackendOf(model)) continue;
      if (!owned && &model == &first) continue;
      if (owned && OwnsRoot(model)) continue;
      Complain(model, "spec.defaultBackend", Reason::kDefaultBackendUnused,
               owned ? StrCat("host \"", input_.host, "\" has a rule for / already")
                     : StrCat("what no rule of host \"", input_.host,
                              "\" matches is decided by Ingress ", first.key().ToString(),
                              ", which comes first"));
    }
  }

  void AddCanary(const HostClaim& claim) {
    const IngressModel& model = *claim.ingress;
    for (const uint32_t rule : *claim.rules) {
      const auto& paths = model.object->rules[rule].paths;
      for (size_t i = 0; i < paths.size(); ++i) {
        const auto backend = ToBackendRef(*model.object, paths[i].backend);
        if (!backend) continue;
        const bool exact = paths[i].type == PathType::kExact;
        const auto partner = winners_.find({exact, paths[i].path.empty() ? "/" : paths[i].path});
        if (partner != winners_.end()) {
          Attach(model, PathField(rule, i), *backend, partner->second);
        } else {
          Complain(model, PathField(rule, i), Reason::kCanaryUnused,
                   StrCat("no other Ingress has a rule for this host, path and type; the canary "
                          "has no effect"));
        }
      }
    }
    if (!model.IsDefaultBackendOnly()) return;
    const auto backend = ToBackendRef(*model.object, *model.object->default_backend);
    if (!backend) return;
    for (auto& [key, winner] : winners_) Attach(model, "spec.defaultBackend", *backend, winner);
  }

  void Attach(const IngressModel& canary, std::string field, const BackendRef& backend,
              Winner& winner) {
    v1::RoutePolicy& policy = *winner.route.mutable_policy();
    if (!winner.route.has_forward()) {
      return Complain(canary, std::move(field), Reason::kCanaryUnused,
                      StrCat("Ingress ", winner.ingress->key().ToString(),
                             " answers by itself here; the canary has no effect"));
    }
    if (policy.has_canary()) {
      return Complain(
          canary, std::move(field), Reason::kCanaryUnused,
          "another canary of this host, path and type comes first; this one has no effect");
    }
    const CanaryChoice choice = ChooseCanary(canary, *winner.ingress, backend);
    SetCanary(*canary.settings.headers.canary, choice, *policy.mutable_canary());
    result_.clusters.push_back(choice.clusters.plain);
    if (choice.clusters.tls != choice.clusters.plain)
      result_.clusters.push_back(choice.clusters.tls);
  }

  void AddSlashRedirects() {
    std::vector<std::pair<MatchKey, Winner>> redirects;
    for (const auto& [key, winner] : winners_) {
      if (key.exact || key.path.size() < 2 || !key.path.ends_with('/')) continue;
      const std::string bare = key.path.substr(0, key.path.size() - 1);
      if (winners_.contains({true, bare}) || winners_.contains({false, bare})) continue;
      MatchKey bare_key{true, bare};
      v1::Route route = NewRoute(*winner.ingress, bare_key);
      *route.mutable_origin() = winner.route.origin();
      if (IsClosed(*winner.ingress)) {
        SetStatus(route, *winner.ingress, 503);
      } else {
        v1::Redirect& redirect = *route.mutable_redirect();
        redirect.set_status(301);
        redirect.set_location(key.path);
        redirect.set_keep_query(true);
      }
      redirects.emplace_back(std::move(bare_key), Winner{winner.ingress, "", std::move(route)});
    }
    for (auto& [key, winner] : redirects) winners_.emplace(std::move(key), std::move(winner));
  }

  // All paths are patterns, tried one after the other. A path that is none, of an Ingress that did
  // not ask for patterns, is matched as text.
  void OrderPatterns() {
    struct Candidate {
      std::string text;  // its place in the order
      std::string pattern;
      const v1::Route* route;
    };
    std::vector<Candidate> candidates;
    std::map<std::string_view, const Winner*> seen;
    for (const auto& [key, winner] : winners_) {
      const auto [first, added] = seen.try_emplace(key.path, &winner);
      if (!added) {
        Complain(*winner.ingress, winner.field, Reason::kPathConflict,
                 StrCat("host \"", input_.host, "\" has regular expressions, so that Prefix \"",
                        key.path,
                        "\" fits what Exact of the same path fits, which comes first (Ingress ",
                        first->second->ingress->key().ToString(), ")"));
        continue;
      }
      const bool asked = IsRegex(winner.ingress->settings, key.path);
      std::string pattern = key.path;
      const PatternForm form = FormOf(pattern);
      if (form == PatternForm::kBacktracking) {
        result_.diagnostics.push_back(
            {kube::Kind::kIngress, winner.ingress->key(), winner.field + ".path",
             Reason::kPatternBacktracks, Severity::kInfo,
             StrCat("\"", key.path,
                    "\" needs a search that goes back (PCRE2); one that takes too long "
                    "counts as found")});
      }
      if (form == PatternForm::kNone) {
        if (asked) {
          Complain(*winner.ingress, winner.field + ".path", Reason::kInvalidPath,
                   StrCat("\"", key.path, "\" is no regular expression; the path is not served"));
          continue;
        }
        pattern = QuotePattern(key.path);
      }
      if (!asked && !key.exact && !key.path.ends_with('/')) {
        candidates.push_back({key.path + "/", pattern + "/", &winner.route});
      }
      candidates.push_back({key.path, std::move(pattern), &winner.route});
    }
    std::stable_sort(
        candidates.begin(), candidates.end(),
        [](const Candidate& a, const Candidate& b) { return TriedBefore(a.text, b.text); });
    for (Candidate& candidate : candidates) {
      v1::Route& route = routes_.emplace_back(*candidate.route);
      route.mutable_match()->set_regex_path(std::move(candidate.pattern));
    }
  }

  VirtualHostResult Finished() {
    v1::Resource resource;
    v1::VirtualHost& host = *resource.mutable_virtual_host();
    host.set_host(std::string(input_.host));
    if (input_.role.other_name) host.set_canonical_host(input_.role.other_name->of);
    for (v1::Route& route : routes_) *host.add_routes() = std::move(route);
    host.set_tls_configured(input_.tls.configured);
    if (input_.tls.secret) host.add_certificates(CertificateName(*input_.tls.secret));
    if (input_.client_auth) *host.mutable_client_auth() = *input_.client_auth;
    for (const HostClaim& claim : claims_) {
      if (!host.ciphers().empty()) break;  // the oldest that has any
      host.set_ciphers(claim.ingress->settings.ssl_ciphers);
    }
    for (const HostClaim& claim : claims_) {
      const std::optional<bool> ours = claim.ingress->settings.server_chooses_cipher;
      if (!ours) continue;
      host.set_client_chooses_cipher(!*ours);
      break;
    }
    SetPassthrough(host);
    for (const HostClaim& claim : claims_) {
      if (!host.app_root().empty()) break;
      host.set_app_root(claim.ingress->settings.app_root);
    }
    AddSources(resource);
    std::sort(result_.clusters.begin(), result_.clusters.end());
    result_.clusters.erase(std::unique(result_.clusters.begin(), result_.clusters.end()),
                           result_.clusters.end());
    std::sort(result_.dns_clusters.begin(), result_.dns_clusters.end());
    result_.dns_clusters.erase(
        std::unique(result_.dns_clusters.begin(), result_.dns_clusters.end()),
        result_.dns_clusters.end());
    result_.resource = Finish(VirtualHostName(input_.host), std::move(resource));
    return std::move(result_);
  }

  void SetPassthrough(v1::VirtualHost& host) {
    PassthroughResult passthrough = ResolvePassthrough(input_.host, claims_, input_.defaults);
    std::move(passthrough.diagnostics.begin(), passthrough.diagnostics.end(),
              std::back_inserter(result_.diagnostics));
    if (!passthrough.choice) return;
    v1::Passthrough& out = *host.mutable_passthrough();
    out.set_cluster(ClusterName(passthrough.choice->cluster));
    if (const auto idle = passthrough.choice->idle_timeout)
      out.mutable_idle_timeout()->set_seconds(*idle);
    result_.clusters.push_back(std::move(passthrough.choice->cluster));
  }

  void AddSources(v1::Resource& resource) const {
    for (const HostClaim& claim : claims_) {
      const IngressModel& model = *claim.ingress;
      for (const uint32_t rule : *claim.rules) {
        AddProvenance(resource, kube::Kind::kIngress, model.key(), RuleField(rule));
      }
      if (claim.rules->empty()) {
        AddProvenance(resource, kube::Kind::kIngress, model.key(), "spec.defaultBackend");
      }
    }
    if (input_.tls.configured) {
      AddProvenance(resource, kube::Kind::kIngress, input_.tls.ingress, input_.tls.field);
    }
  }

  // Whether every request is answered 503: something that the Ingress asks for cannot be had, and
  // must not be missing.
  bool IsClosed(const IngressModel& model) {
    return IsDenied(model, input_.defaults, input_.host) ||
           !CustomHeadersFor(model).problem.empty() || !AuthHeadersFor(model).problem.empty();
  }

  const CustomHeaders& CustomHeadersFor(const IngressModel& model) {
    const auto [it, first] = custom_headers_.try_emplace(&model);
    if (first) it->second = ReadCustomHeaders(model, input_.defaults, input_.config_map_of);
    return it->second;
  }

  const AuthHeaders& AuthHeadersFor(const IngressModel& model) {
    const auto [it, first] = auth_headers_.try_emplace(&model);
    if (first) it->second = ReadAuthHeaders(model, input_.config_map_of);
    return it->second;
  }

  // What the oldest Ingress with a server-snippet says for the whole host; empty: none has one.
  const std::string& ServerSnippet() const {
    static const std::string kNone;
    const auto first = std::find_if(claims_.begin(), claims_.end(), [](const HostClaim& claim) {
      return !claim.ingress->settings.server_snippet.empty();
    });
    return first == claims_.end() ? kNone : first->ingress->settings.server_snippet;
  }

  v1::Route NewRoute(const IngressModel& model, const MatchKey& key) {
    v1::Route route;
    if (key.exact) {
      route.mutable_match()->set_exact_path(key.path);
    } else {
      route.mutable_match()->set_prefix_path(key.path);
    }
    AddSnippet(ServerSnippet(), *route.mutable_policy());
    SetPolicy(*route.mutable_policy(), model.settings, key.path);
    AddAccess(model, key.path, *route.mutable_policy());
    for (const auto& [name, value] : CustomHeadersFor(model).fields) {
      v1::HeaderEdit& edit = *route.mutable_policy()->mutable_response_headers()->add_edits();
      edit.set_name(name);
      if (!value.empty()) edit.mutable_value()->add_parts()->set_literal(value);
    }
    AddSnippet(model.settings.location_snippet, *route.mutable_policy());
    v1::RouteOrigin& origin = *route.mutable_origin();
    origin.set_namespace_(model.key().ns);
    origin.set_ingress(model.key().name);
    origin.set_path(key.path);
    return route;
  }

  void AddAccess(const IngressModel& model, std::string_view path, v1::RoutePolicy& policy) {
    AuthCluster cluster = SetAccess(model, input_.defaults, input_.host, path, policy);
    if (policy.access().has_external()) {
      v1::ExternalAuth& external = *policy.mutable_access()->mutable_external();
      for (const v1::HeaderEdit& edit : AuthHeadersFor(model).edits)
        *external.add_request_edits() = edit;
      v1::RoutePolicy snippet;
      snippet.ParseFromString(model.settings.auth_snippet);
      external.mutable_request_edits()->MergeFrom(snippet.request_headers().edits());
    }
    if (auto* service = std::get_if<ClusterRef>(&cluster))
      result_.clusters.push_back(std::move(*service));
    if (auto* dns = std::get_if<DnsClusterRef>(&cluster))
      result_.dns_clusters.push_back(std::move(*dns));
  }

  void SetPolicy(v1::RoutePolicy& policy, const IngressSettings& settings,
                 std::string_view path) const {
    if (settings.connect_timeout) {
      policy.mutable_connect_timeout()->set_seconds(*settings.connect_timeout);
    }
    if (settings.send_timeout) policy.mutable_send_timeout()->set_seconds(*settings.send_timeout);
    if (settings.read_timeout) policy.mutable_read_timeout()->set_seconds(*settings.read_timeout);
    if (settings.tunnel_idle_timeout) {
      policy.mutable_tunnel_idle_timeout()->set_seconds(*settings.tunnel_idle_timeout);
    }
    if (settings.max_request_body) {
      policy.set_max_request_body_bytes(*settings.max_request_body);
    }
    policy.set_no_compression(settings.no_compression);
    if (Rewrites(settings, path)) {
      v1::PathRewrite& rewrite = *policy.mutable_rewrite();
      rewrite.set_regex(std::string(path));
      rewrite.set_target(settings.rewrite_target);
      rewrite.set_forwarded_prefix(settings.forwarded_prefix);
    }
    if (settings.buffering != BufferingSettings()) {
      SetBuffering(settings.buffering, *policy.mutable_buffering());
    }
    if (settings.next_upstream != NextUpstreamSettings()) {
      SetNextUpstream(settings.next_upstream, *policy.mutable_next_upstream());
    }
    if (settings.session_cookie) {
      SetSessionCookie(*settings.session_cookie, path, *policy.mutable_session_cookie());
    }
    if (settings.relative_redirects) policy.set_relative_redirects(*settings.relative_redirects);
    if (settings.port_in_https_redirects)
      policy.set_port_in_https_redirects(*settings.port_in_https_redirects);
    SetMessagePolicy(settings.headers, input_.defaults, path, policy);
    SetHttpsRedirect(*policy.mutable_https_redirect(), settings, path);
  }

  void SetHttpsRedirect(v1::HttpsRedirect& redirect, const IngressSettings& settings,
                        std::string_view path) const {
    const IngressDefaults& defaults = input_.defaults;
    // A certificate authority fetches its challenge by plain HTTP.
    const bool exempt =
        std::any_of(defaults.no_tls_redirect.begin(), defaults.no_tls_redirect.end(),
                    [&](const std::string& prefix) { return path.starts_with(prefix); });
    if (exempt) {
      redirect.set_mode(v1::HttpsRedirect::OFF);
    } else if (settings.force_ssl_redirect.value_or(defaults.force_ssl_redirect)) {
      redirect.set_mode(v1::HttpsRedirect::ALWAYS);
    } else if (settings.ssl_redirect.value_or(defaults.ssl_redirect)) {
      redirect.set_mode(v1::HttpsRedirect::IF_TLS_CONFIGURED);
    } else {
      redirect.set_mode(v1::HttpsRedirect::OFF);
    }
    if (settings.preserve_trailing_slash.value_or(defaults.preserve_trailing_slash)) {
      redirect.set_keep_final_slash(true);
    }
    // Left out where it is the data plane's default.
    if (defaults.redirect_code != 308) redirect.set_status(defaults.redirect_code);
  }

  // Leads the route to files, or to a Service. REQUIRES: LeadsSomewhere.
  void SetBackend(v1::Route& route, const IngressModel& model, const MatchKey& key,
                  const IngressBackend& backend) {
    const IngressSettings& settings = model.settings;
    const auto config_map = ToConfigMapRef(*model.object, backend);
    if (!settings.static_root && !config_map) {
      return SetAction(route, model, *ToBackendRef(*model.object, backend), settings);
    }
    if (IsClosed(model)) return SetStatus(route, model, 503);
    if (settings.redirect && !model.IsDefaultBackendOnly()) {
      return SetRedirect(route, *settings.redirect);
    }
    v1::StaticFiles& files = *route.mutable_static_files();
    if (settings.static_root) {
      files.mutable_directory()->set_root(settings.static_root->name);
      files.mutable_directory()->set_path(settings.static_root->path);
    } else {
      files.set_files(FilesName(*config_map));
    }
    // The name of a file is what follows a prefix, and the last segment of an exact path.
    std::string prefix = key.exact ? key.path.substr(0, key.path.rfind('/')) : key.path;
    while (prefix.ends_with('/')) prefix.pop_back();
    files.set_strip_prefix(std::move(prefix));
    files.set_fallback(settings.static_fallback);
    files.set_cache_control(settings.cache_control);
    if (settings.expires) files.mutable_expires()->set_seconds(*settings.expires);
  }

  // Where the route leads, unless an annotation says otherwise. `spoken` says how the backend is
  // spoken to.
  void SetAction(v1::Route& route, const IngressModel& model, const BackendRef& backend,
                 const IngressSettings& spoken) {
    v1::RouteOrigin& origin = *route.mutable_origin();
    origin.set_service(backend.service.name);
    origin.set_service_port(backend.port.ToString());
    if (IsClosed(model)) return SetStatus(route, model, 503);
    // As ingress-nginx does: not for an Ingress that is nothing but a default backend.
    if (model.settings.redirect && !model.IsDefaultBackendOnly()) {
      return SetRedirect(route, *model.settings.redirect);
    }
    ClusterChoice choice = ChooseClusters(backend, spoken);
    if (SpeaksTlsByPassthrough(spoken, input_.defaults)) {
      IngressSettings over_tls = spoken;
      over_tls.backend_protocol = BackendProtocol::kHttps;
      choice = ChooseClusters(backend, over_tls);
    }
    v1::WeightedCluster& target = *route.mutable_forward()->add_clusters();
    target.set_cluster(ClusterName(choice.plain));
    if (choice.tls != choice.plain) {
      target.set_tls_cluster(ClusterName(choice.tls));
      result_.clusters.push_back(std::move(choice.tls));
    }
    result_.clusters.push_back(std::move(choice.plain));
    if (SetErrorBackend(model, input_.defaults, *route.mutable_policy())) {
      result_.clusters.push_back({*ErrorServiceOf(model), {}});
    }
    if (auto mirror = SetMirror(model, *route.mutable_policy()))
      result_.dns_clusters.push_back(*std::move(mirror));
  }

  void SetStatus(v1::Route& route, const IngressModel& model, uint32_t status) {
    if (IsClosed(model)) {
      // 503 comes before the redirect to HTTPS, before one that a rewrite asks for, and before what
      // other lists say.
      route.mutable_policy()->clear_rewrite();
      route.mutable_policy()->clear_access();
      route.mutable_policy()->clear_cors();
      route.mutable_policy()->clear_replies();
      route.mutable_policy()->mutable_https_redirect()->set_mode(v1::HttpsRedirect::OFF);
      status = 503;
    } else if (model.settings.redirect) {
      return SetRedirect(route, *model.settings.redirect);
    }
    route.mutable_fixed_response()->set_status(status);
  }

  static void SetRedirect(v1::Route& route, const RedirectTo& to) {
    // The redirect comes before the one to HTTPS.
    route.mutable_policy()->mutable_https_redirect()->set_mode(v1::HttpsRedirect::OFF);
    route.mutable_redirect()->set_status(to.status);
    route.mutable_redirect()->set_location(to.location);
  }

  // Whether the backend can be a route's: a Service, a ConfigMap, or whatever it is in an Ingress
  // that answers from a directory.
  static bool LeadsSomewhere(const IngressModel& model, const IngressBackend& backend) {
    return model.settings.static_root || ToConfigMapRef(*model.object, backend) ||
           ToBackendRef(*model.object, backend);
  }

  // Null: there is none, or none to be used.
  static const IngressBackend* DefaultBackendOf(const IngressModel& model) {
    const std::optional<IngressBackend>& backend = model.object->default_backend;
    return backend && LeadsSomewhere(model, *backend) ? &*backend : nullptr;
  }

  static std::string RootField(const IngressModel& model) {
    return DefaultBackendOf(model) ? "spec.defaultBackend" : "spec.rules";
  }

  // Whether the Ingress itself has the rule for /, so that its default backend has nothing to do by
  // its own will.
  bool OwnsRoot(const IngressModel& model) const {
    const auto it = winners_.find({false, "/"});
    return it != winners_.end() && it->second.ingress == &model;
  }

  void ComplainOfHost(const IngressModel& model) {
    if (DenialOf(model, input_.defaults, input_.host) != Denial::kNoOwnHost) return;
    Complain(model, model.AnnotationName("auth-url"), Reason::kInvalidAnnotation,
             StrCat("$host cannot be asked for \"", input_.host,
                    "\", which stands for many; its requests are answered 503"));
  }

  void Complain(const IngressModel& model, std::string field, Reason reason, std::string message) {
    result_.diagnostics.push_back({kube::Kind::kIngress, model.key(), std::move(field), reason,
                                   Severity::kWarning, std::move(message)});
  }

  const VirtualHostInput& input_;
  const HostClaims& claims_;
  std::map<const IngressModel*, CustomHeaders> custom_headers_;
  std::map<const IngressModel*, AuthHeaders> auth_headers_;
  std::map<MatchKey, Winner> winners_;
  std::vector<v1::Route> routes_;  // the winners', as they go into the result
  VirtualHostResult result_;
};

}  // namespace

VirtualHostResult TranslateVirtualHost(const VirtualHostInput& input) {
  const std::optional<OtherName>& other = input.role.other_name;
  if (input.role.rules == nullptr) return WithoutHost(input);
  if (other && other->redirect) return RedirectHost(input, other->of);
  VirtualHostResult result = Builder(input).Build();
  if (other) result.diagnostics.clear();  // said of the host itself
  return result;
}

}  // namespace headgate::translate
