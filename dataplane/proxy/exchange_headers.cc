// What rules change in the heads of a request and its response, and the answer to preflight
// requests.
#include <algorithm>

#include "dataplane/http/chars.h"
#include "dataplane/http/uri.h"
#include "dataplane/proxy/exchange.h"
#include "dataplane/proxy/variables.h"

namespace headgate::proxy {
namespace {

using http::FieldId;

constexpr std::string_view kOrigin = "Origin";

std::string_view TextOf(policy::ConnectionOption option) {
  switch (option) {
    case policy::ConnectionOption::kNone: return {};
    case policy::ConnectionOption::kClose: return "close";
    case policy::ConnectionOption::kKeepAlive: return "keep-alive";
  }
  return {};
}

}  // namespace

const config::RouteExtras* Exchange::extras() const {
  return route_ == nullptr ? nullptr : route_->extras.get();
}

RequestVariables Exchange::variables(const http::ResponseHead* answer) const {
  return {*request_,          downstream_->connection(), client_,  route_, path_.match,
          record_.request_id, record_.upstream_name,     &record_, answer};
}

// True when the request has been answered.
bool Exchange::ReplyPreflight() {
  const config::RouteExtras* rules = extras();
  if (rules == nullptr || !rules->cors || request_->method != http::Method::kOptions) return false;
  if (!policy::Allows(*rules->cors, request_->fields.Get(kOrigin))) return false;
  Advance(Event::kReply);
  SendReply(204, "text/plain charset=UTF-8", {});
  return true;
}

// True when the request has been answered.
bool Exchange::ReplyByRule() {
  const auto& replies = route_->extras->replies;
  if (replies.empty()) return false;
  base::Arena& arena = downstream_->arena();
  const RequestVariables source = variables();
  const auto reply =
      std::find_if(replies.begin(), replies.end(), [&](const policy::ConditionalReply& candidate) {
        return policy::Hold(candidate.when, source, arena, /*when_in_doubt=*/true);
      });
  if (reply == replies.end()) return false;
  if (!reply->location.empty()) {
    const std::string_view location = policy::Expand(reply->location, source, arena);
    if (location.empty() || !http::IsFieldText(location)) {
      Reply(400);  // what the client has put into it cannot be said in a field
    } else {
      Reply(reply->status, location.starts_with('/') ? AbsoluteUrl(location) : location);
    }
  } else if (reply->status == 204 || reply->status == 304) {  // never with a body
    Advance(Event::kReply);
    SendReply(reply->status, {}, {});
  } else if (reply->has_text) {
    Advance(Event::kReply);
    SendReply(reply->status, reply->content_type, policy::Expand(reply->text, source, arena));
  } else {
    Reply(reply->status);
  }
  return true;
}

void Exchange::EditRequest() {
  upstream_head_.connection_option = {};
  if (const policy::HeaderPolicy* general = config_->settings->headers.get()) EditRequest(*general);
  if (const config::RouteExtras* rules = extras()) EditRequest(rules->headers);
}

void Exchange::EditRequest(const policy::HeaderPolicy& rules) {
  base::Arena& arena = downstream_->arena();
  const RequestVariables source = variables();
  policy::ApplyToRequest(rules.request, source, arena, upstream_head_.fields);
  if (!rules.host.empty()) {
    const std::string_view host = policy::Expand(rules.host, source, arena);
    http::Authority authority;
    if (http::ParseAuthority(host, arena, authority)) {
      upstream_head_.authority = host;
      policy::Replace(upstream_head_.fields, FieldId::kHost, "Host", host);
    }
  }
  if (rules.connection != policy::ConnectionOption::kNone) {
    upstream_head_.connection_option = TextOf(rules.connection);
    upstream_head_.upgrade = {};
  }
}

// What an endpoint says that clients are not to see, or not so.
void Exchange::EditAnswer() {
  http::HeaderMap& fields = response_head_.fields;
  if (!config_->settings->pass_server) fields.Remove(FieldId::kServer);
  if (const policy::HeaderPolicy* general = config_->settings->headers.get()) {
    for (const std::string& name : general->hidden) fields.Remove(name);
  }
  const config::RouteExtras* rules = extras();
  if (rules == nullptr) return;
  for (const std::string& name : rules->headers.hidden) fields.Remove(name);
  if (rules->rewrites.empty()) return;
  const auto attempts = record_.attempts();
  policy::Apply(rules->rewrites, attempts.empty() ? std::string_view() : attempts.back().address,
                downstream_->arena(), fields);
}

// What every response gets, whoever made it.
void Exchange::AddOwnFields() {
  AddTransportSecurity();
  const config::CompiledSettings& settings = *config_->settings;
  http::HeaderMap& fields = response_head_.fields;
  if (!settings.server.empty() && fields.Find(FieldId::kServer) == nullptr) {
    fields.Add(FieldId::kServer, "Server", settings.server);
  }
  if (settings.headers != nullptr) {
    policy::ApplyToResponse(settings.headers->response, variables(&response_head_),
                            downstream_->arena(), fields, response_head_.status);
  }
  const config::RouteExtras* rules = extras();
  if (rules == nullptr) return;
  if (!rules->headers.response.empty()) {
    policy::ApplyToResponse(rules->headers.response, variables(&response_head_),
                            downstream_->arena(), fields, response_head_.status);
  }
  if (!rules->cors) return;
  const std::string_view origin = request_->fields.Get(kOrigin);
  if (policy::Allows(*rules->cors, origin)) policy::AddCorsFields(*rules->cors, origin, fields);
}

void Exchange::AddTransportSecurity() {
  constexpr std::string_view kName = "Strict-Transport-Security";
  const std::string& value = config_->settings->strict_transport_security;
  if (value.empty() || !downstream_->connection().tls) return;
  response_head_.fields.Remove(kName);
  response_head_.fields.Add(FieldId::kOther, kName, value);
}

}  // namespace headgate::proxy
