#include "controller/kube/event_writer.h"

#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "common/strings.h"
#include "controller/kube/json.h"

namespace headgate::kube {
namespace {

constexpr size_t kMaxMessage = 1024;  // the API server refuses longer ones
constexpr char kComponent[] = "headgate-controller";

}  // namespace

absl::StatusOr<std::string> EventWriter::UidOf(const ObjectKey& service) {
  // A list, because to list is what the controller may do anyway.
  const absl::StatusOr<Json> document =
      api_.Read(StrCat(PathOf("/api/v1", {service.ns, ""}, "services"),
                       "?fieldSelector=metadata.name%3D", service.name));
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
  const std::string time = FormatSeconds(now);
  const Json body = {
      {"apiVersion", "v1"},
      {"kind", "Event"},
      {"metadata",
       {{"name",
         absl::StrFormat("%s.%x%x", event.service.name, absl::ToUnixNanos(now), ++written_)},
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
  return api_.Write(WriteMethod::kPost, PathOf("/api/v1", {event.service.ns, ""}, "events"), body)
      .status();
}

}  // namespace headgate::kube
