#include "controller/translate/header_config_maps.h"

#include <algorithm>
#include <map>
#include <string_view>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_join.h"
#include "common/strings.h"
#include "controller/translate/annotations/reader.h"
#include "controller/translate/annotations/values.h"
#include "controller/translate/header_names.h"
#include "controller/translate/text_template.h"

namespace headgate::translate {
namespace {

using kube::Kind;
using kube::ObjectKey;

bool IsCustomName(std::string_view name) {
  return MayBeEdited(name) && std::all_of(name.begin(), name.end(), [](char c) {
           return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_';
         });
}

// Of auth-proxy-set-headers; without a name if there is none.
ObjectKey AuthHeadersOf(const IngressModel& model) {
  const auto& external = model.settings.access.external;
  return external ? external->request_headers : ObjectKey();
}

// The ConfigMap; null, and `headers` say so, if there is none.
template <typename Headers>
const kube::ConfigMap* FindFor(Headers& headers, const ObjectKey& key,
                               const ConfigMapLookup& config_map_of) {
  const kube::ConfigMap* config_map = config_map_of(key);
  if (config_map == nullptr) {
    headers.problem = StrCat("ConfigMap ", key.ToString(), " does not exist");
    headers.missing = true;
  }
  return config_map;
}

// The edits of one ConfigMap, in the order of names.
class EditReader {
 public:
  EditReader(const kube::ConfigMap& from, std::vector<Diagnostic>& diagnostics)
      : from_(from), diagnostics_(diagnostics) {}

  // `visit(name, template)` for each entry that can be used; no parts in the template: an empty
  // value.
  template <typename Visit>
  void ForEach(bool of_request, Visit&& visit) {
    std::map<std::string_view, std::string_view> sorted(from_.data.begin(), from_.data.end());
    for (const auto& [name, value] : sorted) {
      const bool host = of_request && absl::EqualsIgnoreCase(ToAbsl(name), "host");
      if (!host && !MayBeEdited(name)) {
        Complain(name, StrCat("is left out; accepted: ", kEditableHeaders));
        continue;
      }
      const auto parsed =
          IsPrintable(Trim(value)) ? ParseTemplate(Trim(value), !of_request) : std::nullopt;
      if (!parsed) {
        Complain(name, "is left out; accepted: printable text, perhaps with variables as $host");
        continue;
      }
      if (!parsed->unknown.empty()) {
        Complain(name, StrCat("without a value here, and taken as empty: $",
                              absl::StrJoin(parsed->unknown, ", $")));
      }
      visit(name, parsed->text, host);
    }
  }

 private:
  void Complain(std::string_view name, std::string message) {
    diagnostics_.push_back({Kind::kConfigMap, from_.meta.key, StrCat("data.", name),
                            Reason::kInvalidOption, Severity::kWarning, std::move(message)});
  }

  const kube::ConfigMap& from_;
  std::vector<Diagnostic>& diagnostics_;
};

}  // namespace

std::vector<ObjectKey> HeaderConfigMapsOf(const IngressModel& model) {
  std::vector<ObjectKey> keys;
  if (!model.settings.headers.custom_headers.name.empty())
    keys.push_back(model.settings.headers.custom_headers);
  const ObjectKey auth = AuthHeadersOf(model);
  if (!auth.name.empty() && (keys.empty() || keys.front() != auth)) keys.push_back(auth);
  return keys;
}

CustomHeaders ReadCustomHeaders(const IngressModel& model, const IngressDefaults& defaults,
                                const ConfigMapLookup& config_map_of) {
  CustomHeaders out;
  const ObjectKey& key = model.settings.headers.custom_headers;
  if (key.name.empty()) return out;
  const kube::ConfigMap* config_map = FindFor(out, key, config_map_of);
  if (config_map == nullptr) return out;
  for (const auto& [name, value] : config_map->data) {
    const auto& allowed = defaults.response_headers;
    if (!IsCustomName(name)) {
      out.problem = StrCat(QuoteValue(name), " of ConfigMap ", key.ToString(),
                           " is no header that can be set");
    } else if (!std::binary_search(allowed.begin(), allowed.end(), name)) {
      out.problem = StrCat(QuoteValue(name), " of ConfigMap ", key.ToString(),
                           " is not among global-allowed-response-headers");
    } else if (!IsPrintable(value)) {
      out.problem = StrCat("the value of ", QuoteValue(name), " of ConfigMap ", key.ToString(),
                           " is not printable ASCII");
    }
    if (!out.problem.empty()) return out;
    out.fields.emplace_back(name, value);
  }
  std::sort(out.fields.begin(), out.fields.end());
  return out;
}

AuthHeaders ReadAuthHeaders(const IngressModel& model, const ConfigMapLookup& config_map_of) {
  AuthHeaders out;
  const ObjectKey key = AuthHeadersOf(model);
  if (key.name.empty()) return out;
  const kube::ConfigMap* config_map = FindFor(out, key, config_map_of);
  if (config_map == nullptr) return out;
  for (const auto& [name, value] : std::map<std::string_view, std::string_view>(
           config_map->data.begin(), config_map->data.end())) {
    const auto parsed = IsPrintable(Trim(value)) ? ParseTemplate(Trim(value)) : std::nullopt;
    if (!MayBeEdited(name)) {
      out.problem =
          StrCat(QuoteValue(name), " of ConfigMap ", key.ToString(), " is not ", kEditableHeaders);
    } else if (!parsed) {
      out.problem = StrCat("the value of ", QuoteValue(name), " of ConfigMap ", key.ToString(),
                           " is not printable text, perhaps with variables as $host");
    }
    if (!out.problem.empty()) return out;
    out.unknown.insert(out.unknown.end(), parsed->unknown.begin(), parsed->unknown.end());
    v1::HeaderEdit& edit = out.edits.emplace_back();
    edit.set_name(std::string(name));
    if (!parsed->text.parts().empty()) *edit.mutable_value() = parsed->text;
  }
  return out;
}

std::vector<Diagnostic> CheckHeaders(const IngressModel& model, const IngressDefaults& defaults,
                                     const ConfigMapLookup& config_map_of,
                                     const std::function<bool(const ObjectKey&)>& is_known) {
  constexpr std::string_view kCustom = "custom-headers";
  constexpr std::string_view kAuth = "auth-proxy-set-headers";
  std::vector<Diagnostic> diagnostics;
  const auto add = [&](std::string_view name, Reason reason, Severity severity,
                       std::string message) {
    diagnostics.push_back({Kind::kIngress, model.key(), model.AnnotationName(name), reason,
                           severity, std::move(message)});
  };
  const auto closed = [&](std::string_view name, const ObjectKey& key, const auto& headers) {
    if (headers.problem.empty() || !is_known(key)) return;
    add(name, headers.missing ? Reason::kConfigMapNotFound : Reason::kInvalidAnnotation,
        Severity::kError,
        StrCat(headers.problem, "; every request to this Ingress is answered 503"));
  };
  closed(kCustom, model.settings.headers.custom_headers,
         ReadCustomHeaders(model, defaults, config_map_of));
  const AuthHeaders auth = ReadAuthHeaders(model, config_map_of);
  closed(kAuth, AuthHeadersOf(model), auth);
  if (!auth.unknown.empty()) {
    add(kAuth, Reason::kInvalidAnnotation, Severity::kWarning,
        StrCat("without a value here, and taken as empty: $", absl::StrJoin(auth.unknown, ", $")));
  }
  return diagnostics;
}

std::vector<ObjectKey> HeaderConfigMapsOf(const state::ClusterState& state,
                                          const Options& options) {
  std::vector<ObjectKey> keys;
  for (const ObjectKey& key : state.IngressKeys()) {
    for (const std::string_view annotation : {"custom-headers", "auth-proxy-set-headers"}) {
      const std::string* value = state.FindIngress(key)->meta.FindAnnotation(
          StrCat(options.annotation_prefix, annotation));
      if (value == nullptr) continue;
      const std::string_view name = Trim(*value);
      keys.push_back(ParseReference(name).value_or(ObjectKey{key.ns, std::string(name)}));
    }
  }
  const kube::ConfigMap* config_map =
      options.config_map ? state.FindConfigMap(*options.config_map) : nullptr;
  if (config_map == nullptr) return keys;
  for (const auto& [name, value] : config_map->data) {
    if (name != "proxy-set-headers" && name != "add-headers") continue;
    if (auto key = ParseReference(Trim(value))) keys.push_back(*std::move(key));
  }
  return keys;
}

void AddConfigMapHeaders(const HeaderConfigMaps& names, const ConfigMapLookup& config_map_of,
                         v1::Settings& settings, std::vector<Diagnostic>& diagnostics) {
  if (const kube::ConfigMap* request =
          names.request.name.empty() ? nullptr : config_map_of(names.request)) {
    EditReader(*request, diagnostics)
        .ForEach(true, [&](std::string_view name, const v1::TextTemplate& value, bool host) {
          v1::RequestHeaders& out = *settings.mutable_request_headers();
          if (host) {
            *out.mutable_host() = value;
            return;
          }
          v1::HeaderEdit& edit = *out.add_edits();
          edit.set_name(std::string(name));
          if (!value.parts().empty()) *edit.mutable_value() = value;
        });
  }
  if (const kube::ConfigMap* response =
          names.response.name.empty() ? nullptr : config_map_of(names.response)) {
    EditReader(*response, diagnostics)
        .ForEach(false, [&](std::string_view name, const v1::TextTemplate& value, bool) {
          v1::HeaderEdit& edit = *settings.mutable_response_headers()->add_edits();
          edit.set_name(std::string(name));
          if (!value.parts().empty()) *edit.mutable_value() = value;
        });
  }
}

std::vector<Diagnostic> CheckConfigMapHeaders(const HeaderConfigMaps& names,
                                              const state::ClusterState& state,
                                              const Options& options) {
  std::vector<Diagnostic> diagnostics;
  const auto check = [&](const ObjectKey& key, const char* field) {
    if (key.name.empty() || !options.config_map || !state.KnowsMissingConfigMap(key)) return;
    diagnostics.push_back(
        {Kind::kConfigMap, *options.config_map, field, Reason::kConfigMapNotFound,
         Severity::kWarning,
         StrCat("ConfigMap ", key.ToString(), " does not exist; it sets no field")});
  };
  check(names.request, "data.proxy-set-headers");
  check(names.response, "data.add-headers");
  return diagnostics;
}

}  // namespace headgate::translate
