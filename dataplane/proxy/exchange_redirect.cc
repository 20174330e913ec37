// Requests that are sent elsewhere, or ask the upstream for another path.
#include <cstdint>
#include <string>

#include "dataplane/http/uri.h"
#include "dataplane/proxy/exchange.h"

namespace headgate::proxy {
// For a path of the request's host.
std::string_view Exchange::AbsoluteUrl(std::string_view path) {
  const config::RouteExtras* rules = extras();
  const bool general = config_->settings->relative_redirects;
  if (rules == nullptr ? general : rules->relative_redirects.value_or(general)) return path;
  return downstream_->arena().Join(client_.scheme, "://", client_.host, path);
}

bool Exchange::ReplyAppRoot(const route::HostRoutes& host) {
  const route::HostOptions* const options = host.options();
  if (options == nullptr || options->app_root.empty() || path_.match != "/") return false;
  Reply(302, AbsoluteUrl(options->app_root));
  return true;
}

void Exchange::Redirect(const config::RedirectAction& action) {
  base::Arena& arena = downstream_->arena();
  std::string_view location = action.location;
  if (location.empty()) {
    const std::string_view scheme = action.scheme.empty() ? client_.scheme : action.scheme;
    std::string_view target = request_->target;
    if (action.drop_final_slash && target.ends_with('/')) target.remove_suffix(1);
    location =
        arena.Join(scheme, "://", action.host.empty() ? client_.host : action.host,
                   action.with_port ? ":" : "", action.with_port ? client_.port : "", target);
  } else if (location.starts_with('/')) {
    location = AbsoluteUrl(location);
  }
  if (action.keep_query && !request_->query().empty()) {
    location = arena.Join(location, location.find('?') == std::string_view::npos ? "?" : "&",
                          request_->query());
  }
  Reply(action.status, location);
}

// For routes whose rewrites are logged.
void Exchange::TellRewrite(std::string_view what, std::string_view result) {
  const config::RouteExtras* rules = extras();
  if (rules == nullptr || !rules->logs_rewrites) return;
  const bool searched = route_->rewrite != nullptr;
  services_.rewrite_log().Write(
      {.what = what,
       .ingress = route_->origin.ingress,
       .ns = route_->origin.ns,
       .client = client_.ip,
       .host = request_->authority,
       .method = request_->method_text,
       .target = request_->target,
       .request_id = record_.request_id,
       .pattern = searched ? route_->rewrite->pattern() : std::string_view(),
       .path = path_.match,
       .result = result},
      services_.loop().now());
}

// False when the request has been answered.
bool Exchange::Rewrite() {
  using Outcome = route::PathRewrite::Outcome;
  base::Arena& arena = downstream_->arena();
  const auto result = route_->rewrite->Apply(path_.match, client_.scheme, arena);
  if (result.outcome == Outcome::kUnchanged) {
    TellRewrite("does not match", {});
    return true;
  }
  if (result.outcome == Outcome::kRefused) {
    TellRewrite("refused", {});
    Fail({base::Failure::Side::kDownstream, base::Failure::Kind::kProtocol,
          base::Failure::Retry::kNever, "the rewritten path cannot be read in one way only"});
    return false;
  }
  const std::string_view query = request_->target.substr(request_->path().size());
  const std::string_view target = arena.Join(result.target, query);
  if (result.outcome == Outcome::kRedirect) {
    Reply(302, target);
    return false;
  }
  TellRewrite("rewritten", target);
  forward_target_ = target;
  forwarded_prefix_ = result.forwarded_prefix;
  return true;
}

bool Exchange::ReplyHttpsRedirect() {
  using Mode = config::HttpsRedirectMode;
  const bool wanted = route_->https_redirect == Mode::kAlways ||
                      (route_->https_redirect == Mode::kIfTlsConfigured && route_->host_has_tls);
  if (!wanted || client_.scheme != "http") return false;
  std::string_view target = request_->target;
  if (target.ends_with('/') && !route_->https_redirect_keeps_slash) target.remove_suffix(1);
  http::Authority authority;
  if (!http::ParseAuthority(client_.host, downstream_->arena(), authority)) return false;
  const config::RouteExtras* rules = extras();
  const bool general = config_->settings->port_in_https_redirects;
  const bool named = rules == nullptr ? general : rules->port_in_https_redirects.value_or(general);
  const uint16_t port = named ? services_.https_port() : uint16_t{0};
  const std::string with_port = port != 0 ? ":" + std::to_string(port) : std::string();
  Reply(route_->https_redirect_status,
        downstream_->arena().Join("https://", authority.host, with_port, target));
  return true;
}

}  // namespace headgate::proxy
