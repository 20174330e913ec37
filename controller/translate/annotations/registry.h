// All annotation families, and the one function that reads them.
#pragma once

#include <string_view>
#include <vector>

#include "controller/kube/objects.h"
#include "controller/translate/annotations/rules.h"
#include "controller/translate/annotations/settings.h"
#include "controller/translate/diagnostic.h"

namespace headgate::translate {

struct AnnotationResult {
  IngressSettings settings;
  // This form of the Ingress must not be used; see AnnotationReader::Refuse.
  bool refused = false;
};

// Reads every annotation under our prefixes; the others are not ours to judge. Unknown ones become
// diagnostics. One that the rules do not allow refuses the Ingress.
AnnotationResult ReadAnnotations(const kube::Ingress& ingress, const AnnotationRules& rules,
                                 std::vector<Diagnostic>& diagnostics);

// Whether an annotation of ingress-nginx, named without its prefix, does something here; false for
// those that are only refused, denied or reported.
bool TakesEffect(std::string_view name);

// All that some family reads, but for names that ingress-nginx has given up; as AnnotationReader
// takes them.
std::vector<std::string_view> KnownAnnotations();

}  // namespace headgate::translate
