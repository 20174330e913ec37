// The objects that a command looks at: from files, folders and standard input, or from an API
// server.
#pragma once

#include <array>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "controller/kube/manifest_set.h"
#include "controller/state/cluster_state.h"

namespace headgate::cli {

struct InputOptions {
  // Files, folders (every .yaml, .yml and .json below them) and "-" for standard input.
  std::vector<std::string> paths;
  // Instead of paths: the API server that a kubeconfig names.
  std::string kubeconfig;
  std::string kube_context;
  // Only Ingresses of this class, by spec.ingressClassName or the old annotation. Empty: all.
  std::string ingress_class;
  // Only Ingresses of this namespace. Empty: all.
  std::string ns;
  // For the lists of an API server.
  absl::Duration timeout = absl::Seconds(60);
};

// What was read. Classes have done their work when objects are read: in `state` every Ingress is
// one of ours.
class Inputs {
 public:
  Inputs();

  // The newest form of an object; Ingresses that are not asked for are passed over.
  void Take(const InputOptions& options, kube::Change change);

  state::ClusterState state;
  // Of each Ingress the class that it names, empty for none.
  std::map<kube::ObjectKey, std::string> classes;
  // How many objects there are of each kind.
  std::array<size_t, kube::kKindCount> count{};
  // What could not be read, by file.
  std::vector<kube::ManifestProblem> problems;
};

// An error means that nothing can be said at all: a path that is not there, an API server that does
// not answer.
absl::Status ReadInputs(const InputOptions& options, Inputs& inputs);

}  // namespace headgate::cli
