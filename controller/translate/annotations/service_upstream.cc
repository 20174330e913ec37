#include "controller/translate/annotations/service_upstream.h"

namespace headgate::translate {

void ReadServiceUpstream(AnnotationReader& reader, UpstreamSettings& settings) {
  settings.service_address = reader.Bool("service-upstream");
}

}  // namespace headgate::translate
