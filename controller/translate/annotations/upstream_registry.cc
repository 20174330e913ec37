#include "controller/translate/annotations/upstream_registry.h"

#include <algorithm>
#include <array>
#include <span>

#include "controller/translate/annotations/connections.h"
#include "controller/translate/annotations/hash_by.h"
#include "controller/translate/annotations/health.h"
#include "controller/translate/annotations/limits.h"
#include "controller/translate/annotations/load_balance.h"
#include "controller/translate/annotations/retry_budget.h"
#include "controller/translate/annotations/service_upstream.h"

namespace headgate::translate {
namespace {

struct Family {
  std::span<const std::string_view> names;  // as AnnotationReader takes them
  void (*read)(AnnotationReader& reader, UpstreamSettings& settings);
};

// In the order in which they are read; none depends on another.
const std::array<Family, 7> kFamilies = {{
    {kLoadBalanceNames, ReadLoadBalance},
    {kHashByNames, ReadHashBy},
    {kRetryBudgetNames, ReadRetryBudget},
    {kServiceUpstreamNames, ReadServiceUpstream},
    {kHealthNames, ReadHealth},
    {kLimitNames, ReadLimits},
    {kConnectionNames, ReadConnections},
}};

}  // namespace

bool IsUpstreamAnnotation(std::string_view name) {
  return std::any_of(kFamilies.begin(), kFamilies.end(), [&](const Family& family) {
    return std::find(family.names.begin(), family.names.end(), name) != family.names.end();
  });
}

std::vector<std::string_view> UpstreamAnnotations() {
  std::vector<std::string_view> names;
  for (const Family& family : kFamilies)
    names.insert(names.end(), family.names.begin(), family.names.end());
  return names;
}

void ReadUpstreamSettings(AnnotationReader& reader, UpstreamSettings& settings) {
  for (const Family& family : kFamilies) family.read(reader, settings);
}

UpstreamSettings ReadServiceAnnotations(const kube::Service& service,
                                        std::vector<Diagnostic>& diagnostics) {
  UpstreamSettings settings;
  bool any = false;
  for (const auto& [name, value] : service.meta.annotations) {
    if (!std::string_view(name).starts_with(kHeadgatePrefix)) continue;
    any = true;
    if (IsUpstreamAnnotation(name)) continue;
    diagnostics.push_back({kube::Kind::kService, service.meta.key, name, Reason::kUnknownAnnotation,
                           Severity::kWarning,
                           "this annotation is not known here and has no effect"});
  }
  if (!any) return settings;  // the common case: nothing to read
  AnnotationReader reader(service, diagnostics);
  ReadUpstreamSettings(reader, settings);
  return settings;
}

}  // namespace headgate::translate
