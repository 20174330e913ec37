#include "controller/translate/annotations/reader.h"

#include "common/strings.h"

namespace headgate::translate {
namespace {

// Values are quoted in messages; a long one only at its beginning.
std::string Quote(std::string_view value) {
  constexpr size_t kMost = 80;
  if (value.size() <= kMost) return StrCat("\"", value, "\"");
  return StrCat("\"", value.substr(0, kMost), "...\"");
}

}  // namespace

const std::string* AnnotationReader::Find(std::string_view name) const {
  for (const auto& [key, value] : ingress_.meta.annotations) {
    const std::string_view full = key;
    if (full.size() == kNginxPrefix.size() + name.size() && full.starts_with(kNginxPrefix) &&
        full.ends_with(name)) {
      return &value;
    }
  }
  return nullptr;
}

void AnnotationReader::Ignore(std::string_view name, std::string_view accepted) {
  const std::string* value = Find(name);
  Add(name, Severity::kWarning,
      StrCat(Quote(value != nullptr ? *value : ""),
             " is not valid, the default is used; accepted: ", accepted));
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
         StrCat(Quote(value != nullptr ? *value : ""), " is not valid, accepted: ", accepted));
}

void AnnotationReader::Add(std::string_view name, Severity severity, std::string message) {
  diagnostics_.push_back({kube::Kind::kIngress, ingress_.meta.key, StrCat(kNginxPrefix, name),
                          Reason::kInvalidAnnotation, severity, std::move(message)});
}

}  // namespace headgate::translate
