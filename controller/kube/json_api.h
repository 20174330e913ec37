// One JSON document for another: what is read and written singly, beside the lists and watches of
// the reflectors.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "controller/kube/json.h"
#include "controller/kube/objects.h"
#include "controller/kube/transport.h"

namespace headgate::kube {

// Errors: those of Transport, and of what the API server says NOT_FOUND (404), ABORTED (409:
// another was faster, or the object is there already), PERMISSION_DENIED (403), RESOURCE_EXHAUSTED
// (429) and UNAVAILABLE (anything else).
//
// Thread: one, which blocks; Cancel any.
class JsonApi {
 public:
  explicit JsonApi(std::unique_ptr<Transport> transport) : transport_(std::move(transport)) {}

  absl::StatusOr<Json> Read(const std::string& target);
  // The object as it is then. Strings of `document` may hold anything.
  absl::StatusOr<Json> Write(WriteMethod method, const std::string& target, const Json& document);
  // Makes the present and every later call fail at once.
  void Cancel() { transport_->Cancel(); }

 private:
  const std::unique_ptr<Transport> transport_;
};

// The target of one object, or with an empty name of the collection. REQUIRES: namespace and name
// have the form of names, for they become part of a path.
//   PathOf("/api/v1", {"shop", "web"}, "services") == "/api/v1/namespaces/shop/services/web"
std::string PathOf(std::string_view api, const ObjectKey& key, std::string_view resource);

// meta/v1 MicroTime and Time.
std::string FormatMicroTime(absl::Time time);
std::string FormatSeconds(absl::Time time);

}  // namespace headgate::kube
