#include "controller/cli/report.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "common/strings.h"

namespace headgate::cli {
namespace {

using translate::Diagnostic;
using translate::Reason;
using translate::Severity;

// Reasons that lie in the objects themselves, whoever serves them.
bool HoldsTodayAsWell(Reason reason) {
  switch (reason) {
    case Reason::kPathConflict:
    case Reason::kCanaryUnused:
    case Reason::kDefaultBackendUnused:
    case Reason::kServiceNotFound:
    case Reason::kServicePortNotFound:
    case Reason::kSecretNotFound:
    case Reason::kInvalidCertificate:
    case Reason::kCertificateHostMismatch:
    case Reason::kCertificateExpired:
    case Reason::kCertificateExpiresSoon:
    case Reason::kConfigMapNotFound: return true;
    default: return false;
  }
}

Verdict VerdictOf(const Diagnostic& diagnostic) {
  if (diagnostic.severity == Severity::kInfo) return Verdict::kWorks;
  if (HoldsTodayAsWell(diagnostic.reason)) return Verdict::kProblem;
  return diagnostic.severity == Severity::kError ? Verdict::kRefused : Verdict::kDiffers;
}

std::string_view AdviceFor(Reason reason) {
  switch (reason) {
    case Reason::kPathConflict: return "remove the path from one of the two Ingresses";
    case Reason::kPathCharacters: return "give the path the type ImplementationSpecific";
    case Reason::kCanaryUnused:
      return "give the canary a host, path and path type that its main Ingress has";
    case Reason::kDefaultBackendUnused:
      return "keep spec.defaultBackend in one Ingress of the host";
    case Reason::kServiceNotFound: return "create the Service or correct its name";
    case Reason::kServicePortNotFound: return "use a port that the Service has";
    case Reason::kSecretNotFound: return "create the Secret or correct its name";
    case Reason::kInvalidCertificate:
    case Reason::kCertificateExpired:
    case Reason::kCertificateExpiresSoon: return "renew the certificate in the Secret";
    case Reason::kCertificateHostMismatch: return "use a certificate that names the host";
    case Reason::kUnknownAnnotation:
      return "remove it if nothing depends on it; see docs/annotations.md";
    case Reason::kInvalidAnnotation: return "correct the value, or remove the annotation";
    case Reason::kUnknownOption:
      return "remove the option if nothing depends on it; see docs/options.md";
    case Reason::kInvalidOption: return "correct the value, or remove the option";
    case Reason::kConfigMapNotFound: return "create the ConfigMap or correct its name";
    default: return {};
  }
}

// Whether what the diagnostic speaks of could not be there, since no object of its kind was given.
bool AboutWhatWasNotGiven(const Diagnostic& diagnostic, const Inputs& inputs) {
  const auto none = [&](kube::Kind kind) { return inputs.count[static_cast<size_t>(kind)] == 0; };
  switch (diagnostic.reason) {
    case Reason::kServiceNotFound:
    case Reason::kServicePortNotFound: return none(kube::Kind::kService);
    case Reason::kSecretNotFound:
    case Reason::kInvalidClientCa: return none(kube::Kind::kSecret);
    case Reason::kConfigMapNotFound: return none(kube::Kind::kConfigMap);
    default: return false;
  }
}

std::vector<std::string> HostsOf(const kube::Ingress& ingress) {
  std::set<std::string> hosts;
  for (const kube::IngressRule& rule : ingress.rules)
    hosts.insert(rule.host.empty() ? "*" : rule.host);
  if (hosts.empty()) hosts.insert("*");
  return {hosts.begin(), hosts.end()};
}

Finding MakeFinding(const Diagnostic& diagnostic) {
  const Verdict verdict = VerdictOf(diagnostic);
  return {verdict, diagnostic.field, std::string(translate::ReasonName(diagnostic.reason)),
          diagnostic.message,
          verdict == Verdict::kWorks ? "" : std::string(AdviceFor(diagnostic.reason))};
}

void AddNotes(const Inputs& inputs, const std::set<kube::Kind>& not_given, Report& report) {
  for (const kube::Kind kind : not_given) {
    report.notes.push_back(
        StrCat("no ", kube::KindName(kind), " was given: references to them are not checked"));
  }
  std::set<std::string> classes;
  for (const auto& [key, name] : inputs.classes) classes.insert(name);
  if (classes.size() > 1) {
    report.notes.push_back(
        StrCat("Ingresses of ", classes.size(),
               " classes are looked at as one; --ingress-class takes one of them"));
  }
}

}  // namespace

std::string_view VerdictName(Verdict verdict) {
  constexpr std::array<std::string_view, kVerdictCount> kNames = {"works", "problem", "differs",
                                                                  "refused"};
  return kNames[static_cast<size_t>(verdict)];
}

Report MakeReport(const Inputs& inputs, const translate::Translation& translation) {
  std::map<std::pair<kube::Kind, kube::ObjectKey>, ObjectReport> objects;
  const auto about = [&](kube::Kind kind, const kube::ObjectKey& key) -> ObjectReport& {
    ObjectReport& object = objects[{kind, key}];
    object.kind = kind;
    object.key = key;
    return object;
  };
  for (const kube::ObjectKey& key : inputs.state.IngressKeys()) {
    ObjectReport& object = about(kube::Kind::kIngress, key);
    object.hosts = HostsOf(*inputs.state.FindIngress(key));
    if (const auto found = inputs.classes.find(key); found != inputs.classes.end()) {
      object.class_name = found->second;
    }
  }
  Report report;
  std::set<kube::Kind> not_given;
  for (const Diagnostic& diagnostic : translation.diagnostics) {
    if (AboutWhatWasNotGiven(diagnostic, inputs)) {
      not_given.insert(diagnostic.reason == Reason::kConfigMapNotFound ? kube::Kind::kConfigMap
                       : diagnostic.reason == Reason::kServiceNotFound ||
                               diagnostic.reason == Reason::kServicePortNotFound
                           ? kube::Kind::kService
                           : kube::Kind::kSecret);
      continue;
    }
    ObjectReport& object = about(diagnostic.kind, diagnostic.object);
    object.findings.push_back(MakeFinding(diagnostic));
    object.verdict = std::max(object.verdict, object.findings.back().verdict);
  }
  for (auto& [identity, object] : objects) {
    report.worst = std::max(report.worst, object.verdict);
    // The worst first.
    std::stable_sort(object.findings.begin(), object.findings.end(),
                     [](const Finding& a, const Finding& b) { return a.verdict > b.verdict; });
    if (object.kind == kube::Kind::kIngress) ++report.counts[static_cast<size_t>(object.verdict)];
    (object.kind == kube::Kind::kIngress ? report.ingresses : report.others)
        .push_back(std::move(object));
  }
  for (const kube::ManifestProblem& problem : inputs.problems)
    report.unreadable.push_back(problem.ToString());
  if (!report.unreadable.empty()) report.worst = Verdict::kRefused;
  AddNotes(inputs, not_given, report);
  return report;
}

}  // namespace headgate::cli
