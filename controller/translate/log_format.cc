#include "controller/translate/log_format.h"

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>

#include "absl/strings/ascii.h"
#include "controller/translate/text_template.h"

namespace headgate::translate {
namespace {

using v1::LogFormat;

// LogFormat.parts.
constexpr int kMaxParts = 200;
constexpr size_t kMaxText = 16 * 1024;

struct Known {
  std::string_view name;
  LogFormat::Variable variable;
};

// Sorted by name. What is not here may be a variable of templates.
constexpr Known kOfRequests[] = {
    {"best_http_host", LogFormat::HTTP_HOST},
    {"body_bytes_sent", LogFormat::BODY_BYTES_SENT},
    {"bytes_sent", LogFormat::BYTES_SENT},
    {"hostname", LogFormat::HOSTNAME},
    {"http_host", LogFormat::HTTP_HOST},
    {"http_referer", LogFormat::HTTP_REFERER},
    {"http_user_agent", LogFormat::HTTP_USER_AGENT},
    {"ingress_name", LogFormat::INGRESS_NAME},
    {"location_path", LogFormat::LOCATION_PATH},
    {"msec", LogFormat::MSEC},
    {"namespace", LogFormat::NAMESPACE},
    {"pass_access_scheme", LogFormat::SCHEME},
    {"proxy_alternative_upstream_name", LogFormat::PROXY_ALTERNATIVE_UPSTREAM_NAME},
    {"proxy_upstream_name", LogFormat::PROXY_UPSTREAM_NAME},
    {"remote_addr", LogFormat::REMOTE_ADDR},
    {"remote_user", LogFormat::REMOTE_USER},
    {"req_id", LogFormat::REQUEST_ID},
    {"request", LogFormat::REQUEST},
    {"request_id", LogFormat::REQUEST_ID},
    {"request_length", LogFormat::REQUEST_LENGTH},
    {"request_method", LogFormat::REQUEST_METHOD},
    {"request_time", LogFormat::REQUEST_TIME},
    {"request_uri", LogFormat::REQUEST_URI},
    {"scheme", LogFormat::SCHEME},
    {"server_name", LogFormat::SERVER_NAME},
    {"server_protocol", LogFormat::SERVER_PROTOCOL},
    {"service_name", LogFormat::SERVICE_NAME},
    {"service_port", LogFormat::SERVICE_PORT},
    {"status", LogFormat::STATUS},
    {"time_iso8601", LogFormat::TIME_ISO8601},
    {"time_local", LogFormat::TIME_LOCAL},
    {"upstream_addr", LogFormat::UPSTREAM_ADDR},
    {"upstream_connect_time", LogFormat::UPSTREAM_CONNECT_TIME},
    {"upstream_header_time", LogFormat::UPSTREAM_HEADER_TIME},
    {"upstream_response_length", LogFormat::UPSTREAM_RESPONSE_LENGTH},
    {"upstream_response_time", LogFormat::UPSTREAM_RESPONSE_TIME},
    {"upstream_status", LogFormat::UPSTREAM_STATUS},
};

// Sorted by name.
constexpr Known kOfConnections[] = {
    {"bytes_received", LogFormat::REQUEST_LENGTH},
    {"bytes_sent", LogFormat::BYTES_SENT},
    {"hostname", LogFormat::HOSTNAME},
    {"msec", LogFormat::MSEC},
    {"protocol", LogFormat::PROTOCOL},
    {"proxy_upstream_name", LogFormat::PROXY_UPSTREAM_NAME},
    {"remote_addr", LogFormat::REMOTE_ADDR},
    {"session_time", LogFormat::REQUEST_TIME},
    {"status", LogFormat::STATUS},
    {"time_iso8601", LogFormat::TIME_ISO8601},
    {"time_local", LogFormat::TIME_LOCAL},
    {"upstream_addr", LogFormat::UPSTREAM_ADDR},
    {"upstream_connect_time", LogFormat::UPSTREAM_CONNECT_TIME},
};

bool SetKnown(std::span<const Known> known, std::string_view name, LogFormat::Part& part) {
  const auto found = std::lower_bound(
      known.begin(), known.end(), name,
      [](const Known& entry, std::string_view wanted) { return entry.name < wanted; });
  if (found == known.end() || found->name != name) return false;
  part.set_variable(found->variable);
  return true;
}

// False: no such variable.
bool SetVariable(std::string_view name, LogSubject subject, LogFormat::Part& part) {
  if (subject == LogSubject::kConnection) return SetKnown(kOfConnections, name, part);
  if (SetKnown(kOfRequests, name, part)) return true;
  constexpr std::string_view kSent = "sent_http_";
  if (name.starts_with(kSent) && name.size() > kSent.size()) {
    std::string field(name.substr(kSent.size()));
    absl::AsciiStrToLower(&field);
    std::replace(field.begin(), field.end(), '_', '-');
    part.set_sent_header(std::move(field));
    return true;
  }
  std::optional<v1::TextTemplate::Part> found = FindVariable(name, /*of_response=*/true);
  if (!found) return false;
  *part.mutable_request() = *std::move(found);
  return true;
}

// What NGINX makes of the words of its configuration.
std::string Unescape(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const char next = text.size() > 1 && text.front() == '\\' ? text[1] : '\0';
    switch (next) {
      case '"':
      case '\'':
      case '\\': out.push_back(next); break;
      case 'n': out.push_back('\n'); break;
      case 'r': out.push_back('\r'); break;
      case 't': out.push_back('\t'); break;
      default:
        out.push_back(text.front());
        text.remove_prefix(1);
        continue;
    }
    text.remove_prefix(2);
  }
  return out;
}

}  // namespace

std::optional<ParsedLogFormat> ParseLogFormat(std::string_view text, LogSubject subject,
                                              LogFormat::Escape escape) {
  ParsedLogFormat out;
  if (escape != LogFormat::DEFAULT) out.format.set_escape(escape);
  std::string literal;
  size_t literals = 0;
  const auto end_literal = [&] {
    literals += literal.size();
    if (!literal.empty()) out.format.add_parts()->set_literal(std::exchange(literal, {}));
  };
  const bool valid = ReadTemplate(
      Unescape(text), [&](char c) { literal.push_back(c); },
      [&](std::string_view name) {
        LogFormat::Part part;
        if (SetVariable(name, subject, part)) {
          end_literal();
          *out.format.add_parts() = std::move(part);
          return;
        }
        if (escape == LogFormat::DEFAULT) literal.push_back('-');
        if (std::find(out.unknown.begin(), out.unknown.end(), name) == out.unknown.end()) {
          out.unknown.emplace_back(name);
        }
      });
  end_literal();
  const int parts = out.format.parts_size();
  if (!valid || parts == 0 || parts > kMaxParts || literals > kMaxText) return std::nullopt;
  return out;
}

}  // namespace headgate::translate
