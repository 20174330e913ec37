#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/base/arena.h"

namespace headgate::policy {

// What a template can take from a request. proto/headgate/v1/upstream.proto, TextTemplate, says
// what each means.
enum class Variable : uint8_t {
  kNone,  // the part is text
  kArgs,
  kArg,
  kBinaryRemoteAddr,
  kContentLength,
  kContentType,
  kCookie,
  kEscapedRequestUri,
  kHeader,
  kHost,
  kHttpHost,
  kHttps,
  kIngressName,
  kIsArgs,
  kLocationPath,
  kNamespace,
  kPeerAddr,
  kProxyUpstreamName,
  kRemoteAddr,
  kRemotePort,
  kRequest,
  kRequestId,
  kRequestMethod,
  kRequestUri,
  kScheme,
  kServerName,
  kServerPort,
  kServerProtocol,
  kServiceName,
  kServicePort,
  kSslClientEscapedCert,
  kSslClientIssuer,
  kSslClientSubject,
  kSslClientVerify,
  kSslServerName,
  kUri,
  kProxyAlternativeUpstreamName,
  kStatus,
  kUpstreamAddr,
  kUpstreamHeader,
  kProxyAddXForwardedFor,
  kProxyProtocolAddr,
  kSslCipher,
  kSslProtocol,
};

// Text with variables in it, in typed parts: nothing is parsed when a request comes. Immutable.
struct TextTemplate {
  struct Part {
    Variable variable = Variable::kNone;
    std::string
        text;  // of kNone the text itself; of kArg, kCookie, kHeader and kUpstreamHeader a name
    bool operator==(const Part&) const = default;
  };
  std::vector<Part> parts;

  bool empty() const { return parts.empty(); }
  bool operator==(const TextTemplate&) const = default;
};

// Where variables get their values.
class VariableSource {
 public:
  // Lives as long as `arena`, or what it was made from. Empty when there is none; data() is null
  // where NGINX, which has logs say so, would find nothing.
  virtual std::string_view Value(const TextTemplate::Part& part, base::Arena& arena) const = 0;

 protected:
  ~VariableSource() = default;
};

// The text for one request. As long-lived as the values.
std::string_view Expand(const TextTemplate& text, const VariableSource& source, base::Arena& arena);

}  // namespace headgate::policy
