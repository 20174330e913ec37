#include "controller/translate/config_map/client_address_options.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "controller/translate/addresses.h"

namespace headgate::translate {
namespace {

constexpr std::string_view kEveryIpv4Address = "0.0.0.0/0";

bool IsFieldName(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
  });
}

std::vector<std::string> ReadTrusted(OptionReader& reader) {
  std::vector<std::string> trusted;
  for (const std::string_view cidr : reader.List("proxy-real-ip-cidr")) {
    if (!IsCidr(cidr)) {
      // To trust more than was meant is worse than to trust nobody.
      reader.Ignore(
          "proxy-real-ip-cidr",
          "addresses and CIDRs, separated by commas; nobody is trusted until it is valid");
      return {};
    }
    trusted.emplace_back(cidr);
  }
  if (trusted.empty()) trusted.emplace_back(kEveryIpv4Address);
  return trusted;
}

}  // namespace

void ReadClientAddressOptions(OptionReader& reader, GlobalSettings& global) {
  const bool headers = reader.Bool("use-forwarded-headers").value_or(false);
  const bool address = reader.Bool("enable-real-ip").value_or(false);
  const bool full = reader.Bool("compute-full-forwarded-for").value_or(false);
  const bool proxy = reader.Bool("use-proxy-protocol").value_or(false);
  const auto field = reader.Text("forwarded-for-header");
  const auto timeout = reader.Duration("proxy-protocol-header-timeout");
  const std::vector<std::string> trusted = ReadTrusted(reader);
  if (headers || address) {
    v1::ForwardedHeaders& forwarded = *global.settings.mutable_forwarded_headers();
    forwarded.set_trust_incoming(headers);
    forwarded.set_trust_address(address);
    // As in ingress-nginx only where all of X-Forwarded-* counts.
    forwarded.set_append(headers && full);
    for (const std::string& cidr : trusted) forwarded.add_trusted_cidrs(cidr);
    if (field && IsFieldName(*field)) {
      forwarded.set_address_field(std::string(*field));
    } else if (field) {
      reader.Ignore("forwarded-for-header", "the name of a header field");
    }
  }
  v1::ProxyProtocol& protocol = *global.stream.mutable_proxy_protocol();
  protocol.set_required(true);
  for (const std::string& cidr : trusted) protocol.add_trusted_cidrs(cidr);
  if (timeout && *timeout > absl::ZeroDuration() && *timeout <= absl::Hours(1)) {
    const int64_t milliseconds = absl::ToInt64Milliseconds(*timeout);
    protocol.mutable_timeout()->set_seconds(milliseconds / 1000);
    protocol.mutable_timeout()->set_nanos(static_cast<int32_t>(milliseconds % 1000 * 1'000'000));
  } else if (timeout) {
    reader.Ignore("proxy-protocol-header-timeout", "more than 0 and at most 1h");
  }
  if (proxy) *global.settings.mutable_proxy_protocol() = protocol;
}

}  // namespace headgate::translate
