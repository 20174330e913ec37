#include "controller/translate/annotations/message_headers.h"

#include <algorithm>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_join.h"
#include "common/strings.h"
#include "controller/translate/annotations/values.h"
#include "controller/translate/header_names.h"
#include "controller/translate/text_template.h"

namespace headgate::translate {
namespace {

// As ingress-nginx takes them: of host names and their regular expressions, and of variables.
bool IsServerName(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
           std::string_view("-._~/:, ^$[](){}*+?|&=\\").find(c) != std::string_view::npos;
  });
}

void ReadHost(AnnotationReader& reader, HeaderSettings& headers) {
  constexpr std::string_view kName = "upstream-vhost";
  const std::string* value = reader.Find(kName);
  const std::string_view text = value == nullptr ? std::string_view() : Trim(*value);
  if (text.empty()) return;
  const auto parsed = IsServerName(text) ? ParseTemplate(text) : std::nullopt;
  if (!parsed) return reader.RefuseValue(kName, "a host name, perhaps with variables as $host");
  if (!parsed->unknown.empty()) {
    reader.Warn(kName, StrCat("without a value here, and taken as empty: $",
                              absl::StrJoin(parsed->unknown, ", $")));
  }
  headers.upstream_host = parsed->text.SerializeAsString();
}

void ReadConnection(AnnotationReader& reader, HeaderSettings& headers) {
  constexpr std::string_view kName = "connection-proxy-header";
  const std::string* value = reader.Find(kName);
  const std::string_view text = value == nullptr ? std::string_view() : Trim(*value);
  if (text.empty()) return;
  if (text == "close") {
    headers.connection = ConnectionHeader::kClose;
  } else if (text == "keep-alive") {
    headers.connection = ConnectionHeader::kKeepAlive;
  } else {
    return reader.RefuseValue(kName, "close or keep-alive");
  }
  reader.Note(kName, "upgrades (WebSocket) are not passed on");
}

void ReadHidden(AnnotationReader& reader, HeaderSettings& headers) {
  constexpr std::string_view kName = "headgate.dev/hide-headers";
  const std::string* value = reader.Find(kName);
  if (value == nullptr) return;
  for (const std::string_view name : SplitList(*value)) {
    if (MayBeEdited(name)) {
      headers.hidden.emplace_back(name);
    } else {
      reader.Warn(kName, StrCat(QuoteValue(name), " is left out: ", kEditableHeaders));
    }
  }
}

}  // namespace

void ReadMessageHeaders(AnnotationReader& reader, IngressSettings& settings) {
  ReadHost(reader, settings.headers);
  ReadConnection(reader, settings.headers);
  ReadHidden(reader, settings.headers);
  settings.headers.custom_headers = reader.ConfigMap("custom-headers").value_or(kube::ObjectKey());
  settings.headers.access_log = reader.Bool("enable-access-log").value_or(true);
  settings.headers.rewrite_log = reader.Bool("enable-rewrite-log").value_or(false);
  if (const std::string* push = reader.Find("http2-push-preload")) {
    if (!ParseBool(*push)) return reader.RefuseValue("http2-push-preload", "true or false");
    reader.Note("http2-push-preload", "without effect: browsers take no pushed responses any more");
  }
}

}  // namespace headgate::translate
