#include "dataplane/config/compile_access_log.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "dataplane/config/compile_patterns.h"
#include "dataplane/config/compile_template.h"
#include "dataplane/config/compile_values.h"
#include "dataplane/config/log_rules.h"

namespace headgate::config {
namespace {

using observe::LogFormat;

// So that a line fits its buffer many times.
constexpr size_t kMaxParts = 200;
constexpr size_t kMaxText = 16 * 1024;

std::optional<LogFormat::Variable> CompileVariable(v1::LogFormat::Variable in) {
  using Variable = LogFormat::Variable;
  switch (in) {
    case v1::LogFormat::BODY_BYTES_SENT: return Variable::kBodyBytesSent;
    case v1::LogFormat::BYTES_SENT: return Variable::kBytesSent;
    case v1::LogFormat::HOSTNAME: return Variable::kHostname;
    case v1::LogFormat::HTTP_HOST: return Variable::kHttpHost;
    case v1::LogFormat::HTTP_REFERER: return Variable::kHttpReferer;
    case v1::LogFormat::HTTP_USER_AGENT: return Variable::kHttpUserAgent;
    case v1::LogFormat::INGRESS_NAME: return Variable::kIngressName;
    case v1::LogFormat::LOCATION_PATH: return Variable::kLocationPath;
    case v1::LogFormat::MSEC: return Variable::kMsec;
    case v1::LogFormat::NAMESPACE: return Variable::kNamespace;
    case v1::LogFormat::PROTOCOL: return Variable::kProtocol;
    case v1::LogFormat::PROXY_ALTERNATIVE_UPSTREAM_NAME:
      return Variable::kProxyAlternativeUpstreamName;
    case v1::LogFormat::PROXY_UPSTREAM_NAME: return Variable::kProxyUpstreamName;
    case v1::LogFormat::REMOTE_ADDR: return Variable::kRemoteAddr;
    case v1::LogFormat::REMOTE_USER: return Variable::kRemoteUser;
    case v1::LogFormat::REQUEST: return Variable::kRequest;
    case v1::LogFormat::REQUEST_ID: return Variable::kRequestId;
    case v1::LogFormat::REQUEST_LENGTH: return Variable::kRequestLength;
    case v1::LogFormat::REQUEST_METHOD: return Variable::kRequestMethod;
    case v1::LogFormat::REQUEST_TIME: return Variable::kRequestTime;
    case v1::LogFormat::REQUEST_URI: return Variable::kRequestUri;
    case v1::LogFormat::SCHEME: return Variable::kScheme;
    case v1::LogFormat::SERVER_NAME: return Variable::kServerName;
    case v1::LogFormat::SERVER_PROTOCOL: return Variable::kServerProtocol;
    case v1::LogFormat::SERVICE_NAME: return Variable::kServiceName;
    case v1::LogFormat::SERVICE_PORT: return Variable::kServicePort;
    case v1::LogFormat::STATUS: return Variable::kStatus;
    case v1::LogFormat::TIME_ISO8601: return Variable::kTimeIso8601;
    case v1::LogFormat::TIME_LOCAL: return Variable::kTimeLocal;
    case v1::LogFormat::UPSTREAM_ADDR: return Variable::kUpstreamAddr;
    case v1::LogFormat::UPSTREAM_CONNECT_TIME: return Variable::kUpstreamConnectTime;
    case v1::LogFormat::UPSTREAM_HEADER_TIME: return Variable::kUpstreamHeaderTime;
    case v1::LogFormat::UPSTREAM_RESPONSE_LENGTH: return Variable::kUpstreamResponseLength;
    case v1::LogFormat::UPSTREAM_RESPONSE_TIME: return Variable::kUpstreamResponseTime;
    case v1::LogFormat::UPSTREAM_STATUS: return Variable::kUpstreamStatus;
    default: return std::nullopt;
  }
}

std::optional<LogFormat::Escape> CompileEscape(v1::LogFormat::Escape in) {
  switch (in) {
    case v1::LogFormat::ESCAPE_UNSPECIFIED:
    case v1::LogFormat::DEFAULT: return LogFormat::Escape::kDefault;
    case v1::LogFormat::JSON: return LogFormat::Escape::kJson;
    case v1::LogFormat::NONE: return LogFormat::Escape::kNone;
    default: return std::nullopt;
  }
}

absl::StatusOr<policy::TextTemplate::Part> CompileRequestPart(const std::string& field,
                                                              const v1::TextTemplate::Part& in) {
  v1::TextTemplate one;
  *one.add_parts() = in;
  policy::TextTemplate out;
  HEADGATE_ASSIGN_OR_RETURN(out, CompileTemplate(field, one));
  return std::move(out.parts.front());
}

absl::Status CompilePart(const std::string& field, const v1::LogFormat::Part& in,
                         RequestLogLine& out) {
  LogFormat::Part part;
  switch (in.kind_case()) {
    case v1::LogFormat::Part::kLiteral: part.text = in.literal(); break;
    case v1::LogFormat::Part::kVariable: {
      const auto variable = CompileVariable(in.variable());
      if (!variable) return FieldError(StrCat(field, ".variable"), "unknown variable");
      part.variable = *variable;
      break;
    }
    case v1::LogFormat::Part::kRequest: {
      part.variable = LogFormat::Variable::kValue;
      policy::TextTemplate::Part request;
      HEADGATE_ASSIGN_OR_RETURN(request,
                                CompileRequestPart(StrCat(field, ".request"), in.request()));
      out.values.push_back({std::move(request), false});
      break;
    }
    case v1::LogFormat::Part::kSentHeader:
      part.variable = LogFormat::Variable::kValue;
      HEADGATE_RETURN_IF_ERROR(CheckToken(StrCat(field, ".sent_header"), in.sent_header()));
      out.values.push_back({{policy::Variable::kNone, in.sent_header()}, true});
      break;
    default: return FieldError(field, "is nothing that is known here");
  }
  out.format.parts.push_back(std::move(part));
  return absl::OkStatus();
}

absl::StatusOr<RequestLogLine> CompileLine(const std::string& field, const v1::LogFormat& in) {
  HEADGATE_RETURN_IF_ERROR(
      CheckRange(StrCat(field, ".parts"), static_cast<uint64_t>(in.parts_size()), 1, kMaxParts));
  RequestLogLine out;
  const auto escape = CompileEscape(in.escape());
  if (!escape) return FieldError(StrCat(field, ".escape"), "unknown escaping");
  out.format.escape = *escape;
  size_t text = 0;
  for (int i = 0; i < in.parts_size(); ++i) {
    HEADGATE_RETURN_IF_ERROR(CompilePart(StrCat(field, ".parts[", i, "]"), in.parts(i), out));
    text += out.format.parts.back().text.size();
  }
  if (text > kMaxText) return FieldError(field, "has more than 16 KiB of text");
  return out;
}

}  // namespace

absl::Status CompileAccessLog(const v1::AccessLog& in, CompiledSettings& out) {
  out.access_log_enabled = !in.disabled();
  switch (in.format()) {
    case v1::AccessLog::FORMAT_UNSPECIFIED:
    case v1::AccessLog::TEXT: break;
    case v1::AccessLog::JSON: out.access_log_json = true; break;
    default: return FieldError("access_log.format", "unknown format");
  }
  out.logs_default_backend = in.default_backend();
  auto rules = std::make_shared<LogRules>();
  rules->requests = !in.no_requests();
  HEADGATE_ASSIGN_OR_RETURN(rules->skipped_targets,
                            CompilePatterns("access_log.skipped_targets", in.skipped_targets()));
  if (in.has_request_line()) {
    RequestLogLine line;
    HEADGATE_ASSIGN_OR_RETURN(line, CompileLine("access_log.request_line", in.request_line()));
    rules->request_line = std::make_shared<const RequestLogLine>(std::move(line));
  }
  if (in.has_stream_line()) {
    RequestLogLine line;
    HEADGATE_ASSIGN_OR_RETURN(line, CompileLine("access_log.stream_line", in.stream_line()));
    if (!line.values.empty()) {
      return FieldError("access_log.stream_line", "wants what only requests have");
    }
    rules->stream_line = std::make_unique<const LogFormat>(std::move(line.format));
  }
  if (!rules->requests || rules->request_line != nullptr || rules->stream_line != nullptr ||
      !rules->skipped_targets.empty()) {
    out.log_rules = std::move(rules);
  }
  return absl::OkStatus();
}

}  // namespace headgate::config
