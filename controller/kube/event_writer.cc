#include "controller/kube/event_writer.h"

#include <utility>

#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "common/hash.h"
#include "common/strings.h"
#include "controller/kube/resource_type.h"

namespace headgate::kube {
namespace {

constexpr size_t kMaxMessage = 1024;  // the API server refuses longer ones
constexpr size_t kMaxNamePart = 200;  // of 253, with room for the rest of the name
constexpr char kApi[] = "/api/v1";
constexpr char kResource[] = "events";
constexpr char kComponent[] = "headgate-controller";

// The same for the same object, reason and message.
ObjectKey NameOf(const Event& event, const std::string& uid) {
  const uint64_t hash =
      ContentHash(StrCat(KindName(event.kind), "\n", uid, "\n", event.warning ? "!" : "", "\n",
                         event.reason, "\n", event.message));
  return {event.object.ns,
          absl::StrFormat("%s.%016x", event.object.name.substr(0, kMaxNamePart), hash)};
}

}  // namespace

absl::StatusOr<std::string> EventWriter::UidOf(Kind kind, const ObjectKey& object) {
  // A list, because to list is what the controller may do anyway.
  const absl::StatusOr<Json> document =
      api_.Read(StrCat(CollectionPath(ResourceTypeOf(kind), object.ns),
                       "?fieldSelector=metadata.name%3D", object.name));
  if (!document.ok()) return document.status();
  FieldErrors errors;
  const FieldNode list(*document, errors);
  const FieldNode items = list.Get("items");
  if (items.size() == 0) return absl::NotFoundError("there is no such object");
  const FieldNode item = items.At(0);
  const FieldNode meta = item.Get("metadata");
  return meta.Get("uid").String();
}

absl::Status EventWriter::Write(const Event& event) {
  std::string uid = event.uid;
  if (uid.empty()) {
    absl::StatusOr<std::string> found = UidOf(event.kind, event.object);
    if (!found.ok()) return found.status();
    uid = *std::move(found);
  }
  const ObjectKey name = NameOf(event, uid);
  if (known_.contains(name)) {
    const absl::Status counted = Count(name);
    if (!absl::IsNotFound(counted)) return counted;
    known_.erase(name);  // Events last an hour
  }
  const absl::Status created = Create(name, event, uid);
  if (!absl::IsAborted(created)) return created;
  Know(name, 0);  // by a controller before us
  return Count(name);
}

absl::Status EventWriter::Create(const ObjectKey& name, const Event& event,
                                 const std::string& uid) {
  const ResourceType& type = ResourceTypeOf(event.kind);
  const std::string time = FormatSeconds(clock_.WallNow());
  const Json body = {
      {"apiVersion", "v1"},
      {"kind", "Event"},
      {"metadata", {{"name", name.name}, {"namespace", name.ns}}},
      {"involvedObject",
       {{"apiVersion", std::string(type.api_version)},
        {"kind", std::string(type.api_kind)},
        {"namespace", event.object.ns},
        {"name", event.object.name},
        {"uid", uid}}},
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
  const absl::Status written =
      api_.Write(WriteMethod::kPost, PathOf(kApi, {name.ns, ""}, kResource), body).status();
  if (written.ok()) Know(name, 1);
  return written;
}

absl::Status EventWriter::Count(const ObjectKey& name) {
  int64_t& count = known_[name];
  Json patch = {{"lastTimestamp", FormatSeconds(clock_.WallNow())}};
  if (count > 0) patch["count"] = count + 1;
  const absl::StatusOr<Json> written =
      api_.Write(WriteMethod::kPatch, PathOf(kApi, name, kResource), patch);
  if (!written.ok()) return written.status();
  FieldErrors errors;
  const FieldNode event(*written, errors);
  count = event.Get("count").Int(0, INT32_MAX, 0);
  return absl::OkStatus();
}

void EventWriter::Know(const ObjectKey& name, int64_t count) {
  if (known_.size() >= kMaxKnown) known_.clear();
  known_[name] = count;
}

}  // namespace headgate::kube
