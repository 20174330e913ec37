#include "dataplane/proxy/auth_head.h"

#include "dataplane/http/chars.h"

namespace headgate::proxy {
namespace {

using http::FieldId;

void Put(http::HeaderMap& fields, std::string_view name, std::string_view value) {
  fields.RemoveAlike(name);
  if (!value.empty() && http::IsFieldText(value)) fields.Add(name, value);
}

}  // namespace

bool BuildAuthHead(const config::ExternalAuth& external, const RequestVariables& request,
                   base::Arena& arena, http::RequestHead& out) {
  const std::string_view expanded = policy::Expand(external.target, request, arena);
  const std::string_view target = expanded.starts_with('/') ? expanded : arena.Join("/", expanded);
  if (!http::IsTargetText(target)) return false;
  BuildUpstreamHead(request.head, request.client, request.request_id, target, out);
  out.method_text =
      external.method.empty() ? std::string_view("GET") : std::string_view(external.method);
  out.method = http::ParseMethod(out.method_text);
  out.authority = external.host;
  out.body = http::BodyLength::None();
  out.upgrade = {};
  out.websocket_key = {};

  http::HeaderMap& fields = out.fields;
  fields.RemoveIf([](const http::Field& field) {
    return field.id == FieldId::kContentLength || field.id == FieldId::kUpgrade ||
           field.id == FieldId::kXForwardedProto || field.id == FieldId::kHost ||
           field.id == FieldId::kTransferEncoding || field.id == FieldId::kTrailer;
  });
  fields.Add(FieldId::kHost, "Host", external.host);
  const std::string_view scheme = request.connection.tls ? "https" : "http";
  Put(fields, "X-Original-URL",
      arena.Join(scheme, "://", request.head.authority, request.head.target));
  Put(fields, "X-Original-Method", request.head.method_text);
  Put(fields, "X-Sent-From", "nginx-ingress-controller");
  Put(fields, "X-Auth-Request-Redirect",
      external.request_redirect ? policy::Expand(*external.request_redirect, request, arena)
                                : request.head.target);
  Put(fields, "X-Original-URI", external.method.empty() ? std::string_view() : request.head.target);
  for (const config::FieldTemplate& edit : external.request_fields) {
    Put(fields, edit.name, policy::Expand(edit.value, request, arena));
  }
  return true;
}

}  // namespace headgate::proxy
