#include "dataplane/http1/request_parser.h"

#include "dataplane/http/chars.h"
#include "dataplane/http/uri.h"
#include "dataplane/http1/field_parser.h"
#include "dataplane/http1/upgrade.h"

namespace headgate::http1 {
namespace {

using base::Failure;
using http::FieldId;
using http::Method;
using http::RequestHead;
using http::Version;

RequestParseResult Refuse(uint16_t status, std::string_view detail,
                          Failure::Kind kind = Failure::Kind::kProtocol) {
  return {.status = status, .kind = kind, .detail = detail};
}

// "HTTP/" DIGIT "." DIGIT. 0 when fine, else the status.
uint16_t ParseVersion(std::string_view text, Version& version) {
  if (text == "HTTP/1.1") {
    version = Version::kHttp11;
    return 0;
  }
  if (text == "HTTP/1.0") {
    version = Version::kHttp10;
    return 0;
  }
  const bool well_formed = text.size() == 8 && text.substr(0, 5) == "HTTP/" &&
                           http::IsDigit(text[5]) && text[6] == '.' && http::IsDigit(text[7]);
  return well_formed ? 505 : 400;
}

// Takes the absolute form apart: "http://authority/path?query". False: malformed.
bool SplitAbsoluteForm(base::Arena& arena, RequestHead& request, std::string_view& scheme) {
  const size_t colon = request.target.find("://");
  if (colon == std::string_view::npos) return false;
  scheme = request.target.substr(0, colon);
  if (!http::EqualsIgnoreCase(scheme, "http") && !http::EqualsIgnoreCase(scheme, "https")) {
    return false;
  }
  const std::string_view rest = request.target.substr(colon + 3);
  const size_t authority_end = rest.find_first_of("/?");
  request.authority = rest.substr(0, authority_end);
  const std::string_view target =
      authority_end == std::string_view::npos ? std::string_view() : rest.substr(authority_end);
  if (target.empty()) {
    // RFC 9112 section 3.2.4: OPTIONS without a path means the server as a whole.
    request.target = request.method == Method::kOptions ? "*" : "/";
  } else if (target.front() == '?') {
    request.target = arena.Join("/", target);
  } else {
    request.target = target;
  }
  return true;
}

// Same host and, after filling in the scheme's default, same port.
bool SameAuthority(const http::Authority& a, const http::Authority& b, std::string_view scheme) {
  const uint16_t default_port = http::EqualsIgnoreCase(scheme, "https") ? 443 : 80;
  return a.host == b.host &&
         (a.port == 0 ? default_port : a.port) == (b.port == 0 ? default_port : b.port);
}

}  // namespace

RequestParseResult ParseRequestHead(std::string_view head, const codec::RequestLimits& limits,
                                    base::Arena& arena, RequestHead& request) {
  request.fields.Clear();
  request.method = Method::kGet;
  request.method_text = request.target = {};
  request.version = Version::kHttp11;
  request.body = http::BodyLength::None();
  request.expect_continue = false;
  request.upgrade = {};
  request.websocket_key = {};
  request.authority = {};
  request.head_bytes = static_cast<uint32_t>(head.size());
  if (head.size() > limits.max_head_bytes) {
    return Refuse(431, "request head too large", Failure::Kind::kHeadTooLarge);
  }

  const char* at = head.data();
  const char* const end = at + head.size();
  if (head.size() >= 2 && at[0] == '\r' && at[1] == '\n') at += 2;

  // Request line: method SP target SP version CRLF, single spaces.
  const char* const line = at;
  while (at != end && http::IsTokenChar(*at)) ++at;
  if (at == end || *at != ' ' || at == line) return Refuse(400, "malformed request line");
  request.method_text = std::string_view(line, static_cast<size_t>(at - line));
  request.method = http::ParseMethod(request.method_text);
  ++at;
  const char* const target = at;
  at = http::FindTargetEnd(at, end);
  if (at == end || *at != ' ' || at == target) {
    return Refuse(400, "malformed request target or request line");
  }
  request.target = std::string_view(target, static_cast<size_t>(at - target));
  ++at;
  const char* const version = at;
  while (at != end && *at != '\r' && *at != '\n') ++at;
  if (end - at < 2 || at[0] != '\r' || at[1] != '\n') {
    return Refuse(400, "request line does not end with CRLF");
  }
  if (static_cast<size_t>(at - line) > limits.max_line_bytes) {
    return Refuse(414, "request line too long", Failure::Kind::kTargetTooLong);
  }
  const uint16_t version_status =
      ParseVersion(std::string_view(version, static_cast<size_t>(at - version)), request.version);
  if (version_status == 505) return Refuse(505, "unsupported HTTP version");
  if (version_status != 0) return Refuse(400, "malformed HTTP version");
  at += 2;

  const FieldLinesResult lines =
      ParseFieldLines(at, end, {.max_fields = limits.max_fields, .underscores = limits.underscores},
                      request.fields);
  if (lines.error == FieldLinesError::kTooMany) {
    return Refuse(431, lines.detail, Failure::Kind::kHeadTooLarge);
  }
  if (lines.error != FieldLinesError::kNone) return Refuse(400, lines.detail);

  // What the proxy must know of the fields, in one pass.
  std::string_view host;
  size_t hosts = 0;
  bool has_connection = false;
  bool has_framing = false;
  bool has_expect = false;
  for (const http::Field& field : request.fields) {
    switch (field.id) {
      case FieldId::kHost:
        host = field.value;
        ++hosts;
        break;
      case FieldId::kConnection: has_connection = true; break;
      case FieldId::kContentLength:
      case FieldId::kTransferEncoding: has_framing = true; break;
      case FieldId::kExpect:
        has_expect |= http::EqualsIgnoreCase(field.value, "100-continue");
        break;
      default: break;
    }
  }

  // Target and authority (RFC 9112 section 3.2).
  if (request.method == Method::kConnect) return Refuse(405, "CONNECT is not served");
  if (hosts > 1) return Refuse(400, "several Host fields");
  if (hosts == 0 && request.version == Version::kHttp11) return Refuse(400, "Host is missing");
  http::Authority host_authority;
  if (hosts == 1 && !(host.empty() && request.version == Version::kHttp10)) {
    if (!http::ParseAuthority(host, arena, host_authority)) return Refuse(400, "malformed Host");
    request.authority = host;
  }
  if (request.target.front() != '/') {
    if (request.target == "*") {
      if (request.method != Method::kOptions) return Refuse(400, "\"*\" is for OPTIONS only");
    } else {
      std::string_view scheme;
      if (!SplitAbsoluteForm(arena, request, scheme)) {
        return Refuse(400, "malformed request target");
      }
      http::Authority target_authority;
      if (!http::ParseAuthority(request.authority, arena, target_authority)) {
        return Refuse(400, "malformed authority in the request target");
      }
      if (hosts == 1 && !SameAuthority(target_authority, host_authority, scheme)) {
        return Refuse(400, "Host and the request target disagree");
      }
    }
  }

  RequestParseResult result;
  result.keep_alive = request.version == Version::kHttp11;
  bool wants_upgrade = false;
  if (has_connection) {
    const ConnectionOptions options = ReadConnectionOptions(request.fields);
    if (!options.valid) return Refuse(400, "malformed Connection field");
    if (options.close) {
      result.keep_alive = false;
    } else if (options.keep_alive) {
      result.keep_alive = true;
    }
    wants_upgrade = options.upgrade && request.version == Version::kHttp11;
  }

  if (has_framing) {
    const Framing framing = ReadFraming(request.fields);
    if (framing.error != Framing::Error::kNone) {
      // RFC 9112 section 6.1: a coding that we do not understand is 501.
      return Refuse(framing.error == Framing::Error::kUnknownCoding ? 501 : 400,
                    FramingErrorText(framing.error));
    }
    if (framing.chunked) {
      if (request.version == Version::kHttp10) {
        return Refuse(400, "Transfer-Encoding in HTTP/1.0");
      }
      request.body = http::BodyLength::Chunked();
    } else {
      request.body = http::BodyLength::Fixed(framing.length);
    }
  }
  const bool has_body =
      request.body.kind == http::BodyLength::Kind::kChunked ||
      (request.body.kind == http::BodyLength::Kind::kFixed && request.body.size > 0);
  request.expect_continue = has_expect && has_body && request.version == Version::kHttp11;
  if (wants_upgrade) {
    const UpgradeRequest upgrade = ReadUpgrade(request.fields);
    if (!upgrade.valid) return Refuse(400, "malformed Upgrade field");
    // With a body it is an ordinary request: where the body ends and the new protocol begins would
    // be one more thing to agree on, and no client needs it.
    if (!has_body && !upgrade.protocol.empty()) {
      request.upgrade = upgrade.protocol;
      request.body = http::BodyLength::None();
    }
  }
  return result;
}

}  // namespace headgate::http1
