// What a folder of manifests says, as objects. Pure: file contents in, changes out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "controller/kube/event_sink.h"
#include "controller/kube/json.h"
#include "controller/kube/resource_type.h"

namespace headgate::kube {

// Whether a file of that name in a folder is read: .yaml, .yml and .json.
bool IsManifestName(std::string_view name);

// Something in the folder that is not as it should be.
struct ManifestProblem {
  std::string file;
  size_t document = 0;  // counted from 1; 0: the file as a whole
  std::string message;  // names object and field where it can

  // "FILE: document N: MESSAGE"
  std::string ToString() const;
  friend bool operator==(const ManifestProblem&, const ManifestProblem&) = default;
};

// The manifests of a folder and the objects in them. A file may hold several YAML documents or one
// JSON document; each is an object, a List or a list of one kind (IngressList). Kinds that we do
// not read are passed over.
//
// A file never takes away what worked: if it does not parse, or is empty, its objects stay as they
// were; if one object in it is malformed, that object keeps its last good form, the other objects
// are taken, and nothing is deleted until the whole file is in order. When two files have the same
// object the first file by name counts.
//
// Objects get what an API server would give them and a manifest may lack: the namespace "default",
// and a uid made from kind and name. resourceVersion is always made from the content, so it changes
// exactly when the object does.
//
// Thread: one owner.
class ManifestSet {
 public:
  // Takes the content a file has now. Names ending in ".json" are JSON, all others YAML.
  void Load(const std::string& file, std::string_view content);
  // The file cannot be read; its objects stay.
  void LoadFailed(const std::string& file, std::string error);
  // The file is gone, and with it its objects.
  void Remove(const std::string& file);

  // What changed since the last call, deletions last.
  std::vector<Change> TakeChanges();
  // As it is now, in the order of the files.
  std::vector<ManifestProblem> Problems() const;

 private:
  using Identity = std::pair<Kind, ObjectKey>;
  struct Entry {
    Identity identity;
    size_t document = 0;
    std::shared_ptr<const Object> object;
  };
  // A part of a file that is parsed again only when its text changes.
  struct Chunk {
    uint64_t hash = 0;
    size_t documents = 0;
    std::vector<Entry> entries;  // document counted from the start of the chunk
    bool good = true;
  };
  struct File {
    std::vector<Chunk> chunks;
    std::vector<Entry>
        retained;  // of earlier content, kept because the present one is not in order
    std::vector<std::pair<MalformedObject, size_t>> malformed;
    std::vector<ManifestProblem> problems;
  };
  // One pass over the content of a file.
  struct Pass {
    const std::string& name;
    std::unordered_map<uint64_t, const Chunk*> known;  // good chunks of the content before
    File file;
    size_t document = 0;
  };

  void LoadChunk(Pass& pass, std::string_view text, size_t first_line, bool json);
  void LoadDocument(Pass& pass, Chunk& chunk, Json& document);
  void LoadItem(Pass& pass, Chunk& chunk, Json& item, std::string_view place);
  static void AddProblem(Pass& pass, Chunk& chunk, std::string message);

  std::map<std::string, File> files_;
  std::map<Identity, std::shared_ptr<const Object>> delivered_;
  std::map<Identity, std::string> delivered_malformed_;
  std::vector<ManifestProblem> duplicates_;
};

}  // namespace headgate::kube
