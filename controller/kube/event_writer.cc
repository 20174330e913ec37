#include "controller/kube/event_writer.h"

#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "common/strings.h"
#include "controller/kube/json.h"

namespace headgate::kube {
namespace {

constexpr absl::Duration kIdleLimit = absl::Seconds(15);
constexpr size_t kMaxAnswer = 4 << 20;
constexpr size_t kMaxMessage = 1024;  // the API server refuses longer ones
constexpr char kComponent[] = "headgate-controller";

absl::Status FromAnswer(const HttpResult& answer, std::string_view what) {
  if (answer.status >= 200 && answer.status < 300) return absl::OkStatus();
  const std::string text = StrCat(what, ": status ", answer.status, " ", answer.error_body);
  return answer.status == 403 ? absl::PermissionDeniedError(text) : absl::UnavailableError(text);
}

}  // namespace

absl::StatusOr<std::string> EventWriter::UidOf(const ObjectKey& service) {
  std::string body;
  // A list, because to list is what the controller may do anyway.
  const absl::StatusOr<HttpResult> answer = transport_->Get(
      StrCat("/api/v1/namespaces/", service.ns, "/services?fieldSelector=metadata.name%3D", service.name), kIdleLimit,
      [&](std::string_view bytes) {
        body.append(bytes);
        return body.size() <= kMaxAnswer;
      });
  if (!answer.ok()) return answer.status();
  if (absl::Status status = FromAnswer(*answer, "cannot read the Service"); !status.ok()) return status;
  const absl::StatusOr<Json> document = ParseJson(body);
  if (!document.ok()) return document.status();
  FieldErrors errors;
  const FieldNode list(*document, errors);
  const FieldNode items = list.Get("items");
  if (items.size() == 0) return absl::NotFoundError("there is no such Service");
  const FieldNode item = items.At(0);
  const FieldNode meta = item.Get("metadata");
  return meta.Get("uid").String();
}

absl::Status EventWriter::Write(const ServiceEvent& event) {
  const absl::StatusOr<std::string> uid = UidOf(event.service);
  if (!uid.ok()) return uid.status();
  const absl::Time now = clock_.WallNow();
  const std::string time = absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", now, absl::UTCTimeZone());
  const Json body = {
      {"apiVersion", "v1"},
      {"kind", "Event"},
      {"metadata",
       {{"name", absl::StrFormat("%s.%x%x", event.service.name, absl::ToUnixNanos(now), ++written_)},
        {"namespace", event.service.ns}}},
      {"involvedObject",
       {{"apiVersion", "v1"},
        {"kind", "Service"},
        {"namespace", event.service.ns},
        {"name", event.service.name},
        {"uid", *uid}}},
      {"reason", event.reason},
      {"message", event.message.substr(0, kMaxMessage)},
      {"type", event.warning ? "Warning" : "Normal"},
      {"source", {{"component", kComponent}}},
      {"reportingComponent", kComponent},
      {"reportingInstance", ""},
      {"firstTimestamp", time},
      {"lastTimestamp", time},
      {"count", 1},
  };
  const absl::StatusOr<HttpResult> answer =
      transport_->Post(StrCat("/api/v1/namespaces/", event.service.ns, "/events"),
                       body.dump(-1, ' ', false, Json::error_handler_t::replace), kIdleLimit);
  if (!answer.ok()) return answer.status();
  return FromAnswer(*answer, "cannot write the Event");
}

}  // namespace headgate::kube
