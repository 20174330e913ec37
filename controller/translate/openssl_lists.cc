#include "controller/translate/openssl_lists.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <memory>
#include <string>

namespace headgate::translate {
namespace {

template <typename Set>
bool Takes(Set set, std::string_view text) {
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> probe(SSL_CTX_new(TLS_server_method()),
                                                                SSL_CTX_free);
  const bool taken = probe != nullptr && set(probe.get(), std::string(text).c_str()) == 1;
  ERR_clear_error();
  return taken;
}

}  // namespace

bool IsCipherList(std::string_view text) { return Takes(SSL_CTX_set_cipher_list, text); }

bool IsGroupList(std::string_view text) {
  // SSL_CTX_set1_groups_list is a macro that casts const away; so, in the open:
  const auto set = [](SSL_CTX* probe, const char* list) {
    return SSL_CTX_ctrl(probe, SSL_CTRL_SET_GROUPS_LIST, 0, const_cast<char*>(list));
  };
  return Takes(set, text);
}

}  // namespace headgate::translate
