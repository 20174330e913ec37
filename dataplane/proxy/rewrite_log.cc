#include "dataplane/proxy/rewrite_log.h"

#include <chrono>
#include <string>
#include <utility>

#include "common/log.h"
#include "common/strings.h"

namespace headgate::proxy {
namespace {

std::string Cut(std::string_view text) {
  if (text.size() <= RewriteLog::kMaxText) return std::string(text);
  return StrCat(text.substr(0, RewriteLog::kMaxText), "...");
}

}  // namespace

void RewriteLog::Write(const RewriteDecision& decision, net::TimePoint now) {
  if (now - second_ >= std::chrono::seconds(1)) {
    second_ = now;
    written_ = 0;
  }
  if (written_ >= kLinesPerSecond) {
    ++left_out_;
    return;
  }
  ++written_;
  HEADGATE_LOG(kInfo, "rewrite", decision.what,
               {"ingress", StrCat(decision.ns, "/", decision.ingress)}, {"client", decision.client},
               {"host", Cut(decision.host)}, {"method", Cut(decision.method)},
               {"target", Cut(decision.target)}, {"pattern", Cut(decision.pattern)},
               {"path", Cut(decision.path)}, {"result", Cut(decision.result)},
               {"request_id", Cut(decision.request_id)}, {"left_out", std::exchange(left_out_, 0)});
}

}  // namespace headgate::proxy
