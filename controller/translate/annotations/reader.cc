#include "controller/translate/annotations/reader.h"

#include "common/strings.h"
#include "controller/translate/annotations/values.h"

namespace headgate::translate {
namespace {

bool IsOwn(std::string_view name) { return name.starts_with(kHeadgatePrefix); }

}  // namespace

const std::string* AnnotationReader::Find(std::string_view name) const {
  if (IsOwn(name)) return meta_.FindAnnotation(name);
  if (kind_ != kube::Kind::kIngress) return nullptr;
  for (const auto& [key, value] : meta_.annotations) {
    const std::string_view full = key;
    const std::string_view prefix = rules_.prefix;
    if (full.size() == prefix.size() + name.size() && full.starts_with(prefix) &&
        full.ends_with(name)) {
      return &value;
    }
  }
  return nullptr;
}

std::optional<bool> AnnotationReader::Bool(std::string_view name) {
  const std::string* value = Find(name);
  if (value == nullptr) return std::nullopt;
  const std::optional<bool> parsed = ParseBool(*value);
  if (!parsed) Ignore(name, "true or false");
  return parsed;
}

std::optional<kube::ObjectKey> AnnotationReader::ConfigMap(std::string_view name) {
  const std::string* value = Find(name);
  const std::string_view text = value == nullptr ? std::string_view() : Trim(*value);
  if (text.empty()) return std::nullopt;
  const auto key = text.find('/') == std::string_view::npos
                       ? kube::ObjectKey{ns(), std::string(text)}
                       : ParseReference(text);
  if (!key) {
    Deny(name, StrCat(QuoteValue(*value), " is no ConfigMap, accepted: NAME or NAMESPACE/NAME"));
  } else if (key->ns != ns()) {
    Deny(name, StrCat("ConfigMap ", key->ToString(), " is in another namespace"));
  } else {
    return key;
  }
  return std::nullopt;
}

void AnnotationReader::Ignore(std::string_view name, std::string_view accepted) {
  const std::string* value = Find(name);
  Add(name, Severity::kWarning,
      StrCat(QuoteValue(value != nullptr ? *value : ""),
             " is not valid, the default is used; accepted: ", accepted));
}

void AnnotationReader::Warn(std::string_view name, std::string message) {
  Add(name, Severity::kWarning, std::move(message));
}

void AnnotationReader::Note(std::string_view name, std::string message) {
  Add(name, Severity::kInfo, std::move(message));
}

void AnnotationReader::Deny(std::string_view name, std::string_view why) {
  denied_ = true;
  Add(name, Severity::kError, StrCat(why, "; every request to this Ingress is answered 503"));
}

void AnnotationReader::Refuse(std::string_view name, std::string_view why) {
  refused_ = true;
  Add(name, Severity::kError, StrCat(why, "; this version of the Ingress is refused"));
}

void AnnotationReader::RefuseValue(std::string_view name, std::string_view accepted) {
  const std::string* value = Find(name);
  Refuse(name,
         StrCat(QuoteValue(value != nullptr ? *value : ""), " is not valid, accepted: ", accepted));
}

const AnnotationRules& AnnotationReader::ServiceRules() {
  static const AnnotationRules kRules;
  return kRules;
}

void AnnotationReader::Add(std::string_view name, Severity severity, std::string message) {
  diagnostics_.push_back({kind_, meta_.key,
                          IsOwn(name) ? std::string(name) : StrCat(rules_.prefix, name),
                          Reason::kInvalidAnnotation, severity, std::move(message)});
}

}  // namespace headgate::translate
