#include "controller/translate/annotations/upstream_protocol.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_split.h"
#include "common/strings.h"
#include "controller/translate/annotations/values.h"
#include "controller/translate/openssl_lists.h"

namespace headgate::translate {
namespace {

constexpr int64_t kMaxVerifyDepth = 100;
constexpr size_t kMaxServerName = 255;

std::optional<bool> ParseSwitch(std::string_view text) {
  if (text == "on") return true;
  if (text == "off") return false;
  return std::nullopt;
}

bool IsServerName(std::string_view text) {
  return !text.empty() && text.size() <= kMaxServerName &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' ||
                  c == '.' || c == ':';
         });
}

void ReadProtocol(AnnotationReader& reader, BackendProtocol& out) {
  constexpr std::string_view kName = "backend-protocol";
  const std::string* value = reader.Find(kName);
  if (reader.Bool("secure-backends").value_or(false)) {
    reader.Note("secure-backends", "backend-protocol: HTTPS says the same");
    if (value == nullptr) out = BackendProtocol::kHttps;
  }
  if (value == nullptr) return;
  const std::string text = absl::AsciiStrToUpper(*value);
  if (text == "HTTP") {
    out = BackendProtocol::kHttp;
  } else if (text == "HTTPS") {
    out = BackendProtocol::kHttps;
  } else if (text == "AUTO_HTTP") {
    out = BackendProtocol::kAutoHttp;
  } else if (text == "GRPC") {
    out = BackendProtocol::kGrpc;
  } else if (text == "GRPCS") {
    out = BackendProtocol::kGrpcs;
  } else if (text == "FCGI") {
    reader.Deny(kName, "FastCGI is not spoken here");
  } else {
    reader.Ignore(kName, "HTTP, HTTPS, AUTO_HTTP, GRPC or GRPCS");
  }
}

void ReadVerification(AnnotationReader& reader, UpstreamTls& out) {
  if (const std::string* value = reader.Find("proxy-ssl-verify")) {
    const std::optional<bool> verify = ParseSwitch(*value);
    if (!verify) reader.Deny("proxy-ssl-verify", "neither \"on\" nor \"off\"");
    out.verify = verify.value_or(true);
  }
  if (const std::string* value = reader.Find("proxy-ssl-verify-depth")) {
    const std::optional<int64_t> depth = ParseInt(*value);
    if (depth && *depth >= 0 && *depth <= kMaxVerifyDepth) {
      out.verify_depth = static_cast<uint32_t>(*depth);
    } else {
      reader.Ignore("proxy-ssl-verify-depth", "a whole number from 0 to 100");
    }
  }
  if (const std::string* value = reader.Find("proxy-ssl-name")) {
    if (IsServerName(*value)) {
      out.name = *value;
    } else {
      reader.Deny("proxy-ssl-name", "neither a DNS name nor an address");
    }
  }
}

void ReadProtocols(AnnotationReader& reader, UpstreamTls& out) {
  const std::string* value = reader.Find("proxy-ssl-protocols");
  if (value == nullptr) return;
  bool has_12 = false;
  bool has_13 = false;
  for (absl::string_view name : absl::StrSplit(*value, ' ', absl::SkipEmpty())) {
    has_12 = has_12 || name == "TLSv1.2";
    has_13 = has_13 || name == "TLSv1.3";
  }
  if (!has_12 && !has_13) return reader.Ignore("proxy-ssl-protocols", "TLSv1.2, TLSv1.3 or both");
  out.min_minor = has_12 ? 2 : 3;
  out.max_minor = has_13 ? 3 : 2;
}

void ReadSecret(AnnotationReader& reader, UpstreamTls& out) {
  constexpr std::string_view kName = "proxy-ssl-secret";
  const std::string* value = reader.Find(kName);
  if (value == nullptr || Trim(*value).empty()) return;
  std::optional<kube::ObjectKey> secret = ParseReference(Trim(*value));
  if (!secret) {
    reader.Deny(kName, "the value is not NAMESPACE/NAME");
  } else if (secret->ns != reader.ns()) {
    reader.Deny(kName, StrCat("Secret ", secret->ToString(), " is in another namespace"));
  } else {
    out.secret = *std::move(secret);
  }
}

// A bad value denies: the endpoints may trust whoever connects as they trust the header.
void ReadProxyProtocol(AnnotationReader& reader, UpstreamProxyProtocol& out) {
  constexpr std::string_view kName = "headgate.dev/upstream-proxy-protocol";
  const std::string* value = reader.Find(kName);
  if (value == nullptr || *value == "off") return;
  if (*value == "v1") {
    out = UpstreamProxyProtocol::kV1;
  } else if (*value == "v2") {
    out = UpstreamProxyProtocol::kV2;
  } else {
    reader.Deny(kName, QuoteValue(*value) + " is not valid, accepted: off, v1 or v2");
  }
}

void ReadCiphers(AnnotationReader& reader, UpstreamTls& out) {
  constexpr std::string_view kName = "proxy-ssl-ciphers";
  const std::string* value = reader.Find(kName);
  if (value == nullptr || Trim(*value).empty() || Trim(*value) == "DEFAULT") return;
  if (!IsCipherList(Trim(*value))) {
    return reader.Ignore(kName, "a list of TLS 1.2 ciphers as OpenSSL names them");
  }
  out.ciphers = std::string(Trim(*value));
}

}  // namespace

void ReadUpstreamProtocol(AnnotationReader& reader, IngressSettings& settings) {
  ReadProtocol(reader, settings.backend_protocol);
  ReadVerification(reader, settings.upstream_tls);
  ReadProtocols(reader, settings.upstream_tls);
  if (const std::string* value = reader.Find("proxy-ssl-server-name")) {
    const std::optional<bool> send = ParseSwitch(*value);
    if (!send) reader.Ignore("proxy-ssl-server-name", "on or off");
    settings.upstream_tls.send_name = send.value_or(false);
  }
  ReadSecret(reader, settings.upstream_tls);
  ReadCiphers(reader, settings.upstream_tls);
  ReadProxyProtocol(reader, settings.upstream_proxy_protocol);
}

}  // namespace headgate::translate
