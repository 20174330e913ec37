#include "controller/translate/config_map/redirect_options.h"

#include <cstdint>

namespace headgate::translate {

void ReadRedirectOptions(OptionReader& reader, GlobalSettings& global) {
  IngressDefaults& ingress = global.ingress;
  ingress.ssl_redirect = reader.Bool("ssl-redirect").value_or(ingress.ssl_redirect);
  ingress.force_ssl_redirect =
      reader.Bool("force-ssl-redirect").value_or(ingress.force_ssl_redirect);
  ingress.preserve_trailing_slash =
      reader.Bool("preserve-trailing-slash").value_or(ingress.preserve_trailing_slash);
  if (reader.Bool("relative-redirects").value_or(false))
    global.settings.set_relative_redirects(true);
  if (reader.Bool("use-port-in-redirects").value_or(false)) {
    global.settings.set_port_in_https_redirects(true);
  }
  if (const auto code = reader.Int("http-redirect-code", 301, 308)) {
    if (*code == 301 || *code == 302 || *code == 307 || *code == 308) {
      ingress.redirect_code = static_cast<uint16_t>(*code);
    } else {
      reader.Ignore("http-redirect-code", "301, 302, 307 or 308");
    }
  }
  if (reader.Text("no-tls-redirect-locations")) {
    ingress.no_tls_redirect.clear();
    for (const std::string_view prefix : reader.List("no-tls-redirect-locations")) {
      ingress.no_tls_redirect.emplace_back(prefix);
    }
  }
}

}  // namespace headgate::translate
