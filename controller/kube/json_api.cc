#include "controller/kube/json_api.h"

#include "common/strings.h"

namespace headgate::kube {
namespace {

constexpr absl::Duration kIdleLimit = absl::Seconds(15);
constexpr size_t kMaxAnswer = 4 << 20;

absl::Status StatusOf(const HttpResult& result) {
  const std::string text = StrCat("status ", result.status, " ", result.error_body);
  switch (result.status) {
    case 403: return absl::PermissionDeniedError(text);
    case 404: return absl::NotFoundError(text);
    case 409: return absl::AbortedError(text);
    case 429: return absl::ResourceExhaustedError(text);
    default: return absl::UnavailableError(text);
  }
}

// `ask` sends the request, whose answer is to go to the function that it gets.
template <typename Ask>
absl::StatusOr<Json> Answer(Ask ask) {
  std::string body;
  const absl::StatusOr<HttpResult> result = ask([&body](std::string_view bytes) {
    body.append(bytes);
    return body.size() <= kMaxAnswer;
  });
  if (!result.ok()) return result.status();
  if (result->status < 200 || result->status >= 300) return StatusOf(*result);
  return ParseJson(body);
}

}  // namespace

absl::StatusOr<Json> JsonApi::Read(const std::string& target) {
  return Answer([&](const Transport::OnData& on_data) {
    return transport_->Get(target, kIdleLimit, on_data);
  });
}

absl::StatusOr<Json> JsonApi::Write(WriteMethod method, const std::string& target,
                                    const Json& document) {
  const std::string text = document.dump(-1, ' ', false, Json::error_handler_t::replace);
  return Answer([&](const Transport::OnData& on_data) {
    return transport_->Write(method, target, text, kIdleLimit, on_data);
  });
}

std::string PathOf(std::string_view api, const ObjectKey& key, std::string_view resource) {
  std::string path(api);
  if (!key.ns.empty()) StrAppend(&path, "/namespaces/", key.ns);
  StrAppend(&path, "/", resource);
  if (!key.name.empty()) StrAppend(&path, "/", key.name);
  return path;
}

std::string FormatMicroTime(absl::Time time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E6SZ", time, absl::UTCTimeZone());
}

std::string FormatSeconds(absl::Time time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", time, absl::UTCTimeZone());
}

}  // namespace headgate::kube
