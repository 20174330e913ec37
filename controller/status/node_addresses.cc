#include "controller/status/node_addresses.h"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "common/log.h"
#include "common/strings.h"

namespace headgate::status {
namespace {

using kube::Json;

constexpr char kApi[] = "/api/v1";
constexpr int kPage = 100;  // pods in one answer, each of which may be large

bool IsReady(const kube::FieldNode& pod) {
  const kube::FieldNode metadata = pod.Get("metadata");
  const kube::FieldNode status = pod.Get("status");
  if (metadata.Get("deletionTimestamp").present() || status.Get("phase").View() != "Running")
    return false;
  const kube::FieldNode conditions = status.Get("conditions");
  for (size_t i = 0; i < conditions.size(); ++i) {
    const kube::FieldNode condition = conditions.At(i);
    if (condition.Get("type").View() == "Ready") return condition.Get("status").View() == "True";
  }
  return false;
}

// The first address of the type; empty: there is none.
std::string AddressOfType(const kube::FieldNode& addresses, std::string_view type) {
  for (size_t i = 0; i < addresses.size(); ++i) {
    const kube::FieldNode entry = addresses.At(i);
    if (entry.Get("type").View() == type && !entry.Get("address").View().empty())
      return entry.Get("address").String();
  }
  return "";
}

absl::Status Malformed(std::string_view kind, const kube::FieldErrors& errors) {
  return absl::InvalidArgumentError(StrCat(kind, " ", errors.first()));
}

std::string Escaped(std::string_view text) {
  return absl::StrReplaceAll(
      ToAbsl(text),
      {{"=", "%3D"}, {",", "%2C"}, {"/", "%2F"}, {"+", "%2B"}, {"&", "%26"}, {"%", "%25"}});
}

}  // namespace

bool IsLabelSelector(std::string_view text) {
  for (const absl::string_view label : absl::StrSplit(ToAbsl(text), ',')) {
    const std::vector<absl::string_view> parts = absl::StrSplit(label, '=');
    const auto fine = [](absl::string_view part, absl::string_view more) {
      return std::all_of(part.begin(), part.end(), [&](char c) {
        return absl::ascii_isalnum(c) || more.find(c) != absl::string_view::npos;
      });
    };
    if (parts.size() != 2 || parts[0].empty() || !fine(parts[0], "-_./") || !fine(parts[1], "-_."))
      return false;
  }
  return true;
}

NodeAddresses::NodeAddresses(NodeAddressesOptions options,
                             std::unique_ptr<kube::Transport> transport,
                             std::function<bool()> leads, Sink sink, const Clock& clock,
                             MetricsRegistry& metrics)
    : options_(std::move(options)),
      leads_(std::move(leads)),
      sink_(std::move(sink)),
      clock_(clock),
      failures_(
          metrics.AddCounter("headgate_node_address_failures_total",
                             "Attempts to read pods of data planes or their nodes that failed.")),
      api_(std::move(transport)),
      task_(clock, [this] { return TakeTurn(); }) {}

NodeAddresses::~NodeAddresses() { Stop(); }

void NodeAddresses::Start() { task_.Start(); }

void NodeAddresses::Stop() {
  task_.Stop([this] { api_.Cancel(); });
}

absl::Duration NodeAddresses::TakeTurn() {
  if (leads_()) {
    if (const absl::Status looked = Look(); !looked.ok()) {
      failures_.Add();
      HEADGATE_LOG_EVERY(60, kWarn, "status", "the addresses of nodes cannot be read",
                         {"error", looked});
    }
  }
  return options_.interval;
}

absl::Status NodeAddresses::Look() {
  const absl::StatusOr<AddressList> names = NodesWithPods();
  if (!names.ok()) return names.status();
  std::erase_if(nodes_, [&](const auto& node) {
    return !std::binary_search(names->begin(), names->end(), node.first);
  });
  const absl::Duration now = clock_.MonotonicNow();
  AddressList addresses;
  for (const std::string& name : *names) {
    const auto held = nodes_.find(name);
    if (held == nodes_.end() || held->second.address.empty() ||
        now - held->second.read_at >= options_.node_interval) {
      const absl::StatusOr<std::string> address = AddressOf(name);
      if (absl::IsNotFound(address.status())) continue;  // it is going, and its pods with it
      if (!address.ok()) return address.status();
      nodes_[name] = {*address, now};
    }
    addresses.push_back(nodes_[name].address);
  }
  addresses = GivenAddresses(std::move(addresses));
  if (!addresses.empty()) sink_(std::move(addresses));
  return absl::OkStatus();
}

absl::StatusOr<AddressList> NodeAddresses::NodesWithPods() {
  AddressList names;
  const std::string target =
      StrCat(kube::PathOf(kApi, {options_.ns, ""}, "pods"),
             "?labelSelector=", Escaped(options_.selector), "&limit=", kPage);
  std::string next;
  do {
    const absl::StatusOr<Json> page =
        api_.Read(next.empty() ? target : StrCat(target, "&continue=", Escaped(next)));
    if (!page.ok()) return page.status();
    kube::FieldErrors errors;
    const kube::FieldNode list(*page, errors);
    const kube::FieldNode items = list.Get("items");
    for (size_t i = 0; i < items.size(); ++i) {
      const kube::FieldNode pod = items.At(i);
      const kube::FieldNode spec = pod.Get("spec");
      if (IsReady(pod)) names.push_back(spec.Get("nodeName").String());
    }
    const kube::FieldNode metadata = list.Get("metadata");
    next = metadata.Get("continue").String();
    if (!errors.ok()) return Malformed("PodList", errors);
  } while (!next.empty());
  return GivenAddresses(std::move(names));
}

absl::StatusOr<std::string> NodeAddresses::AddressOf(const std::string& node) {
  const absl::StatusOr<Json> document = api_.Read(kube::PathOf(kApi, {"", node}, "nodes"));
  if (!document.ok()) return document.status();
  kube::FieldErrors errors;
  const kube::FieldNode root(*document, errors);
  const kube::FieldNode status = root.Get("status");
  const kube::FieldNode addresses = status.Get("addresses");
  std::string address = options_.internal ? "" : AddressOfType(addresses, "ExternalIP");
  if (address.empty()) address = AddressOfType(addresses, "InternalIP");
  if (!errors.ok()) return Malformed("Node", errors);
  return address;
}

}  // namespace headgate::status
