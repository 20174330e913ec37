#include "dataplane/proxy/forwarded.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

#include "dataplane/http/uri.h"
#include "dataplane/proxy/client_gate.h"

namespace headgate::proxy {
namespace {

using http::FieldId;

constexpr uint16_t kHttpsPort = 443;

// How many BuildUpstreamHead adds at most to those that the client sent.
constexpr size_t kAddedFields = 13;

bool IsTrusted(const base::Address& address, const config::CompiledSettings& settings) {
  return std::any_of(settings.trusted_cidrs.begin(), settings.trusted_cidrs.end(),
                     [&](const base::Cidr& cidr) { return cidr.Contains(address); });
}

std::string_view Trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// The first element of a comma list.
std::string_view FirstOf(std::string_view list) { return Trim(list.substr(0, list.find(','))); }

// The fields with addresses of proxies.
bool IsAddressField(const http::Field& field, std::string_view name) {
  return http::EqualsIgnoreCase(field.name, name);
}

// The rightmost address of the chain that is not a trusted proxy; the leftmost if all are. Stops at
// the first element that is no address: what stands left of it cannot be vouched for. A chain may
// lie in several fields, the last of which was added last. Empty if there is none.
std::string_view WalkChain(const http::HeaderMap& fields,
                           const config::CompiledSettings& settings) {
  std::string_view best;
  for (size_t i = fields.size(); i-- > 0;) {
    if (!IsAddressField(fields[i], settings.address_field)) continue;
    std::string_view chain = fields[i].value;
    while (!chain.empty()) {
      const size_t comma = chain.rfind(',');
      const std::string_view element =
          Trim(comma == std::string_view::npos ? chain : chain.substr(comma + 1));
      chain = comma == std::string_view::npos ? std::string_view() : chain.substr(0, comma);
      const auto address = base::Address::ParseIp(element, 0);
      if (!address) return best;
      best = element;
      if (!IsTrusted(*address, settings)) return best;
    }
  }
  return best;
}

// Every element of the chain and the peer that we have it from.
std::string_view JoinChain(const http::HeaderMap& fields, const config::CompiledSettings& settings,
                           std::string_view peer, base::Arena& arena) {
  std::string_view chain;
  for (const http::Field& field : fields) {
    if (!IsAddressField(field, settings.address_field) || field.value.empty()) continue;
    chain = chain.empty() ? field.value : arena.Join(chain, ", ", field.value);
  }
  return chain.empty() ? peer : arena.Join(chain, ", ", peer);
}

std::string_view PortText(uint16_t port, base::Arena& arena) {
  char* text = arena.Allocate(5);
  const auto end = std::to_chars(text, text + 5, port).ptr;
  return {text, static_cast<size_t>(end - text)};
}

// Fields that only we may set towards the upstream, and those that end here.
constexpr uint64_t kReplaced =
    http::BitOf(FieldId::kHost) | http::BitOf(FieldId::kExpect) | http::BitOf(FieldId::kProxy) |
    http::BitOf(FieldId::kXForwardedFor) | http::BitOf(FieldId::kXForwardedHost) |
    http::BitOf(FieldId::kXForwardedPort) | http::BitOf(FieldId::kXForwardedProto) |
    http::BitOf(FieldId::kXForwardedScheme) | http::BitOf(FieldId::kXRealIp) |
    http::BitOf(FieldId::kXRequestId) | http::BitOf(FieldId::kXScheme) |
    http::BitOf(FieldId::kXOriginalForwardedFor) | http::BitOf(FieldId::kXOriginalForwardedHost);
bool IsReplaced(FieldId id) { return (kReplaced & http::BitOf(id)) != 0; }

void AddIdentity(const base::ClientIdentity& identity, http::HeaderMap& fields) {
  using Verdict = base::ClientIdentity::Verdict;
  const auto add = [&](std::string_view name, std::string_view value) {
    if (!value.empty()) fields.Add(FieldId::kOther, name, value);
  };
  std::string_view verdict = identity.failure;
  if (identity.verdict == Verdict::kNone) verdict = "NONE";
  if (identity.verdict == Verdict::kVerified) verdict = "SUCCESS";
  add(kClientVerifyField, verdict);
  add(kClientSubjectField, identity.subject_dn);
  add(kClientIssuerField, identity.issuer_dn);
  add(kClientCertificateField, identity.certificate);
}

}  // namespace

ClientView ResolveClient(const http::RequestHead& head, const http::ConnectionInfo& connection,
                         const config::CompiledSettings& settings, base::Arena& arena) {
  ClientView view;
  view.ip = connection.peer_ip;
  view.forwarded_for = view.ip;
  view.address_field = settings.address_field;
  view.identity = connection.client();
  view.scheme = connection.tls ? "https" : "http";
  view.host = head.authority;
  // Behind a Service the HTTPS listener's own number means nothing to clients.
  view.port = connection.tls ? std::string_view("443") : PortText(connection.local.port(), arena);
  if (connection.via_load_balancer) {
    view.port = PortText(connection.local.port(), arena);
    if (connection.local.port() == kHttpsPort) view.scheme = "https";
  }
  const bool believes = settings.trust_forwarded_headers || settings.trust_forwarded_address;
  if (!believes || !IsTrusted(connection.peer, settings)) return view;

  if (const auto ip = WalkChain(head.fields, settings); !ip.empty()) view.ip = ip;
  view.forwarded_for = settings.append_forwarded_for
                           ? JoinChain(head.fields, settings, connection.peer_ip, arena)
                           : view.ip;
  if (!settings.trust_forwarded_headers) return view;
  const std::string_view proto = FirstOf(head.fields.Get(FieldId::kXForwardedProto));
  if (http::EqualsIgnoreCase(proto, "https")) view.scheme = "https";
  if (http::EqualsIgnoreCase(proto, "http")) view.scheme = "http";
  // A proxy in front may hand through what its client wrote; it becomes our Host, so it has to be
  // one.
  const std::string_view host = FirstOf(head.fields.Get(FieldId::kXForwardedHost));
  http::Authority authority;
  if (http::ParseAuthority(host, arena, authority)) view.host = host;
  const std::string_view port = FirstOf(head.fields.Get(FieldId::kXForwardedPort));
  const bool is_number =
      !port.empty() && port.size() <= 5 &&
      std::all_of(port.begin(), port.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (is_number) view.port = port;
  return view;
}

base::Address AddressOf(const ClientView& client, const http::ConnectionInfo& connection) {
  if (client.ip == connection.peer_ip) return connection.peer;
  return base::Address::ParseIp(client.ip, 0).value_or(connection.peer);
}

std::string MakeProxyHeader(net::ProxyVersion version, const ClientView& client,
                            const http::ConnectionInfo& connection) {
  if (version == net::ProxyVersion::kNone) return {};
  return net::WriteProxyHeader(version, AddressOf(client, connection), connection.local);
}

void BuildUpstreamHead(const http::RequestHead& head, const ClientView& client,
                       std::string_view request_id, std::string_view target,
                       http::RequestHead& out) {
  out.method = head.method;
  out.method_text = head.method_text;
  out.target = target;
  out.authority = client.host;
  out.version = http::Version::kHttp11;
  out.body = head.body;
  out.expect_continue = false;
  out.upgrade = head.upgrade;
  out.websocket_key = head.websocket_key;

  http::HeaderMap& fields = out.fields;
  fields.Clear();
  fields.Reserve(head.fields.size() + kAddedFields);
  fields.Add(FieldId::kHost, "Host", client.host);
  if (!request_id.empty()) fields.Add(FieldId::kXRequestId, "X-Request-ID", request_id);
  fields.Add(FieldId::kXRealIp, "X-Real-IP", client.ip);
  fields.Add(FieldId::kXForwardedFor, "X-Forwarded-For", client.forwarded_for);
  fields.Add(FieldId::kXForwardedHost, "X-Forwarded-Host", client.host);
  fields.Add(FieldId::kXForwardedPort, "X-Forwarded-Port", client.port);
  fields.Add(FieldId::kXForwardedProto, "X-Forwarded-Proto", client.scheme);
  fields.Add(FieldId::kXForwardedScheme, "X-Forwarded-Scheme", client.scheme);
  fields.Add(FieldId::kXScheme, "X-Scheme", client.scheme);
  if (client.identity != nullptr) AddIdentity(*client.identity, fields);
  for (const http::Field& field : head.fields) {
    if (IsAddressField(field, client.address_field)) {
      fields.Add(FieldId::kXOriginalForwardedFor, "X-Original-Forwarded-For", field.value);
      // One that we do not set ourselves, as CF-Connecting-IP, goes on as well.
      if (!IsReplaced(field.id)) fields.Add(field);
    } else if (field.id == FieldId::kXForwardedHost) {
      fields.Add(FieldId::kXOriginalForwardedHost, "X-Original-Forwarded-Host", field.value);
    } else if (!IsReplaced(field.id) && !IsClientField(field.name) &&
               !http::LooksLike(field.name, client.address_field)) {
      fields.Add(field);
    }
  }
}

}  // namespace headgate::proxy
