#include "dataplane/proxy/variables.h"

#include <array>
#include <charconv>
#include <cstdint>
#include <optional>

#include "absl/strings/ascii.h"
#include "dataplane/http/uri.h"

namespace headgate::proxy {
namespace {

using base::Arena;
using http::FieldId;
using policy::Variable;

std::string_view Trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// Calls `visit(name, value)` for the pairs of a list until it returns true.
template <typename Visit>
bool EachPair(std::string_view list, char separator, Visit&& visit) {
  while (!list.empty()) {
    const size_t end = list.find(separator);
    const std::string_view pair = Trim(list.substr(0, end));
    const size_t equals = pair.find('=');
    if (equals != std::string_view::npos &&
        visit(pair.substr(0, equals), pair.substr(equals + 1))) {
      return true;
    }
    if (end == std::string_view::npos) return false;
    list.remove_prefix(end + 1);
  }
  return false;
}

std::string_view FindArgument(std::string_view query, std::string_view name) {
  std::string_view found;
  EachPair(query, '&', [&](std::string_view key, std::string_view value) {
    if (!http::EqualsIgnoreCase(key, name)) return false;
    found = value;
    return true;
  });
  return found;
}

// Everything but unreserved characters (RFC 3986 section 2.3) percent-encoded.
std::string_view Escape(std::string_view text, Arena& arena) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  char* const memory = arena.Allocate(text.size() * 3);
  char* at = memory;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (absl::ascii_isalnum(byte) || c == '-' || c == '_' || c == '.' || c == '~') {
      *at++ = c;
    } else {
      *at++ = '%';
      *at++ = kDigits[byte >> 4];
      *at++ = kDigits[byte & 15];
    }
  }
  return {memory, static_cast<size_t>(at - memory)};
}

std::string_view HostOf(std::string_view authority, Arena& arena) {
  http::Authority parsed;
  return http::ParseAuthority(authority, arena, parsed) ? parsed.host : std::string_view();
}

std::string_view VerdictText(const base::ClientIdentity& identity) {
  switch (identity.verdict) {
    case base::ClientIdentity::Verdict::kNone: return "NONE";
    case base::ClientIdentity::Verdict::kVerified: return "SUCCESS";
    default: return identity.failure;
  }
}

std::string_view ClientValue(Variable variable, const ClientView& client) {
  if (client.identity == nullptr) {
    return variable == Variable::kSslClientVerify ? std::string_view("NONE") : std::string_view();
  }
  switch (variable) {
    case Variable::kSslClientEscapedCert: return client.identity->certificate;
    case Variable::kSslClientIssuer: return client.identity->issuer_dn;
    case Variable::kSslClientSubject: return client.identity->subject_dn;
    default: return VerdictText(*client.identity);
  }
}

std::string_view TlsValue(Variable variable, const http::TlsInfo& handshake) {
  switch (variable) {
    case Variable::kSslCipher: return handshake.cipher;
    case Variable::kSslProtocol: return handshake.version;
    default: return handshake.server_name.empty() ? std::string_view() : handshake.server_name;
  }
}

std::string_view RouteValue(Variable variable, const config::CompiledRoute* route) {
  if (route == nullptr) return {};
  switch (variable) {
    case Variable::kIngressName: return route->origin.ingress;
    case Variable::kLocationPath: return route->origin.path;
    case Variable::kNamespace: return route->origin.ns;
    case Variable::kServiceName: return route->origin.service;
    case Variable::kServicePort: return route->origin.service_port;
    default: return route->host;
  }
}

}  // namespace

std::string_view FindCookie(const http::HeaderMap& fields, std::string_view name) {
  std::string_view found;
  for (const http::Field& field : fields) {  // HTTP/2 may split it (RFC 9113 section 8.2.3)
    if (field.id != FieldId::kCookie) continue;
    const bool there =
        EachPair(field.value, ';', [&](std::string_view key, std::string_view value) {
          if (key != name) return false;
          found = value;
          return true;
        });
    if (there) break;
  }
  return found;
}

std::string_view Decimal(uint64_t value, Arena& arena) {
  std::array<char, 20> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value);
  return arena.Copy({digits.data(), static_cast<size_t>(end.ptr - digits.data())});
}

std::string_view RequestVariables::Value(const policy::TextTemplate::Part& part,
                                         Arena& arena) const {
  switch (part.variable) {
    case Variable::kNone: return part.text;
    case Variable::kArgs: return head.query().empty() ? std::string_view() : head.query();
    case Variable::kArg: return FindArgument(head.query(), part.text);
    case Variable::kBinaryRemoteAddr: {
      const auto address = base::Address::ParseIp(client.ip, 0);
      return address ? arena.Copy(address->bytes()) : std::string_view();
    }
    case Variable::kContentLength:
      return head.body.kind == http::BodyLength::Kind::kFixed ? Decimal(head.body.size, arena)
                                                              : std::string_view();
    case Variable::kContentType: return head.fields.Get(FieldId::kContentType);
    case Variable::kCookie: return FindCookie(head.fields, part.text);
    case Variable::kEscapedRequestUri: return Escape(head.target, arena);
    case Variable::kHeader: return head.fields.Get(part.text);
    case Variable::kHost: return HostOf(head.authority, arena);
    case Variable::kHttpHost: return head.authority;
    case Variable::kHttps: return connection.tls ? "on" : "";
    case Variable::kIsArgs: return head.query().empty() ? "" : "?";
    case Variable::kPeerAddr: return connection.peer_ip;
    case Variable::kProxyAddXForwardedFor: {
      const std::string_view chain = head.fields.Get(FieldId::kXForwardedFor);
      return chain.empty() ? client.ip : arena.Join(chain, ", ", client.ip);
    }
    case Variable::kProxyProtocolAddr:
      return connection.via_load_balancer ? connection.peer_ip : std::string_view();
    case Variable::kProxyUpstreamName: return upstream_name;
    case Variable::kRemoteAddr: return client.ip;
    case Variable::kRemotePort: return Decimal(connection.peer.port(), arena);
    case Variable::kRequest:
      return arena.Join(head.method_text, " ", head.target, " ", http::VersionText(head.version));
    case Variable::kRequestId: return request_id;
    case Variable::kRequestMethod: return head.method_text;
    case Variable::kRequestUri: return head.target;
    case Variable::kScheme: return client.scheme;
    case Variable::kServerPort: return client.port;
    case Variable::kServerProtocol: return http::VersionText(head.version);
    case Variable::kSslCipher:
    case Variable::kSslProtocol:
    case Variable::kSslServerName:
      return connection.handshake == nullptr ? std::string_view()
                                             : TlsValue(part.variable, *connection.handshake);
    case Variable::kSslClientEscapedCert:
    case Variable::kSslClientIssuer:
    case Variable::kSslClientSubject:
    case Variable::kSslClientVerify: return ClientValue(part.variable, client);
    case Variable::kUri: return normal_path;
    case Variable::kProxyAlternativeUpstreamName:
      return record == nullptr ? std::string_view() : record->alternative_upstream_name;
    case Variable::kStatus:
      return record == nullptr || record->status == 0 ? std::string_view()
                                                      : Decimal(record->status, arena);
    case Variable::kUpstreamAddr:
      return record == nullptr || record->attempt_count == 0 ? std::string_view()
                                                             : record->attempts().back().address;
    case Variable::kUpstreamHeader:
      return answer == nullptr ? std::string_view() : answer->fields.Get(part.text);
    case Variable::kIngressName:
    case Variable::kLocationPath:
    case Variable::kNamespace:
    case Variable::kServerName:
    case Variable::kServiceName:
    case Variable::kServicePort: return RouteValue(part.variable, route);
  }
  return {};
}

}  // namespace headgate::proxy
