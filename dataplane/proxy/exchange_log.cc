// What the access log is told of an exchange beyond its record, where the operator asks for it.
#include <cstddef>
#include <new>
#include <string_view>
#include <utility>

#include "dataplane/base/arena.h"
#include "dataplane/config/log_rules.h"
#include "dataplane/observe/log_format.h"
#include "dataplane/proxy/exchange.h"
#include "dataplane/proxy/variables.h"

namespace headgate::proxy {
namespace {

std::string_view SentField(const http::ResponseHead& head, std::string_view name,
                           base::Arena& arena) {
  if (head.body.kind == http::BodyLength::Kind::kFixed &&
      http::EqualsIgnoreCase(name, "content-length")) {
    return Decimal(head.body.size, arena);  // the codec writes it
  }
  return head.fields.Get(name);
}

// Empty is not the same as missing.
std::string_view Keep(std::string_view value, base::Arena& arena) {
  return value.empty() && value.data() != nullptr ? "" : arena.Copy(value);
}

}  // namespace

// The answer is response_head_.
void Exchange::SendHead(bool end) {
  if (config_->settings->log_rules != nullptr) TellLog(/*answered=*/true);
  downstream_->SendHead(response_head_, end);
}

// There is nothing more to say to the client.
http::ServerStream& Exchange::LeaveDownstream() {
  const bool told = log_note_ != nullptr || tunnel_;
  if (!told && config_->settings->log_rules != nullptr) TellLog(/*answered=*/false);
  if (log_note_ != nullptr) log_note_->response_head_bytes = downstream_->sent_head_bytes();
  return *std::exchange(downstream_, nullptr);
}

// While all that is wanted is there: fields of an answer are often the memory of who made it.
void Exchange::TellLog(bool answered) {
  const config::RequestLogLine* const line = config_->settings->log_rules->request_line.get();
  if (line == nullptr) return;
  base::Arena& arena = downstream_->arena();
  const bool by_endpoint =
      answered && record_.attempt_count > 0 && record_.attempts().back().status != 0;
  const RequestVariables source = variables(by_endpoint ? &response_head_ : nullptr);
  const size_t count = line->values.size();
  auto* const values =
      reinterpret_cast<std::string_view*>(arena.Allocate(count * sizeof(std::string_view)));
  for (size_t i = 0; i < count; ++i) {
    const config::RequestLogLine::Value& wanted = line->values[i];
    std::string_view value;
    if (!wanted.sent_header) {
      value = source.Value(wanted.request, arena);
    } else if (answered) {
      value = SentField(response_head_, wanted.request.text, arena);
    }
    new (values + i) std::string_view(Keep(value, arena));
  }
  log_note_ = new (arena.Allocate(sizeof(observe::LogNote)))
      observe::LogNote{line->format, {values, count}, 0};
  record_.note = log_note_;
}

}  // namespace headgate::proxy
