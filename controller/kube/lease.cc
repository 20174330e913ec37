#include "controller/kube/lease.h"

#include <utility>

#include "common/strings.h"

namespace headgate::kube {
namespace {

constexpr char kApi[] = "/apis/coordination.k8s.io/v1";
constexpr char kResource[] = "leases";

absl::StatusOr<Lease> Decode(absl::StatusOr<Json> document) {
  if (!document.ok()) return document.status();
  Lease lease;
  lease.document = *std::move(document);
  FieldErrors errors;
  const FieldNode root(lease.document, errors);
  const FieldNode spec = root.Get("spec");
  lease.record.holder = spec.Get("holderIdentity").String();
  lease.record.duration = absl::Seconds(spec.Get("leaseDurationSeconds").Int(0, INT32_MAX, 0));
  lease.record.acquired = spec.Get("acquireTime").String();
  lease.record.renewed = spec.Get("renewTime").String();
  lease.record.transitions = spec.Get("leaseTransitions").Int(0, INT32_MAX, 0);
  if (!errors.ok()) return absl::InvalidArgumentError(StrCat("Lease ", errors.first()));
  return lease;
}

void Encode(const LeaseRecord& record, Json& document) {
  Json& spec = document["spec"];
  if (!spec.is_object()) spec = Json::object();
  spec["holderIdentity"] = record.holder;
  spec["leaseDurationSeconds"] = absl::ToInt64Seconds(record.duration);
  spec["acquireTime"] = record.acquired;
  spec["renewTime"] = record.renewed;
  spec["leaseTransitions"] = record.transitions;
}

}  // namespace

absl::StatusOr<Lease> LeaseClient::Read() {
  return Decode(api_.Read(PathOf(kApi, key_, kResource)));
}

absl::StatusOr<Lease> LeaseClient::Create(const LeaseRecord& record) {
  Json document = {{"apiVersion", "coordination.k8s.io/v1"},
                   {"kind", "Lease"},
                   {"metadata", {{"namespace", key_.ns}, {"name", key_.name}}}};
  Encode(record, document);
  return Decode(api_.Write(WriteMethod::kPost, PathOf(kApi, {key_.ns, ""}, kResource), document));
}

absl::StatusOr<Lease> LeaseClient::Update(const Lease& lease, const LeaseRecord& record) {
  Json document = lease.document;  // with its resourceVersion
  Encode(record, document);
  return Decode(api_.Write(WriteMethod::kPut, PathOf(kApi, key_, kResource), document));
}

}  // namespace headgate::kube
