#include "dataplane/config/compile_template.h"

#include <string>

#include "dataplane/config/compile_values.h"

namespace headgate::config {
namespace {

using policy::TextTemplate;
using policy::Variable;

absl::StatusOr<Variable> CompileVariable(const std::string& field, v1::TextTemplate::Variable in) {
  switch (in) {
    case v1::TextTemplate::ARGS: return Variable::kArgs;
    case v1::TextTemplate::ARG: return Variable::kArg;
    case v1::TextTemplate::BINARY_REMOTE_ADDR: return Variable::kBinaryRemoteAddr;
    case v1::TextTemplate::CONTENT_LENGTH: return Variable::kContentLength;
    case v1::TextTemplate::CONTENT_TYPE: return Variable::kContentType;
    case v1::TextTemplate::COOKIE: return Variable::kCookie;
    case v1::TextTemplate::ESCAPED_REQUEST_URI: return Variable::kEscapedRequestUri;
    case v1::TextTemplate::HEADER: return Variable::kHeader;
    case v1::TextTemplate::HOST: return Variable::kHost;
    case v1::TextTemplate::HTTP_HOST: return Variable::kHttpHost;
    case v1::TextTemplate::HTTPS: return Variable::kHttps;
    case v1::TextTemplate::INGRESS_NAME: return Variable::kIngressName;
    case v1::TextTemplate::IS_ARGS: return Variable::kIsArgs;
    case v1::TextTemplate::LOCATION_PATH: return Variable::kLocationPath;
    case v1::TextTemplate::NAMESPACE: return Variable::kNamespace;
    case v1::TextTemplate::PEER_ADDR: return Variable::kPeerAddr;
    case v1::TextTemplate::PROXY_UPSTREAM_NAME: return Variable::kProxyUpstreamName;
    case v1::TextTemplate::REMOTE_ADDR: return Variable::kRemoteAddr;
    case v1::TextTemplate::REMOTE_PORT: return Variable::kRemotePort;
    case v1::TextTemplate::REQUEST: return Variable::kRequest;
    case v1::TextTemplate::REQUEST_ID: return Variable::kRequestId;
    case v1::TextTemplate::REQUEST_METHOD: return Variable::kRequestMethod;
    case v1::TextTemplate::REQUEST_URI: return Variable::kRequestUri;
    case v1::TextTemplate::SCHEME: return Variable::kScheme;
    case v1::TextTemplate::SERVER_NAME: return Variable::kServerName;
    case v1::TextTemplate::SERVER_PORT: return Variable::kServerPort;
    case v1::TextTemplate::SERVER_PROTOCOL: return Variable::kServerProtocol;
    case v1::TextTemplate::SERVICE_NAME: return Variable::kServiceName;
    case v1::TextTemplate::SERVICE_PORT: return Variable::kServicePort;
    case v1::TextTemplate::SSL_CLIENT_ESCAPED_CERT: return Variable::kSslClientEscapedCert;
    case v1::TextTemplate::SSL_CLIENT_ISSUER: return Variable::kSslClientIssuer;
    case v1::TextTemplate::SSL_CLIENT_SUBJECT: return Variable::kSslClientSubject;
    case v1::TextTemplate::SSL_CLIENT_VERIFY: return Variable::kSslClientVerify;
    case v1::TextTemplate::SSL_SERVER_NAME: return Variable::kSslServerName;
    case v1::TextTemplate::URI: return Variable::kUri;
    case v1::TextTemplate::PROXY_ALTERNATIVE_UPSTREAM_NAME:
      return Variable::kProxyAlternativeUpstreamName;
    case v1::TextTemplate::STATUS: return Variable::kStatus;
    case v1::TextTemplate::UPSTREAM_ADDR: return Variable::kUpstreamAddr;
    case v1::TextTemplate::UPSTREAM_HEADER: return Variable::kUpstreamHeader;
    case v1::TextTemplate::PROXY_ADD_X_FORWARDED_FOR: return Variable::kProxyAddXForwardedFor;
    case v1::TextTemplate::PROXY_PROTOCOL_ADDR: return Variable::kProxyProtocolAddr;
    case v1::TextTemplate::SSL_CIPHER: return Variable::kSslCipher;
    case v1::TextTemplate::SSL_PROTOCOL: return Variable::kSslProtocol;
    default: return FieldError(field, "unknown variable");
  }
}

}  // namespace

absl::StatusOr<TextTemplate> CompileTemplate(std::string_view field, const v1::TextTemplate& in) {
  TextTemplate out;
  for (int i = 0; i < in.parts_size(); ++i) {
    const v1::TextTemplate::Part& part = in.parts(i);
    if (part.has_literal()) {
      out.parts.push_back({Variable::kNone, part.literal()});
      continue;
    }
    TextTemplate::Part& added = out.parts.emplace_back();
    HEADGATE_ASSIGN_OR_RETURN(
        added.variable,
        CompileVariable(StrCat(field, ".parts[", i, "].variable"), part.variable()));
    added.text = part.name();
  }
  return out;
}

}  // namespace headgate::config
