// ssl-protocols, ssl-ciphers, ssl-ecdh-curve, ssl-dh-param: how TLS is spoken with clients.
// ssl-session-cache, ssl-session-tickets, ssl-session-timeout, ssl-session-ticket-key: whether, how
// long and with which key sessions can be resumed. ssl-reject-handshake: no handshake for names
// that nobody has configured.
#pragma once

#include <array>
#include <string_view>

#include "controller/translate/config_map/reader.h"
#include "controller/translate/config_map/settings.h"

namespace headgate::translate {

inline constexpr std::array<std::string_view, 9> kTlsOptions = {
    "ssl-protocols",       "ssl-ciphers",         "ssl-ecdh-curve",      "ssl-dh-param",
    "ssl-session-cache",   "ssl-session-tickets", "ssl-session-timeout", "ssl-session-ticket-key",
    "ssl-reject-handshake"};

void ReadTlsOptions(OptionReader& reader, GlobalSettings& global);

}  // namespace headgate::translate
