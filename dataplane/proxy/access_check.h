#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "dataplane/http/header_map.h"
#include "dataplane/policy/access.h"
#include "dataplane/proxy/auth_request.h"
#include "dataplane/proxy/limit_table.h"
#include "dataplane/proxy/password_desk.h"
#include "dataplane/proxy/response_pace.h"

namespace headgate::proxy {

// What an exchange remembers of what its route's policy asked for. Lives until the exchange is
// over; few have one.
struct AccessCheck {
  ConnectionPermit permit;
  policy::Conditions conditions{policy::Satisfy::kAll};  // as far as they have been asked
  PasswordDesk::Ticket password;                         // while the verdict is waited for
  std::unique_ptr<AuthRequest> request;                  // null: nobody was asked
  http::HeaderMap
      answer;  // fields of what the one who was asked said; views into the exchange's arena
  std::string cache_key;               // under which that is kept; empty: it is not
  bool told_to_sign_in = false;        // that was 401
  std::unique_ptr<ResponsePace> pace;  // null: the response goes as fast as the client takes it
  std::string_view challenge;          // of us, for WWW-Authenticate; empty: none
};

}  // namespace headgate::proxy
