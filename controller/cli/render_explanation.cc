#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_join.h"
#include "common/strings.h"
#include "controller/cli/explanation.h"
#include "controller/kube/json.h"

namespace headgate::cli {
namespace {

using kube::Json;

// A column, unless that would push everything else out of sight.
constexpr size_t kMaxColumn = 48;

void Row(std::string_view name, std::string_view value, std::string& out) {
  if (value.empty()) return;
  StrAppend(&out, name, std::string(name.size() < 11 ? 11 - name.size() : 1, ' '), value, "\n");
}

std::string Padded(std::string text, size_t width) {
  if (text.size() < width) text.append(width - text.size(), ' ');
  return text;
}

void AddSettings(const std::vector<ExplainedSetting>& settings, bool traced, std::string& out) {
  if (settings.empty()) return;
  size_t name_width = 0, value_width = 0;
  for (const ExplainedSetting& setting : settings) {
    name_width = std::max(name_width, setting.name.size());
    value_width = std::max(value_width, std::min(setting.value.size(), kMaxColumn));
  }
  StrAppend(&out, "\nSettings\n");
  for (const ExplainedSetting& setting : settings) {
    StrAppend(&out, "  ", Padded(setting.name, name_width), "  ");
    if (traced) {
      const std::string origin = setting.origins.empty() ? "from the rules, or the default"
                                                         : absl::StrJoin(setting.origins, "; ");
      StrAppend(&out, Padded(setting.value, value_width), "  ", origin, "\n");
    } else {
      StrAppend(&out, setting.value, "\n");
    }
  }
}

void AddList(std::string_view title, const std::vector<std::string>& lines, std::string& out) {
  if (lines.empty()) return;
  StrAppend(&out, "\n", title, "\n");
  for (const std::string& line : lines) StrAppend(&out, "  ", line, "\n");
}

std::string EndpointText(const ExplainedEndpoint& endpoint) {
  std::string text = endpoint.address;
  if (!endpoint.target.empty()) StrAppend(&text, " (", endpoint.target, ")");
  if (endpoint.draining) StrAppend(&text, ", terminating: only while no other is ready");
  if (!endpoint.unhealthy.empty()) StrAppend(&text, ", unhealthy: ", endpoint.unhealthy);
  return text;
}

}  // namespace

std::string RenderExplanation(const Explanation& e) {
  std::string out = StrCat(e.request, "\n\n");
  Row("Answer", e.answer, out);
  Row("Host", e.host == "_" ? "every host that has no rules of its own" : e.host, out);
  Row("Path", e.match, out);
  std::string where = e.field.empty() ? "" : StrCat(", ", e.field);
  if (e.traced && where.empty())
    where = ", whose rules do not name the path: it is the oldest of the host";
  Row("Ingress", e.ingress.empty() ? "" : StrCat(e.ingress, where), out);
  Row("Service", e.service.empty() ? "" : StrCat(e.service, ", port ", e.port), out);
  Row("Canary", e.canary, out);
  Row("Data plane", e.data_plane, out);
  for (size_t i = 0; i < e.endpoints.size(); ++i)
    Row(i == 0 ? "Endpoints" : "", EndpointText(e.endpoints[i]), out);
  AddSettings(e.settings, e.traced, out);
  AddList("Without these somebody else would have the request", e.decisive, out);
  std::vector<std::string> passed;
  for (const ExplainedCandidate& candidate : e.passed_over) {
    passed.push_back(
        StrCat(candidate.match, " of Ingress ", candidate.ingress, ": ", candidate.why));
  }
  AddList("Passed over", passed, out);
  AddList("Said of the Ingresses of this host", e.findings, out);
  return out;
}

std::string RenderExplanationJson(const Explanation& e) {
  Json out = {{"request", e.request},     {"answer", e.answer},   {"host", e.host},
              {"match", e.match},         {"ingress", e.ingress}, {"field", e.field},
              {"service", e.service},     {"port", e.port},       {"canary", e.canary},
              {"dataPlane", e.data_plane}};
  Json& endpoints = out["endpoints"] = Json::array();
  for (const ExplainedEndpoint& endpoint : e.endpoints) {
    endpoints.push_back({{"address", endpoint.address},
                         {"target", endpoint.target},
                         {"draining", endpoint.draining},
                         {"unhealthy", endpoint.unhealthy}});
  }
  Json& settings = out["settings"] = Json::array();
  for (const ExplainedSetting& setting : e.settings) {
    settings.push_back(
        {{"name", setting.name}, {"value", setting.value}, {"origins", setting.origins}});
  }
  out["decisive"] = e.decisive;
  Json& passed = out["passedOver"] = Json::array();
  for (const ExplainedCandidate& candidate : e.passed_over) {
    passed.push_back(
        {{"match", candidate.match}, {"ingress", candidate.ingress}, {"why", candidate.why}});
  }
  out["findings"] = e.findings;
  return StrCat(out.dump(2, ' ', false, Json::error_handler_t::replace), "\n");
}

}  // namespace headgate::cli
