#include "controller/admission/review.h"

#include <utility>

#include "absl/status/statusor.h"
#include "controller/kube/decode.h"
#include "controller/kube/json.h"
#include "controller/kube/resource_type.h"

namespace headgate::admission {
namespace {

using kube::FieldNode;
using kube::Json;

constexpr char kVersion[] = "admission.k8s.io/v1";
// The API server cuts and drops beyond limits of its own; so all of ours are seen.
constexpr size_t kMaxWarnings = 16;
constexpr size_t kMaxWarning = 240;
constexpr size_t kMaxReason = 2000;

Answer Bad(std::string why) { return {.status = 400, .body = std::move(why) + "\n"}; }

Answer Reply(const std::string& uid, const Verdict& verdict) {
  Json response = {{"uid", uid}, {"allowed", verdict.allowed}};
  if (!verdict.allowed) {
    response["status"] = {
        {"code", 400}, {"reason", "BadRequest"}, {"message", verdict.reason.substr(0, kMaxReason)}};
  }
  for (size_t i = 0; i < verdict.warnings.size() && i < kMaxWarnings; ++i) {
    response["warnings"].push_back(verdict.warnings[i].substr(0, kMaxWarning));
  }
  const Json document = {
      {"apiVersion", kVersion}, {"kind", "AdmissionReview"}, {"response", std::move(response)}};
  return {.status = 200, .body = document.dump(-1, ' ', false, Json::error_handler_t::replace)};
}

}  // namespace

Answer Review(std::string_view body, const Judgement& judge) {
  absl::StatusOr<Json> document = kube::ParseJson(body);
  if (!document.ok()) return Bad(std::string(document.status().message()));
  kube::FieldErrors errors;
  const FieldNode root(*document, errors);
  const FieldNode request = root.Get("request");
  const FieldNode resource = request.Get("resource");
  const std::string uid = request.Get("uid").String();
  const std::string operation = request.Get("operation").String();
  const bool is_review =
      root.Get("apiVersion").View() == kVersion && root.Get("kind").View() == "AdmissionReview";
  const bool is_ingress = resource.Get("group").View() == "networking.k8s.io" &&
                          resource.Get("version").View() == "v1" &&
                          resource.Get("resource").View() == "ingresses";
  if (!errors.ok()) return Bad(errors.first());
  if (!is_review) return Bad("this is no AdmissionReview of admission.k8s.io/v1");
  if (uid.empty()) return Bad("request.uid is required");
  if (!is_ingress) return Bad("only Ingresses of networking.k8s.io/v1 are reviewed");
  if (operation != "CREATE" && operation != "UPDATE") return Reply(uid, {});

  const auto asked = document->find("request");  // an object, as we have read from it
  const auto object = asked->find("object");
  if (object == asked->end() || !object->is_object()) return Bad("request.object is required");
  kube::Decoded decoded = kube::DecodeObject(kube::ResourceTypeOf(kube::Kind::kIngress), *object);
  if (auto* malformed = std::get_if<kube::MalformedObject>(&decoded)) {
    return Reply(uid, {.allowed = false, .reason = std::move(malformed->error), .warnings = {}});
  }
  return Reply(uid, judge(std::get<kube::Ingress>(std::get<kube::Object>(std::move(decoded)))));
}

}  // namespace headgate::admission
