#include "dataplane/http1/response_parser.h"

#include "dataplane/http/chars.h"
#include "dataplane/http1/field_parser.h"

namespace headgate::http1 {
namespace {

using http::BodyLength;
using http::FieldId;
using http::Version;

ResponseParseResult Refuse(std::string_view error) { return {.error = error}; }

}  // namespace

ResponseParseResult ParseResponseHead(std::string_view head, const codec::ResponseLimits& limits,
                                      bool head_request, http::ResponseHead& response) {
  response.fields.Clear();
  response.reason = {};
  response.body = BodyLength::None();
  response.head_bytes = static_cast<uint32_t>(head.size());
  if (head.size() > limits.max_head_bytes) return Refuse("response head too large");

  // Status line: version SP 3DIGIT SP [reason] CRLF. The second space is often forgotten when there
  // is no reason.
  const char* at = head.data();
  const char* const end = at + head.size();
  if (end - at < 14) return Refuse("malformed status line");
  const std::string_view version(at, 8);
  if (version == "HTTP/1.1") {
    response.version = Version::kHttp11;
  } else if (version == "HTTP/1.0") {
    response.version = Version::kHttp10;
  } else {
    return Refuse("malformed or unsupported version in the status line");
  }
  if (at[8] != ' ' || !http::IsDigit(at[9]) || !http::IsDigit(at[10]) || !http::IsDigit(at[11])) {
    return Refuse("malformed status line");
  }
  response.status =
      static_cast<uint16_t>((at[9] - '0') * 100 + (at[10] - '0') * 10 + (at[11] - '0'));
  if (response.status < 100 || response.status > 599) return Refuse("status out of range");
  at += 12;
  if (*at == ' ') {
    ++at;
    const char* const reason = at;
    at = http::FindValueEnd(at, end);
    response.reason = std::string_view(reason, static_cast<size_t>(at - reason));
  }
  if (end - at < 2 || at[0] != '\r' || at[1] != '\n') {
    return Refuse("status line does not end with CRLF");
  }
  at += 2;

  const FieldLinesResult lines =
      ParseFieldLines(at, end, {.max_fields = limits.max_fields}, response.fields);
  if (lines.error != FieldLinesError::kNone) return Refuse(lines.detail);

  ResponseParseResult result;
  result.keep_alive = response.version == Version::kHttp11;
  bool has_connection = false;
  bool has_framing = false;
  for (const http::Field& field : response.fields) {
    has_connection |= field.id == FieldId::kConnection;
    has_framing |= field.id == FieldId::kContentLength || field.id == FieldId::kTransferEncoding;
  }
  if (has_connection) {
    const ConnectionOptions options = ReadConnectionOptions(response.fields);
    if (!options.valid) return Refuse("malformed Connection field");
    result.upgrade = options.upgrade;
    if (options.close) {
      result.keep_alive = false;
    } else if (options.keep_alive) {
      result.keep_alive = true;
    }
  }

  // Length of the body (RFC 9112 section 6.3). Framing fields must be sound even where they do not
  // apply.
  Framing framing;
  if (has_framing) {
    framing = ReadFraming(response.fields);
    if (framing.error != Framing::Error::kNone) return Refuse(FramingErrorText(framing.error));
    if (framing.chunked && response.version == Version::kHttp10) {
      return Refuse("Transfer-Encoding in HTTP/1.0");
    }
  }
  if (head_request || response.status < 200 || response.status == 204 || response.status == 304) {
    return result;
  }
  if (framing.chunked) {
    response.body = BodyLength::Chunked();
  } else if (framing.has_length) {
    response.body = BodyLength::Fixed(framing.length);
  } else {
    response.body = BodyLength::UntilClose();
    result.keep_alive = false;
  }
  return result;
}

}  // namespace headgate::http1
