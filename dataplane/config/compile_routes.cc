#include "dataplane/config/compile_routes.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <limits>
#include <utility>

#include "common/host_pattern.h"
#include "dataplane/config/compile_bodies.h"
#include "dataplane/config/compile_headers.h"
#include "dataplane/config/compile_retries.h"
#include "dataplane/config/compile_values.h"
#include "dataplane/config/static_files.h"
#include "dataplane/config/text_pool.h"

namespace headgate::config {
namespace {

constexpr size_t kMaxPathBytes = 8 * 1024;
constexpr size_t kMaxRegexBytes = 4 * 1024;
constexpr size_t kMaxFixedBodyBytes = 1 << 20;

uint64_t NextRouteId() {
  static std::atomic<uint64_t> last{0};
  return ++last;
}

// What the routes of a host point into.
struct HostStorage {
  std::unique_ptr<char[]> text;
  std::vector<std::shared_ptr<const CompiledAccess>> access;  // sorted, each once
  std::vector<CompiledRoute> routes;
};

absl::Status CheckHost(std::string_view host) {
  if (host == "_") return absl::OkStatus();
  const auto pattern = HostPattern::Parse(host);
  if (!pattern.ok()) return FieldError("host", ToStd(pattern.status().message()));
  if (pattern->text() != host) return FieldError("host", "is not in lower case");
  return absl::OkStatus();
}

absl::Status CheckPath(const std::string& field, std::string_view path) {
  if (path.empty() || path.front() != '/') return FieldError(field, "does not start with '/'");
  HEADGATE_RETURN_IF_ERROR(CheckRange(StrCat(field, " length"), path.size(), 1, kMaxPathBytes));
  return CheckPrintable(field, path);
}

using RegexCompiler = std::shared_ptr<const Regex> (*)(std::string_view, std::string*);

absl::StatusOr<std::shared_ptr<const Regex>> CompileRegex(const std::string& field,
                                                          std::string_view pattern,
                                                          RegexCompiler compile) {
  HEADGATE_RETURN_IF_ERROR(CheckRange(StrCat(field, " length"), pattern.size(), 1, kMaxRegexBytes));
  std::string error;
  auto regex = compile(pattern, &error);
  if (regex == nullptr) return FieldError(field, error);
  return regex;
}

absl::StatusOr<route::ValueCondition> CompileValueMatch(const std::string& field,
                                                        const v1::ValueMatch& in) {
  using Kind = route::ValueCondition::Kind;
  route::ValueCondition out;
  if (in.name().empty()) return FieldError(StrCat(field, ".name"), "is empty");
  out.name = in.name();
  switch (in.value_case()) {
    case v1::ValueMatch::kExact:
      out.kind = Kind::kExact;
      out.text = in.exact();
      break;
    case v1::ValueMatch::kRegex:
      out.kind = Kind::kRegex;
      HEADGATE_ASSIGN_OR_RETURN(
          out.regex, CompileRegex(StrCat(field, ".regex"), in.regex(), route::CompileValueRegex));
      break;
    case v1::ValueMatch::kPresent: out.kind = in.present() ? Kind::kPresent : Kind::kAbsent; break;
    case v1::ValueMatch::VALUE_NOT_SET:
      return FieldError(field, "none of exact, regex and present is given");
  }
  return out;
}

absl::Status CompileConditions(const std::string& field, const v1::RouteMatch& in,
                               route::Conditions& out) {
  for (int i = 0; i < in.methods_size(); ++i) {
    HEADGATE_RETURN_IF_ERROR(CheckToken(StrCat(field, ".methods[", i, "]"), in.methods(i)));
    out.methods.push_back(in.methods(i));
  }
  for (int i = 0; i < in.headers_size(); ++i) {
    const std::string header = StrCat(field, ".headers[", i, "]");
    HEADGATE_RETURN_IF_ERROR(CheckToken(StrCat(header, ".name"), in.headers(i).name()));
    HEADGATE_ASSIGN_OR_RETURN(out.headers.emplace_back(), CompileValueMatch(header, in.headers(i)));
  }
  for (int i = 0; i < in.query_size(); ++i) {
    HEADGATE_ASSIGN_OR_RETURN(out.query.emplace_back(),
                              CompileValueMatch(StrCat(field, ".query[", i, "]"), in.query(i)));
  }
  return absl::OkStatus();
}

absl::StatusOr<route::RouteSpec> CompileMatch(const std::string& field, const v1::RouteMatch& in) {
  route::RouteSpec out;
  switch (in.path_case()) {
    case v1::RouteMatch::kExactPath:
      out.kind = route::PathKind::kExact;
      out.path = in.exact_path();
      HEADGATE_RETURN_IF_ERROR(CheckPath(StrCat(field, ".exact_path"), out.path));
      break;
    case v1::RouteMatch::kPrefixPath:
      out.kind = route::PathKind::kPrefix;
      out.path = in.prefix_path();
      HEADGATE_RETURN_IF_ERROR(CheckPath(StrCat(field, ".prefix_path"), out.path));
      break;
    case v1::RouteMatch::kRegexPath:
      out.kind = route::PathKind::kRegex;
      HEADGATE_ASSIGN_OR_RETURN(out.regex, CompileRegex(StrCat(field, ".regex_path"),
                                                        in.regex_path(), route::CompilePathRegex));
      break;
    case v1::RouteMatch::PATH_NOT_SET: return FieldError(StrCat(field, ".path"), "is missing");
  }
  HEADGATE_RETURN_IF_ERROR(CompileConditions(field, in, out.conditions));
  return out;
}

absl::StatusOr<ForwardAction> CompileForward(const std::string& field, const v1::Forward& in,
                                             ClusterRegistry& clusters) {
  ForwardAction out;
  if (in.clusters().empty()) return FieldError(StrCat(field, ".clusters"), "is empty");
  const bool single = in.clusters_size() == 1;
  uint64_t total = 0;
  for (int i = 0; i < in.clusters_size(); ++i) {
    const v1::WeightedCluster& target = in.clusters(i);
    const std::string name = StrCat(field, ".clusters[", i, "]");
    HEADGATE_RETURN_IF_ERROR(
        CheckReference(StrCat(name, ".cluster"), target.cluster(), "cluster/"));
    const uint32_t weight = single ? 1 : target.weight();
    if (weight == 0) continue;
    total += weight;
    if (total > std::numeric_limits<uint32_t>::max()) {
      return FieldError(StrCat(name, ".weight"), "the sum of weights exceeds 32 bits");
    }
    const std::string& tls = target.tls_cluster().empty() ? target.cluster() : target.tls_cluster();
    HEADGATE_RETURN_IF_ERROR(CheckReference(StrCat(name, ".tls_cluster"), tls, "cluster/"));
    out.targets.push_back(
        {clusters.Acquire(target.cluster()), clusters.Acquire(tls), static_cast<uint32_t>(total)});
  }
  if (total == 0) return FieldError(StrCat(field, ".clusters"), "all weights are 0");
  out.targets.shrink_to_fit();
  return out;
}

absl::StatusOr<std::unique_ptr<const RedirectAction>> CompileRedirect(const std::string& field,
                                                                      const v1::Redirect& in,
                                                                      const TextPool& text) {
  HEADGATE_RETURN_IF_ERROR(CheckRange(StrCat(field, ".status"), in.status(), 300, 308));
  const std::string& location = in.location();
  if (location.empty()) {
    if (!in.host().empty()) {
      const auto host = HostPattern::Parse(in.host());
      if (!host.ok() || in.host().starts_with('*'))
        return FieldError(StrCat(field, ".host"), "is no host name");
    }
    const bool scheme_given = !in.scheme().empty() || in.host().empty();
    if (scheme_given && in.scheme() != "http" && in.scheme() != "https") {
      return FieldError(StrCat(field, ".scheme"),
                        "is neither http nor https, and no location is given");
    }
  } else {
    const std::string name = StrCat(field, ".location");
    if (!in.scheme().empty() || !in.host().empty())
      return FieldError(name, "excludes scheme and host");
    HEADGATE_RETURN_IF_ERROR(CheckPrintable(name, location));
    if (location.front() != '/' && location.find("://") == std::string::npos) {
      return FieldError(name, "is neither an absolute URL nor an absolute path");
    }
  }
  return std::make_unique<const RedirectAction>(
      RedirectAction{.status = static_cast<uint16_t>(in.status()),
                     .location = text.Get(location),
                     .scheme = text.Get(in.scheme()),
                     .keep_query = in.keep_query(),
                     .host = text.Get(in.host()),
                     .with_port = in.with_port(),
                     .drop_final_slash = in.drop_final_slash()});
}

absl::StatusOr<FixedAction> CompileFixed(const std::string& field, const v1::FixedResponse& in,
                                         const TextPool& text) {
  HEADGATE_RETURN_IF_ERROR(CheckRange(StrCat(field, ".status"), in.status(), 200, 599));
  HEADGATE_RETURN_IF_ERROR(CheckPrintable(StrCat(field, ".content_type"), in.content_type()));
  HEADGATE_RETURN_IF_ERROR(
      CheckRange(StrCat(field, ".body length"), in.body().size(), 0, kMaxFixedBodyBytes));
  return FixedAction{.status = static_cast<uint16_t>(in.status()),
                     .content_type = text.Get(in.content_type()),
                     .body = text.Get(in.body())};
}

absl::Status CompileHttpsRedirect(const std::string& field, const v1::HttpsRedirect& in,
                                  CompiledRoute& out) {
  switch (in.mode()) {
    case v1::HttpsRedirect::MODE_UNSPECIFIED:
    case v1::HttpsRedirect::OFF: out.https_redirect = HttpsRedirectMode::kOff; break;
    case v1::HttpsRedirect::IF_TLS_CONFIGURED:
      out.https_redirect = HttpsRedirectMode::kIfTlsConfigured;
      break;
    case v1::HttpsRedirect::ALWAYS: out.https_redirect = HttpsRedirectMode::kAlways; break;
    default: return FieldError(StrCat(field, ".mode"), "unknown mode");
  }
  out.https_redirect_keeps_slash = in.keep_final_slash();
  switch (in.status()) {
    case 0: break;
    case 301:
    case 302:
    case 307:
    case 308: out.https_redirect_status = static_cast<uint16_t>(in.status()); break;
    default: return FieldError(StrCat(field, ".status"), "is none of 301, 302, 307 and 308");
  }
  return absl::OkStatus();
}

absl::Status CompileRewrite(const std::string& field, const v1::PathRewrite& in,
                            CompiledRoute& out) {
  HEADGATE_RETURN_IF_ERROR(CheckPrintable(StrCat(field, ".target"), in.target()));
  HEADGATE_RETURN_IF_ERROR(
      CheckRange(StrCat(field, ".target length"), in.target().size(), 1, kMaxPathBytes));
  HEADGATE_RETURN_IF_ERROR(
      CheckPrintable(StrCat(field, ".forwarded_prefix"), in.forwarded_prefix()));
  HEADGATE_RETURN_IF_ERROR(CheckRange(StrCat(field, ".forwarded_prefix length"),
                                      in.forwarded_prefix().size(), 0, kMaxPathBytes));
  std::shared_ptr<const Regex> regex;
  HEADGATE_ASSIGN_OR_RETURN(
      regex, CompileRegex(StrCat(field, ".regex"), in.regex(), route::CompileRewriteRegex));
  std::string error;
  out.rewrite =
      route::PathRewrite::Make(std::move(regex), in.target(), in.forwarded_prefix(), &error);
  return out.rewrite != nullptr ? absl::OkStatus() : FieldError(field, error);
}

absl::Status CompileLimits(const std::string& field, const v1::RoutePolicy& in,
                           CompiledRoute& out) {
  LimitOverride limits;
  const struct {
    const char* name;
    bool given;
    const google::protobuf::Duration& value;
    std::optional<Duration>& target;
  } rows[] = {
      {".connect_timeout", in.has_connect_timeout(), in.connect_timeout(), limits.connect_timeout},
      {".send_timeout", in.has_send_timeout(), in.send_timeout(), limits.send_timeout},
      {".read_timeout", in.has_read_timeout(), in.read_timeout(), limits.read_timeout},
      {".tunnel_idle_timeout", in.has_tunnel_idle_timeout(), in.tunnel_idle_timeout(),
       limits.tunnel_idle_timeout},
  };
  bool any = in.has_max_request_body_bytes();
  for (const auto& row : rows) {
    if (!row.given) continue;
    any = true;
    HEADGATE_ASSIGN_OR_RETURN(
        row.target, CompileDuration(StrCat(field, row.name), row.value, ZeroDuration::kRefused));
  }
  if (in.has_max_request_body_bytes()) limits.max_request_body_bytes = in.max_request_body_bytes();
  if (any) out.limits = std::make_unique<const LimitOverride>(limits);
  return absl::OkStatus();
}

absl::Status CompilePolicy(const std::string& field, const v1::RoutePolicy& in,
                           CompiledRoute& out) {
  HEADGATE_RETURN_IF_ERROR(CompileLimits(field, in, out));
  out.no_compression = in.no_compression();
  if (in.has_buffering()) {
    out.buffering = std::make_unique<const BufferingOverride>(CompileBuffering(in.buffering()));
  }
  if (in.has_next_upstream()) {
    auto retries = std::make_unique<RetryOverride>();
    HEADGATE_ASSIGN_OR_RETURN(
        *retries, CompileNextUpstream(StrCat(field, ".next_upstream"), in.next_upstream()));
    out.retries = std::move(retries);
  }
  if (in.has_session_cookie()) {
    auto cookie = std::make_unique<SessionCookie>();
    HEADGATE_ASSIGN_OR_RETURN(
        *cookie, CompileSessionCookie(StrCat(field, ".session_cookie"), in.session_cookie()));
    out.session_cookie = std::move(cookie);
  }
  if (in.has_rewrite()) {
    HEADGATE_RETURN_IF_ERROR(CompileRewrite(StrCat(field, ".rewrite"), in.rewrite(), out));
  }
  return CompileHttpsRedirect(StrCat(field, ".https_redirect"), in.https_redirect(), out);
}

absl::Status CompileRoute(const std::string& field, const v1::Route& in, const TextPool& text,
                          ClusterRegistry& clusters, ExtrasCompiler& extras, CompiledRoute& out) {
  switch (in.action_case()) {
    case v1::Route::kForward:
      HEADGATE_ASSIGN_OR_RETURN(out.action,
                                CompileForward(StrCat(field, ".forward"), in.forward(), clusters));
      break;
    case v1::Route::kRedirect:
      HEADGATE_ASSIGN_OR_RETURN(out.action,
                                CompileRedirect(StrCat(field, ".redirect"), in.redirect(), text));
      break;
    case v1::Route::kFixedResponse:
      HEADGATE_ASSIGN_OR_RETURN(
          out.action, CompileFixed(StrCat(field, ".fixed_response"), in.fixed_response(), text));
      break;
    case v1::Route::kStaticFiles:
      HEADGATE_ASSIGN_OR_RETURN(
          out.action, CompileStaticFiles(StrCat(field, ".static_files"), in.static_files(), text));
      break;
    case v1::Route::ACTION_NOT_SET: return FieldError(StrCat(field, ".action"), "is missing");
  }
  HEADGATE_RETURN_IF_ERROR(CompilePolicy(StrCat(field, ".policy"), in.policy(), out));
  HEADGATE_ASSIGN_OR_RETURN(out.extras, extras.Compile(StrCat(field, ".policy"), in.policy()));
  const v1::RouteOrigin& origin = in.origin();
  out.origin = {.ns = text.Get(origin.namespace_()),
                .ingress = text.Get(origin.ingress()),
                .service = text.Get(origin.service()),
                .service_port = text.Get(origin.service_port()),
                .path = text.Get(origin.path())};
  return absl::OkStatus();
}

absl::StatusOr<PassthroughRule> CompilePassthrough(const v1::VirtualHost& host,
                                                   ClusterRegistry& clusters) {
  const v1::Passthrough& in = host.passthrough();
  if (host.host() == "_") return FieldError("passthrough", "is for named hosts only");
  HEADGATE_RETURN_IF_ERROR(CheckReference("passthrough.cluster", in.cluster(), "cluster/"));
  PassthroughRule out;
  if (in.has_idle_timeout()) {
    HEADGATE_ASSIGN_OR_RETURN(
        out.idle_timeout,
        CompileDuration("passthrough.idle_timeout", in.idle_timeout(), ZeroDuration::kRefused));
  }
  out.cluster = clusters.Acquire(in.cluster());
  return out;
}

absl::Status CompileAccess(const std::string& field, const v1::RoutePolicy& in, AccessPool& pool,
                           ClusterRegistry& clusters, HostStorage& storage, CompiledRoute& out) {
  std::shared_ptr<const CompiledAccess> access;
  HEADGATE_ASSIGN_OR_RETURN(access, pool.Get(StrCat(field, ".policy"), in, clusters));
  if (access == nullptr) return absl::OkStatus();
  out.access = access.get();
  const auto at = std::lower_bound(storage.access.begin(), storage.access.end(), access);
  if (at == storage.access.end() || *at != access) storage.access.insert(at, std::move(access));
  return absl::OkStatus();
}

// Everything that CompileRoute asks the pool for.
void CollectText(const v1::VirtualHost& host, TextPool& text) {
  text.Add(host.host());
  text.Add(host.canonical_host());
  for (const v1::Route& route : host.routes()) {
    const v1::RouteOrigin& origin = route.origin();
    text.Add(origin.namespace_());
    text.Add(origin.ingress());
    text.Add(origin.service());
    text.Add(origin.service_port());
    text.Add(origin.path());
    text.Add(route.redirect().location());
    text.Add(route.redirect().scheme());
    text.Add(route.redirect().host());
    text.Add(route.fixed_response().content_type());
    text.Add(route.fixed_response().body());
    CollectText(route.static_files(), text);
  }
}

}  // namespace

absl::StatusOr<CompiledHost> CompileVirtualHost(const v1::VirtualHost& host,
                                                ClusterRegistry& clusters, AccessPool& access) {
  HEADGATE_RETURN_IF_ERROR(CheckHost(host.host()));
  for (int i = 0; i < host.certificates_size(); ++i) {
    HEADGATE_RETURN_IF_ERROR(
        CheckReference(StrCat("certificates[", i, "]"), host.certificates(i), "cert/"));
  }
  if (!host.app_root().empty()) HEADGATE_RETURN_IF_ERROR(CheckPath("app_root", host.app_root()));
  CompiledHost result;
  if (host.has_client_auth()) {
    HEADGATE_ASSIGN_OR_RETURN(result.client_auth, CompileClientAuth(host.client_auth()));
  }
  if (host.has_passthrough()) {
    HEADGATE_ASSIGN_OR_RETURN(result.passthrough, CompilePassthrough(host, clusters));
  }
  if (!host.ciphers().empty()) {
    const absl::Status valid = tls::ValidateCiphers(host.ciphers());
    if (!valid.ok()) return FieldError("ciphers", ToStd(valid.message()));
  }
  TextPool text;
  CollectText(host, text);
  auto storage = std::make_shared<HostStorage>();
  storage->text = text.Freeze();
  storage->routes.resize(static_cast<size_t>(host.routes_size()));

  if (!host.canonical_host().empty()) {
    const auto canonical = HostPattern::Parse(host.canonical_host());
    if (!canonical.ok()) return FieldError("canonical_host", ToStd(canonical.status().message()));
  }
  ExtrasCompiler extras(clusters);
  std::vector<route::RouteSpec> specs(storage->routes.size());
  for (size_t i = 0; i < specs.size(); ++i) {
    const v1::Route& in = host.routes(static_cast<int>(i));
    const std::string field = StrCat("routes[", i, "]");
    CompiledRoute& out = storage->routes[i];
    out.id = NextRouteId();
    out.host = text.Get(host.canonical_host().empty() ? host.host() : host.canonical_host());
    out.host_has_tls = host.tls_configured();
    HEADGATE_RETURN_IF_ERROR(CompileRoute(field, in, text, clusters, extras, out));
    HEADGATE_RETURN_IF_ERROR(CompileAccess(field, in.policy(), access, clusters, *storage, out));
    HEADGATE_ASSIGN_OR_RETURN(specs[i], CompileMatch(StrCat(field, ".match"), in.match()));
    specs[i].target = &out;
  }
  result.routes = std::make_shared<const route::HostRoutes>(
      text.Get(host.host()), route::RouteTable(std::move(specs)), std::move(storage),
      route::HostOptions{.client_auth = host.has_client_auth(),
                         .ciphers = host.ciphers(),
                         .client_chooses_cipher = host.client_chooses_cipher(),
                         .app_root = host.app_root()});
  result.certificates.assign(host.certificates().begin(), host.certificates().end());
  return result;
}

}  // namespace headgate::config
