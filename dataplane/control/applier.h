// Where the control loop hands over what changed: the seam between the snapshot stream and the
// compiled config.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/types/span.h"
#include "proto/headgate/v1/snapshot.pb.h"

namespace headgate::control {

// A resource whose new form could not be used.
struct RefusedResource {
  std::string name;
  // One line for people: what is wrong with which field. Holds no secrets: it is logged and sent
  // back.
  std::string reason;
};

struct ApplyResult {
  // Upserts that were refused. For each of them the form applied before goes on serving; a resource
  // that had none stays absent. Everything else in the call took effect.
  std::vector<RefusedResource> refused;
};

// Makes a set of changes take effect as a whole. Implemented over config/ by the program, and by
// fakes in tests.
//
// Thread: the control thread only, one call at a time; first (at most once) with the snapshot from
// disk, then once for every commit of the controller. A call may take long; nothing but the control
// thread waits for it. Lifetime: must outlive the SnapshotClient. The arguments are valid during
// the call only.
class Applier {
 public:
  virtual ~Applier() = default;

  // `version` is the controller's name for the whole content. A name occurs at most once in
  // `upserts` and `removed` together. Removing a name that was never applied, or was refused, is no
  // error. Both may be empty (a commit that only confirms what is held): this, too, must be taken
  // as "the configuration is complete" when it is the first call.
  virtual ApplyResult Apply(std::string_view version, absl::Span<const v1::Resource* const> upserts,
                            absl::Span<const std::string> removed) = 0;

  // How many data planes there are, this one among them; told before the commit it came with.
  virtual void SetDataPlanes(uint32_t count) = 0;
};

}  // namespace headgate::control
