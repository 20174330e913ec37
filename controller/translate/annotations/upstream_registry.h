// The families of annotations that say how an upstream is to be treated. Each has names of our own,
// which a Service and an Ingress may carry; where both do the Service's word counts, for the
// upstream is its. Names of ingress-nginx are an Ingress's alone.
#pragma once

#include <string_view>
#include <vector>

#include "controller/kube/objects.h"
#include "controller/translate/annotations/reader.h"
#include "controller/translate/annotations/upstream_settings.h"
#include "controller/translate/diagnostic.h"

namespace headgate::translate {

// Whether some family reads it. Names as AnnotationReader takes them.
bool IsUpstreamAnnotation(std::string_view name);
// All of them.
std::vector<std::string_view> UpstreamAnnotations();

void ReadUpstreamSettings(AnnotationReader& reader, UpstreamSettings& settings);

// Of a Service. Unknown ones under our prefix become diagnostics; all others are not ours to judge.
UpstreamSettings ReadServiceAnnotations(const kube::Service& service,
                                        std::vector<Diagnostic>& diagnostics);

}  // namespace headgate::translate
