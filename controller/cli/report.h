// What translation says of each Ingress, in the words of somebody who comes from ingress-nginx.
// Pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "controller/cli/inputs.h"
#include "controller/translate/diagnostic.h"
#include "controller/translate/translation.h"

namespace headgate::cli {

// From good to bad; an object is as bad as its worst finding.
enum class Verdict : uint8_t {
  kWorks = 0,  // as it does now
  kProblem,    // something is amiss today as well: a Secret that is missing, a path that an older
               // Ingress has
  kDiffers,    // is served, but not in everything as now
  kRefused,    // is not served, or answers 503
};
inline constexpr size_t kVerdictCount = 4;

// "works", "problem", "differs", "refused".
std::string_view VerdictName(Verdict verdict);

struct Finding {
  Verdict verdict = Verdict::kWorks;  // kWorks: a note
  std::string field;                  // path of the field, or full name of the annotation
  std::string reason;                 // translate::ReasonName
  std::string message;
  std::string advice;  // what to do; may be empty
};

struct ObjectReport {
  kube::Kind kind = kube::Kind::kIngress;
  kube::ObjectKey key;
  std::string class_name;          // of Ingresses; empty: none
  std::vector<std::string> hosts;  // of Ingresses, each once; "*" for every host
  Verdict verdict = Verdict::kWorks;
  std::vector<Finding> findings;
};

struct Report {
  std::vector<ObjectReport> ingresses;  // all of them, by namespace and name
  std::vector<ObjectReport> others;     // objects of other kinds of which there is something to say
  std::vector<std::string> unreadable;  // files and documents that could not be read
  std::vector<std::string> notes;       // about the report as a whole

  std::array<size_t, kVerdictCount> counts{};  // of Ingresses
  // Of everything; what could not be read counts as refused.
  Verdict worst = Verdict::kWorks;
};

// References to kinds of which no object was given are not judged, and a note says so: output of
// `kubectl get ingress` has no Services.
Report MakeReport(const Inputs& inputs, const translate::Translation& translation);

}  // namespace headgate::cli
