#include "controller/translate/annotations/auth_tls.h"

#include <algorithm>
#include <cstdint>
#include <string>

#include "common/regex.h"
#include "common/strings.h"
#include "controller/translate/annotations/values.h"

namespace headgate::translate {
namespace {

ClientVerification ReadMode(AnnotationReader& reader) {
  constexpr std::string_view kName = "auth-tls-verify-client";
  const std::string* value = reader.Find(kName);
  if (value == nullptr) return ClientVerification::kRequired;
  const std::string_view text = Trim(*value);
  if (text == "off") return ClientVerification::kOff;
  if (text == "optional") return ClientVerification::kOptional;
  if (text == "optional_no_ca") return ClientVerification::kOptionalNoCa;
  if (text != "on" && !text.empty()) reader.Ignore(kName, "on, off, optional or optional_no_ca");
  return ClientVerification::kRequired;
}

uint32_t ReadDepth(AnnotationReader& reader) {
  constexpr std::string_view kName = "auth-tls-verify-depth";
  constexpr int64_t kMost = 100;
  const std::string* value = reader.Find(kName);
  if (value == nullptr) return 1;
  const std::optional<int64_t> depth = ParseInt(Trim(*value));
  if (!depth || *depth < 0 || *depth > kMost) {
    reader.Ignore(kName, "a whole number from 0 to 100");
    return 1;
  }
  return std::max<uint32_t>(1, static_cast<uint32_t>(*depth));
}

std::string ReadErrorPage(AnnotationReader& reader) {
  constexpr std::string_view kName = "auth-tls-error-page";
  const std::string* value = reader.Find(kName);
  if (value == nullptr || Trim(*value).empty()) return {};
  const std::string_view text = Trim(*value);
  if (!IsUrlText(text.front() == '@' ? text.substr(1) : text)) {
    reader.RefuseValue(kName, "a URL");
  } else if (text.starts_with("http://") || text.starts_with("https://")) {
    return std::string(text);
  } else if (text.front() == '/' && text.find("/..") == std::string_view::npos &&
             text.find(' ') == std::string_view::npos) {
    return std::string(text);
  } else if (text.front() == '@') {
    reader.Ignore(kName,
                  "an absolute URL or path; there are no named locations here, so the page for 400 "
                  "is the answer");
  } else {
    reader.RefuseValue(kName, "an absolute URL or path");
  }
  return {};
}

std::string ReadSubject(AnnotationReader& reader) {
  constexpr std::string_view kName = "auth-tls-match-cn";
  const std::string* value = reader.Find(kName);
  if (value == nullptr || Trim(*value).empty()) return {};
  const std::string_view text = Trim(*value);
  std::string error;
  const bool good =
      text.starts_with("CN=") &&
      Regex::Compile(text, Regex::Anchor::kNone, Regex::Case::kSensitive, &error) != nullptr;
  if (!good) reader.RefuseValue(kName, "CN= and a regular expression");
  return good ? std::string(text) : std::string();
}

bool ReadPass(AnnotationReader& reader) {
  constexpr std::string_view kName = "auth-tls-pass-certificate-to-upstream";
  const std::string* value = reader.Find(kName);
  if (value == nullptr) return false;
  const std::optional<bool> parsed = ParseBool(Trim(*value));
  if (!parsed) reader.RefuseValue(kName, "true or false");
  return parsed.value_or(false);
}

}  // namespace

void ReadAuthTls(AnnotationReader& reader, IngressSettings& settings) {
  const std::string* secret = reader.Find("auth-tls-secret");
  if (secret == nullptr || Trim(*secret).empty()) {
    if (!ReadSubject(reader).empty()) {
      reader.Deny("auth-tls-match-cn", "there is no auth-tls-secret to verify a subject with");
    }
    return;
  }
  ClientCertificates asked;
  asked.secret = ParseReference(Trim(*secret)).value_or(kube::ObjectKey());
  asked.verification = ReadMode(reader);
  asked.verify_depth = ReadDepth(reader);
  asked.error_page = ReadErrorPage(reader);
  asked.match_subject = ReadSubject(reader);
  asked.pass_certificate = ReadPass(reader);
  settings.client_certificates = std::move(asked);
}

}  // namespace headgate::translate
