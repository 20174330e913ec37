#include "controller/kube/watch_decoder.h"

#include <cstdint>

#include "common/strings.h"

namespace headgate::kube {
namespace {

absl::Status Bad(std::string_view problem) { return absl::DataLossError(ToAbsl(problem)); }

// meta/v1 Status.
WatchError DecodeStatus(const FieldNode& status) {
  const int64_t code = status.Get("code").Int(0, 999, 0);
  const std::string_view reason = status.Get("reason").View();
  WatchError error;
  error.expired = code == 410 || reason == "Expired" || reason == "Gone";
  error.message = StrCat(code, " ", reason, ": ", status.Get("message").View());
  return error;
}

}  // namespace

absl::Status WatchDecoder::Feed(std::string_view bytes, std::vector<WatchEvent>* events) {
  while (true) {
    const size_t newline = bytes.find('\n');
    if (newline == std::string_view::npos) break;
    std::string_view line = bytes.substr(0, newline);
    bytes.remove_prefix(newline + 1);
    if (!partial_.empty()) {
      partial_.append(line);
      line = partial_;
    }
    const absl::Status status = DecodeLine(line, events);
    if (type_.kind == Kind::kSecret) WipeMemory(partial_.data(), partial_.size());
    partial_.clear();
    if (!status.ok()) return status;
  }
  partial_.append(bytes);
  if (partial_.size() > kMaxLineBytes) return Bad("watch: a line is too long");
  return absl::OkStatus();
}

absl::Status WatchDecoder::DecodeLine(std::string_view line, std::vector<WatchEvent>* events) {
  if (line.find_first_not_of(" \t\r") == std::string_view::npos) return absl::OkStatus();
  absl::StatusOr<Json> event = ParseJson(line);
  if (!event.ok()) return Bad(StrCat("watch: ", event.status().message()));
  FieldErrors errors;
  const FieldNode root(*event, errors);
  const std::string type = root.Get("type").String();
  const FieldNode object = root.Get("object");
  if (!object.present()) object.Fail("is required");
  if (type == "ERROR" && errors.ok()) {
    events->push_back(DecodeStatus(object));
    return absl::OkStatus();
  }
  if (type == "BOOKMARK") {
    const FieldNode meta = object.Get("metadata");
    const FieldNode version = meta.Get("resourceVersion");
    version.Require();
    if (errors.ok()) events->push_back(WatchBookmark{version.String()});
    return errors.ok() ? absl::OkStatus() : Bad(StrCat("watch: ", errors.first()));
  }
  if (!errors.ok()) return Bad(StrCat("watch: ", errors.first()));
  if (type != "ADDED" && type != "MODIFIED" && type != "DELETED") {
    return Bad(StrCat("watch: type: unknown event \"", type, "\""));
  }

  Decoded decoded = DecodeObject(type_, (*event)["object"]);
  auto* malformed = std::get_if<MalformedObject>(&decoded);
  if (malformed != nullptr && malformed->key.name.empty()) {
    return Bad(StrCat("watch: ", malformed->error));
  }
  if (type == "DELETED") {
    if (malformed != nullptr) {
      events->push_back(WatchDeletion{malformed->key, malformed->resource_version});
    } else {
      const ObjectMeta& meta = MetaOf(std::get<Object>(decoded));
      events->push_back(WatchDeletion{meta.key, meta.resource_version});
    }
  } else if (malformed != nullptr) {
    events->push_back(std::move(*malformed));
  } else {
    events->push_back(std::move(std::get<Object>(decoded)));
  }
  return absl::OkStatus();
}

}  // namespace headgate::kube
