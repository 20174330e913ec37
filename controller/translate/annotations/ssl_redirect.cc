#include "controller/translate/annotations/ssl_redirect.h"

namespace headgate::translate {

void ReadSslRedirect(AnnotationReader& reader, IngressSettings& settings) {
  settings.ssl_redirect = reader.Bool("ssl-redirect");
  settings.force_ssl_redirect = reader.Bool("force-ssl-redirect");
  settings.preserve_trailing_slash = reader.Bool("preserve-trailing-slash");
}

}  // namespace headgate::translate
