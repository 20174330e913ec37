#include "controller/translate/config_map/tls_options.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_split.h"
#include "common/strings.h"
#include "controller/translate/annotations/values.h"
#include "controller/translate/openssl_lists.h"

namespace headgate::translate {
namespace {

void ReadProtocols(OptionReader& reader, v1::TlsPolicy& tls) {
  constexpr std::string_view kAccepted = "TLSv1.2, TLSv1.3, or both; older versions are not spoken";
  const std::optional<std::string_view> text = reader.Text("ssl-protocols");
  if (!text) return;
  bool v12 = false;
  bool v13 = false;
  bool other = false;
  for (const absl::string_view version :
       absl::StrSplit(ToAbsl(*text), absl::ByAnyChar(" \t"), absl::SkipEmpty())) {
    v12 = v12 || version == "TLSv1.2";
    v13 = v13 || version == "TLSv1.3";
    other = other || (version != "TLSv1.2" && version != "TLSv1.3");
  }
  if (other || (!v12 && !v13)) reader.Ignore("ssl-protocols", kAccepted);
  if (!v12 && !v13) return;
  tls.set_min_version(v12 ? v1::TlsPolicy::TLS_1_2 : v1::TlsPolicy::TLS_1_3);
  tls.set_max_version(v13 ? v1::TlsPolicy::TLS_1_3 : v1::TlsPolicy::TLS_1_2);
}

void ReadLists(OptionReader& reader, v1::TlsPolicy& tls) {
  if (const auto ciphers = reader.Text("ssl-ciphers")) {
    if (IsCipherList(*ciphers)) {
      tls.set_ciphers(std::string(*ciphers));
    } else {
      reader.Ignore("ssl-ciphers", "a list of TLS 1.2 ciphers as OpenSSL names them");
    }
  }
  const auto curves = reader.Text("ssl-ecdh-curve");
  if (!curves || *curves == "auto") return;
  if (IsGroupList(*curves)) {
    tls.set_groups(std::string(*curves));
  } else {
    reader.Ignore("ssl-ecdh-curve", "auto, or a list of groups as OpenSSL names them");
  }
}

void ReadSessions(OptionReader& reader, v1::TlsPolicy& tls, SecretBytes& ticket_key) {
  // Tickets are the only way to resume here, so either switch turns it off.
  const bool cache = reader.Bool("ssl-session-cache").value_or(true);
  const bool tickets = reader.Bool("ssl-session-tickets").value_or(true);
  if (!cache || !tickets) tls.set_no_resumption(true);
  if (const auto timeout = reader.Duration("ssl-session-timeout")) {
    // Seven days is the longest that a ticket may be good for (RFC 8446 section 4.6.1).
    if (*timeout > absl::ZeroDuration() && *timeout <= absl::Hours(24 * 7)) {
      tls.mutable_session_timeout()->set_seconds(
          absl::ToInt64Seconds(absl::Ceil(*timeout, absl::Seconds(1))));
    } else {
      reader.Ignore("ssl-session-timeout", "more than 0 and at most 7d");
    }
  }
  if (const auto text = reader.Text("ssl-session-ticket-key")) {
    std::string key;
    const bool decoded = absl::Base64Unescape(ToAbsl(*text), &key);
    if (decoded && (key.size() == 48 || key.size() == 80)) {
      ticket_key = SecretBytes(key);
    } else {
      reader.IgnoreSecret("ssl-session-ticket-key", "base64 of 48 or 80 bytes");
    }
    WipeMemory(key.data(), key.size());
  }
}

}  // namespace

void ReadTlsOptions(OptionReader& reader, GlobalSettings& global) {
  v1::TlsPolicy tls = global.settings.tls();
  ReadProtocols(reader, tls);
  ReadLists(reader, tls);
  ReadSessions(reader, tls, global.ticket_key);
  if (const auto text = reader.Text("ssl-dh-param")) {
    const auto secret = ParseReference(*text);
    if (!secret) reader.Ignore("ssl-dh-param", "the NAMESPACE/NAME of a Secret");
    global.dh_secret = secret.value_or(kube::ObjectKey());
  }
  if (reader.Bool("ssl-reject-handshake").value_or(false)) tls.set_reject_unknown_names(true);
  if (tls.ByteSizeLong() > 0) *global.settings.mutable_tls() = std::move(tls);
}

}  // namespace headgate::translate
