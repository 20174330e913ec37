#include "controller/translate/annotations/mirror.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_join.h"
#include "common/host_pattern.h"
#include "common/strings.h"
#include "controller/translate/annotations/values.h"
#include "controller/translate/text_template.h"

namespace headgate::translate {
namespace {

constexpr std::string_view kTarget = "mirror-target";
constexpr std::string_view kAccepted =
    "an http or https URL of a host by name, as https://mirror.example$request_uri";

bool IsUrlWithVariables(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
           std::string_view("-._~/:,?&=${} ").find(c) != std::string_view::npos;
  });
}

// "HOST" or "HOST:PORT", without variables.
bool ReadAuthority(std::string_view text, MirrorSettings& out) {
  const size_t colon = text.find(':');
  out.port = out.tls ? 443 : 80;
  if (colon != std::string_view::npos) {
    const auto port = ParseInt(text.substr(colon + 1));
    if (!port || *port < 1 || *port > std::numeric_limits<uint16_t>::max()) return false;
    out.port = static_cast<uint16_t>(*port);
  }
  const auto host = HostPattern::Parse(text.substr(0, colon));
  if (!host.ok() || host->text().starts_with('*')) return false;
  out.host = host->text();
  return true;
}

std::optional<MirrorSettings> ReadTarget(AnnotationReader& reader, std::string_view url) {
  constexpr std::string_view kPlain = "http://";
  constexpr std::string_view kTls = "https://";
  MirrorSettings out;
  out.tls = url.starts_with(kTls);
  if (!IsUrlWithVariables(url) || (!out.tls && !url.starts_with(kPlain))) return std::nullopt;
  url.remove_prefix(out.tls ? kTls.size() : kPlain.size());
  const size_t end = std::min(url.find_first_of("/$?"), url.size());
  if (!ReadAuthority(url.substr(0, end), out)) return std::nullopt;
  const auto target = ParseTemplate(url.substr(end));
  if (!target) return std::nullopt;
  if (!target->unknown.empty()) {
    reader.Warn(kTarget, StrCat("without a value here, and taken as empty: $",
                                absl::StrJoin(target->unknown, ", $")));
  }
  out.target = target->text.SerializeAsString();
  return out;
}

}  // namespace

void ReadMirror(AnnotationReader& reader, IngressSettings& settings) {
  bool without_body = false;
  if (const std::string* value = reader.Find("mirror-request-body")) {
    const auto wanted = ParseOnOff(Trim(*value));
    if (!wanted) reader.Ignore("mirror-request-body", "on or off");
    without_body = !wanted.value_or(true);
  }
  std::string host;
  if (const std::string* value = reader.Find("mirror-host");
      value != nullptr && !Trim(*value).empty()) {
    const auto parsed = HostPattern::Parse(Trim(*value));
    if (parsed.ok() && !parsed->text().starts_with('*')) {
      host = parsed->text();
    } else {
      reader.Ignore("mirror-host", "a host name");
    }
  }
  const std::string* value = reader.Find(kTarget);
  if (value == nullptr || Trim(*value).empty()) return;
  auto mirror = ReadTarget(reader, Trim(*value));
  if (!mirror) return reader.Ignore(kTarget, kAccepted);
  mirror->without_body = without_body;
  mirror->host_header = host.empty() ? mirror->host : host;
  settings.headers.mirror = std::move(mirror);
}

}  // namespace headgate::translate
