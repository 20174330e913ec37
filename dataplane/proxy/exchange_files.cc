// Requests that are answered from files: an attempt like any other, at an upstream within.
#include <utility>

#include "dataplane/proxy/exchange.h"

namespace headgate::proxy {

void Exchange::ServeFiles(const config::StaticAction& action) {
  using Kind = files::Located::Kind;
  base::Arena& arena = downstream_->arena();
  record_.upstream_name = action.files.empty() ? action.root : action.files;
  files::Located located =
      services_.files().Locate(*request_, action, *config_->files, path_.match, arena);
  switch (located.kind) {
    case Kind::kFound: break;
    case Kind::kAbsent: return Reply(404);
    case Kind::kUnavailable: return Reply(503);
    case Kind::kDirectory:
      // With the host: a path that begins with two slashes would lead to another one.
      return Reply(308, arena.Join(client_.scheme, "://", client_.host, path_.forward, "/",
                                   request_->target.substr(request_->path().size())));
  }
  Advance(Event::kForward);
  attempt_started_ = services_.loop().event_now();
  observe::AttemptRecord& attempt = record_.attempt_storage[record_.attempt_count++];
  attempt = {};
  attempt.address = "-";
  upstream_ = services_.files().Open(*this, arena, action, std::move(located));
  upstream_->SendHead(*request_, request_body_.complete());
}

}  // namespace headgate::proxy
