// What a source of Kubernetes objects (an API server or a folder of manifests) tells the rest of
// the controller.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "controller/kube/objects.h"

namespace headgate::kube {

// An object that exists but could not be decoded. It harms only itself: whoever keeps the objects
// keeps its last good form, if there is one, and shows `error`.
struct MalformedObject {
  Kind kind = Kind::kIngress;
  ObjectKey key;
  std::string resource_version;  // of the malformed form; may be empty
  // One line: kind, ns/name, field path and what is wrong; for manifests also file and document.
  std::string error;
};

// An object that is gone. Deleting what is not there is not an error.
struct Deletion {
  Kind kind = Kind::kIngress;
  ObjectKey key;
};

// An Object is an addition or a new form of one that is there; the source does not say which.
using Change = std::variant<Object, Deletion, MalformedObject>;

// All there is of one kind in one scope, at one moment.
struct Replacement {
  Kind kind = Kind::kIngress;
  // The namespace listed; empty: all namespaces, or a cluster-scoped kind.
  std::string ns;
  // The one object listed; empty: all of the namespace.
  std::string name = {};
  std::vector<Object> objects;
  // Also present, but not decodable: their last good forms stay.
  std::vector<MalformedObject> malformed;
};

// Implemented by state/. Sources call it from several threads at once (one thread per kind and
// namespace), in order for one kind and namespace. Calls must return quickly and must not call back
// into the source.
class EventSink {
 public:
  virtual ~EventSink() = default;

  // What is neither in `objects` nor in `malformed` but was known in this scope is gone. The
  // receiver applies the difference; it never empties first. Comes again after each relist.
  virtual void OnReplace(Replacement replacement) = 0;

  // In this order, and together: nothing may be translated between two changes of one call.
  virtual void OnChanges(std::vector<Change> changes) = 0;

  // Every scope of this kind has been replaced at least once, so that what is not there does not
  // exist. Comes exactly once a kind that is watched.
  virtual void OnSynced(Kind kind) = 0;
};

}  // namespace headgate::kube
