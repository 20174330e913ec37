// Addresses of the nodes that data planes run on: what Ingresses say where no Service leads to
// them.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/clock.h"
#include "common/metrics.h"
#include "controller/kube/json_api.h"
#include "controller/kube/recurring_task.h"
#include "controller/status/published_addresses.h"

namespace headgate::status {

struct NodeAddressesOptions {
  std::string ns;         // of the pods
  std::string selector;   // of their labels, such as "app=web,tier=edge"
  bool internal = false;  // take a node's InternalIP; else its ExternalIP, if it has one
  // Pods are looked at this often, nodes less often.
  absl::Duration interval = absl::Seconds(15);
  absl::Duration node_interval = absl::Minutes(10);
};

// Looks while this controller leads. Needs leave to list pods of the namespace and to get nodes.
//
// Thread: Start, Stop and the destructor one owner; LeadChanged any. Works on a thread of its own.
class NodeAddresses {
 public:
  // Gets what was found, on the thread. Not called while no pod is ready, or the API server does
  // not answer: what was found before stays.
  using Sink = std::function<void(AddressList)>;

  // `clock` and `metrics` outlive the object.
  NodeAddresses(NodeAddressesOptions options, std::unique_ptr<kube::Transport> transport,
                std::function<bool()> leads, Sink sink, const Clock& clock,
                MetricsRegistry& metrics);
  ~NodeAddresses();
  NodeAddresses(const NodeAddresses&) = delete;
  NodeAddresses& operator=(const NodeAddresses&) = delete;

  void Start();
  void Stop();
  // We may lead by now.
  void LeadChanged() { task_.Wake(); }

 private:
  struct Node {
    std::string address;  // empty: it has none
    absl::Duration read_at;
  };

  absl::Duration TakeTurn();
  absl::Status Look();
  // Names of nodes with a pod that is ready.
  absl::StatusOr<AddressList> NodesWithPods();
  absl::StatusOr<std::string> AddressOf(const std::string& node);

  const NodeAddressesOptions options_;
  const std::function<bool()> leads_;
  const Sink sink_;
  const Clock& clock_;
  Counter& failures_;
  // The thread's own.
  kube::JsonApi api_;
  std::map<std::string, Node> nodes_;

  kube::RecurringTask task_;
};

// Whether it is a list of labels that must have values: "a=b,c.example/d=e".
bool IsLabelSelector(std::string_view text);

}  // namespace headgate::status
