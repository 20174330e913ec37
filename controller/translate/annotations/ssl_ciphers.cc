#include "controller/translate/annotations/ssl_ciphers.h"

#include <string>

#include "controller/translate/annotations/values.h"
#include "controller/translate/openssl_lists.h"

namespace headgate::translate {

void ReadSslCiphers(AnnotationReader& reader, IngressSettings& settings) {
  const std::string* value = reader.Find("ssl-ciphers");
  if (value != nullptr && !Trim(*value).empty()) {
    const std::string_view ciphers = Trim(*value);
    if (IsCipherList(ciphers)) {
      settings.ssl_ciphers = std::string(ciphers);
    } else {
      reader.RefuseValue("ssl-ciphers", "a list of TLS 1.2 ciphers as OpenSSL names them");
    }
  }
  settings.server_chooses_cipher = reader.Bool("ssl-prefer-server-ciphers");
}

}  // namespace headgate::translate
