#include "dataplane/config/compile_balancing.h"

#include <utility>

#include "dataplane/config/compile_values.h"

namespace headgate::config {
namespace {

using ::headgate::policy::TextTemplate;
using ::headgate::policy::Variable;

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
    default: return FieldError(field, "unknown variable");
  }
}

absl::StatusOr<TextTemplate> CompileTemplate(std::string_view field, const v1::TextTemplate& in) {
  TextTemplate out;
  for (int i = 0; i < in.parts_size(); ++i) {
    const v1::TextTemplate::Part& part = in.parts(i);
    if (part.has_literal()) {
      out.parts.push_back({Variable::kNone, part.literal()});
      continue;
    }
    TextTemplate::Part& added = out.parts.emplace_back();
    HEADGATE_ASSIGN_OR_RETURN(added.variable,
                              CompileVariable(StrCat(field, ".parts[", i, "].variable"), part.variable()));
    added.text = part.name();
  }
  return out;
}

absl::StatusOr<balance::Policy> CompilePolicy(v1::Balancing::Policy policy) {
  switch (policy) {
    case v1::Balancing::POLICY_UNSPECIFIED:
    case v1::Balancing::ROUND_ROBIN: return balance::Policy::kRoundRobin;
    case v1::Balancing::LEAST_REQUEST: return balance::Policy::kLeastRequest;
    case v1::Balancing::EWMA: return balance::Policy::kEwma;
    case v1::Balancing::RANDOM: return balance::Policy::kRandom;
    case v1::Balancing::IP_HASH: return balance::Policy::kHash;
    default: return FieldError("balancing.policy", "unknown policy");
  }
}

absl::StatusOr<Balancing::Affinity> CompileAffinity(v1::Balancing::Affinity affinity) {
  switch (affinity) {
    case v1::Balancing::AFFINITY_UNSPECIFIED: return Balancing::Affinity::kNone;
    case v1::Balancing::BALANCED: return Balancing::Affinity::kBalanced;
    case v1::Balancing::PERSISTENT: return Balancing::Affinity::kPersistent;
    default: return FieldError("balancing.affinity", "unknown affinity");
  }
}

}  // namespace

absl::StatusOr<Balancing> CompileBalancing(const v1::Balancing& in) {
  Balancing out;
  HEADGATE_ASSIGN_OR_RETURN(out.policy.policy, CompilePolicy(in.policy()));
  HEADGATE_ASSIGN_OR_RETURN(out.affinity, CompileAffinity(in.affinity()));
  if (in.policy() == v1::Balancing::IP_HASH) out.key = Balancing::HashKey::kClientAddress;
  if (in.has_hash_by()) {
    HEADGATE_ASSIGN_OR_RETURN(out.hash_by, CompileTemplate("balancing.hash_by", in.hash_by()));
    out.key = Balancing::HashKey::kTemplate;
    out.policy.policy = balance::Policy::kHash;
  }
  if (out.key == Balancing::HashKey::kNone) return out;
  if (in.hash_bound_percent() != 0) {
    HEADGATE_RETURN_IF_ERROR(CheckRange("balancing.hash_bound_percent", in.hash_bound_percent(), 101, 1000));
    out.policy.bound_percent = in.hash_bound_percent();
  }
  if (in.hash_subset_size() != 0) {
    HEADGATE_RETURN_IF_ERROR(CheckRange("balancing.hash_subset_size", in.hash_subset_size(), 1, 1'000'000));
    out.policy.policy = balance::Policy::kHashSubset;
    out.policy.subset_size = in.hash_subset_size();
  }
  // Sessions have places of their own on the ring, by endpoint.
  if (out.affinity == Balancing::Affinity::kBalanced) out.policy = {.policy = balance::Policy::kHash};
  return out;
}

}  // namespace headgate::config
