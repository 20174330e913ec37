#include "controller/admission/judge.h"

#include <utility>

#include "common/strings.h"
#include "controller/translate/translate.h"

namespace headgate::admission {
namespace {

using translate::Diagnostic;
using translate::Reason;
using translate::Severity;

bool Refuses(const Diagnostic& diagnostic) {
  switch (diagnostic.reason) {
    case Reason::kPathConflict:
    case Reason::kPathCharacters: return true;
    case Reason::kUndecodable:
    case Reason::kInvalidHost:
    case Reason::kInvalidPath:
    case Reason::kInvalidBackend:
    case Reason::kInvalidAnnotation: return diagnostic.severity == Severity::kError;
    default: return false;  // of other objects, which may come or change
  }
}

}  // namespace

Verdict Judge(kube::Ingress candidate, const state::ClusterState& state, const HostIndex& hosts,
              const translate::Translator& translator, absl::Time now) {
  // The youngest, which gives way to those that are there.
  if (candidate.meta.creation_time == 0) candidate.meta.creation_time = absl::ToUnixSeconds(now);
  const kube::ObjectKey key = candidate.meta.key;
  translate::LastGood last_good;  // of the candidate none: a form that cannot be used is to show
  std::vector<kube::Ingress> ingresses;
  for (const kube::ObjectKey& neighbour : hosts.Neighbours(candidate)) {
    if (const kube::Ingress* ingress = state.FindIngress(neighbour)) ingresses.push_back(*ingress);
    if (auto form = translator.last_good().FindIngress(neighbour)) {
      last_good.ingresses[neighbour] = std::move(form);
    }
  }
  ingresses.push_back(std::move(candidate));
  const state::ClusterState trial(state, std::move(ingresses));
  Verdict verdict;
  if (trial.FindIngress(key) == nullptr) return verdict;
  const translate::Translation translation =
      translate::Translate(trial, last_good, translator.options(), now);
  for (const Diagnostic& diagnostic : translation.diagnostics) {
    if (diagnostic.kind != kube::Kind::kIngress || diagnostic.object != key) continue;
    const bool refuses = Refuses(diagnostic);
    if (!refuses && diagnostic.severity == Severity::kInfo) continue;
    std::string line = StrCat(diagnostic.field, ": ", diagnostic.message);
    if (!refuses) {
      verdict.warnings.push_back(std::move(line));
      continue;
    }
    verdict.allowed = false;
    StrAppend(&verdict.reason, verdict.reason.empty() ? "" : "; ", line);
  }
  return verdict;
}

}  // namespace headgate::admission
