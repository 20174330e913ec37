#include "controller/kube/manifest_set.h"

#include <algorithm>
#include <set>

#include "common/hash.h"
#include "common/strings.h"
#include "controller/kube/decode.h"
#include "controller/kube/yaml.h"

namespace headgate::kube {
namespace {

bool EndsWith(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

// A string member of an object; empty when it is absent or something else.
std::string_view Member(const Json& object, const char* key) {
  const auto it = object.find(key);
  if (it == object.end() || !it->is_string()) return {};
  return it->get_ref<const std::string&>();
}

// A name-based id in the shape of a UUID, the same in every run.
std::string SyntheticUid(Kind kind, const ObjectKey& key) {
  const std::string hex = Sha256Hex(StrCat(KindName(kind), "/", key.ns, "/", key.name));
  return StrCat(hex.substr(0, 8), "-", hex.substr(8, 4), "-", hex.substr(12, 4), "-",
                hex.substr(16, 4), "-", hex.substr(20, 12));
}

void Complete(const ResourceType& type, std::string resource_version, ObjectMeta& meta) {
  if (type.namespaced && meta.key.ns.empty()) meta.key.ns = "default";
  if (meta.uid.empty()) meta.uid = SyntheticUid(type.kind, meta.key);
  meta.resource_version = std::move(resource_version);
}

// Not a number, so nobody takes one version for older than another.
std::string ContentVersion(const Json& item) {
  std::string text = item.dump(-1, ' ', false, Json::error_handler_t::replace);
  std::string version = StrCat("m", absl::Hex(ContentHash(text), absl::kZeroPad16));
  WipeMemory(text.data(), text.size());  // may be a Secret
  return version;
}

}  // namespace

bool IsManifestName(std::string_view name) {
  return EndsWith(name, ".yaml") || EndsWith(name, ".yml") || EndsWith(name, ".json");
}

std::string ManifestProblem::ToString() const {
  if (document == 0) return StrCat(file, ": ", message);
  return StrCat(file, ": document ", document, ": ", message);
}

void ManifestSet::Load(const std::string& name, std::string_view content) {
  File& old = files_[name];
  Pass pass{name, {}, {}, 0};
  for (const Chunk& chunk : old.chunks) {
    if (chunk.good) pass.known.emplace(chunk.hash, &chunk);
  }
  bool whole = true;
  if (content.find_first_not_of(" \t\r\n") == std::string_view::npos) {
    // Most likely somebody is about to write it; who wants the objects gone deletes the file.
    pass.file.problems.push_back({name, 0, "is empty; its objects stay as they were"});
    whole = false;
  } else if (EndsWith(name, ".json")) {
    LoadChunk(pass, content, 1, /*json=*/true);
  } else {
    for (const YamlChunk& chunk : SplitYaml(content)) {
      LoadChunk(pass, chunk.text, chunk.first_line, /*json=*/false);
    }
  }
  for (const Chunk& chunk : pass.file.chunks) whole = whole && chunk.good;
  if (!whole) {
    std::set<Identity> present;
    for (const Chunk& chunk : pass.file.chunks) {
      for (const Entry& entry : chunk.entries) present.insert(entry.identity);
    }
    auto retain = [&](const Entry& entry) {
      if (present.insert(entry.identity).second) pass.file.retained.push_back(entry);
    };
    for (const Chunk& chunk : old.chunks)
      std::for_each(chunk.entries.begin(), chunk.entries.end(), retain);
    std::for_each(old.retained.begin(), old.retained.end(), retain);
  }
  old = std::move(pass.file);
}

void ManifestSet::LoadFailed(const std::string& name, std::string error) {
  files_[name].problems = {{name, 0, std::move(error)}};
}

void ManifestSet::Remove(const std::string& name) { files_.erase(name); }

void ManifestSet::LoadChunk(Pass& pass, std::string_view text, size_t first_line, bool json) {
  Chunk chunk;
  chunk.hash = ContentHash(text);
  if (const auto known = pass.known.find(chunk.hash); known != pass.known.end()) {
    pass.document += known->second->documents;
    pass.file.chunks.push_back(*known->second);
    return;
  }
  absl::StatusOr<std::vector<Json>> documents = std::vector<Json>();
  if (json) {
    absl::StatusOr<Json> document = ParseJson(text);
    if (document.ok()) {
      documents->push_back(*std::move(document));
    } else {
      documents = document.status();
    }
  } else {
    documents = ParseYaml(text, first_line);
  }
  if (!documents.ok()) {
    ++pass.document;
    chunk.documents = 1;
    AddProblem(pass, chunk, std::string(ToStd(documents.status().message())));
  } else {
    for (Json& document : *documents) {
      ++pass.document;
      ++chunk.documents;
      LoadDocument(pass, chunk, document);
    }
  }
  pass.file.chunks.push_back(std::move(chunk));
}

void ManifestSet::LoadDocument(Pass& pass, Chunk& chunk, Json& document) {
  if (document.is_null()) return;  // only comments
  if (!document.is_object()) {
    AddProblem(pass, chunk, StrCat("must be an object, not ", document.type_name()));
    return;
  }
  const std::string kind(Member(document, "kind"));
  if (!EndsWith(kind, "List") || document.find("items") == document.end()) {
    LoadItem(pass, chunk, document, "");
    return;
  }
  Json& items = document["items"];
  if (items.is_null()) return;
  if (!items.is_array()) {
    AddProblem(pass, chunk, StrCat(kind, ": items: must be a list, not ", items.type_name()));
    return;
  }
  for (size_t i = 0; i < items.size(); ++i) {
    Json& item = items[i];
    const std::string place = StrCat("items[", i, "]: ");
    if (!item.is_object()) {
      AddProblem(pass, chunk, StrCat(place, "must be an object, not ", item.type_name()));
      continue;
    }
    // The items of an IngressList may leave out what the list says.
    if (kind != "List" && Member(item, "kind").empty()) {
      item["kind"] = kind.substr(0, kind.size() - 4);
      item["apiVersion"] = Member(document, "apiVersion");
    }
    LoadItem(pass, chunk, item, place);
  }
}

void ManifestSet::LoadItem(Pass& pass, Chunk& chunk, Json& item, std::string_view place) {
  const std::string_view kind = Member(item, "kind");
  const std::string_view api_version = Member(item, "apiVersion");
  if (kind.empty() || api_version.empty()) {
    AddProblem(pass, chunk, StrCat(place, kind.empty() ? "kind" : "apiVersion", ": is required"));
    return;
  }
  const ResourceType* type = FindResourceType(api_version, kind);
  if (type == nullptr) {
    if (const ResourceType* known = FindResourceTypeByGroupKind(api_version, kind)) {
      AddProblem(pass, chunk,
                 StrCat(place, kind, ": apiVersion ", api_version, " is not supported, use ",
                        known->api_version));
    } else if (!item.contains("metadata")) {
      // More likely the first lines of a file that is being written than a foreign object.
      AddProblem(pass, chunk, StrCat(place, kind, ": metadata: is required"));
    }
    return;
  }
  std::string version = ContentVersion(item);
  Decoded decoded = DecodeObject(*type, item);
  if (auto* malformed = std::get_if<MalformedObject>(&decoded)) {
    if (type->namespaced && malformed->key.ns.empty()) malformed->key.ns = "default";
    malformed->resource_version = version;
    AddProblem(pass, chunk, StrCat(place, malformed->error));
    malformed->error = pass.file.problems.back().ToString();
    if (!malformed->key.name.empty()) {
      pass.file.malformed.emplace_back(std::move(*malformed), pass.document);
    }
    return;
  }
  Object& object = std::get<Object>(decoded);
  std::visit([&](auto& o) { Complete(*type, std::move(version), o.meta); }, object);
  const Identity identity(type->kind, MetaOf(object).key);
  chunk.entries.push_back(
      {identity, chunk.documents, std::make_shared<const Object>(std::move(object))});
}

void ManifestSet::AddProblem(Pass& pass, Chunk& chunk, std::string message) {
  chunk.good = false;
  pass.file.problems.push_back({pass.name, pass.document, std::move(message)});
}

std::vector<Change> ManifestSet::TakeChanges() {
  std::map<Identity, std::shared_ptr<const Object>> wanted;
  std::map<Identity, std::string> owners;
  std::map<Identity, std::string> malformed;
  std::vector<Change> changes;
  duplicates_.clear();

  auto want = [&](const std::string& file, const Entry& entry, size_t document) {
    if (wanted.emplace(entry.identity, entry.object).second) {
      owners.emplace(entry.identity, file);
      return;
    }
    duplicates_.push_back(
        {file, document,
         StrCat(KindName(entry.identity.first), " ", entry.identity.second.ToString(),
                " is already in ", owners[entry.identity], ", which counts")});
  };
  for (const auto& [name, file] : files_) {
    size_t before = 0;
    for (const Chunk& chunk : file.chunks) {
      for (const Entry& entry : chunk.entries) want(name, entry, before + entry.document);
      before += chunk.documents;
    }
    for (const Entry& entry : file.retained) want(name, entry, 0);
    for (const auto& [object, document] : file.malformed) {
      const Identity identity(object.kind, object.key);
      if (!malformed.emplace(identity, object.error).second) continue;
      const auto known = delivered_malformed_.find(identity);
      if (known == delivered_malformed_.end() || known->second != object.error) {
        changes.emplace_back(object);
      }
    }
  }

  for (const auto& [identity, object] : wanted) {
    const auto known = delivered_.find(identity);
    // An object that was malformed and is back at its last good form must be delivered to clear the
    // mark.
    const bool healed = delivered_malformed_.contains(identity) && !malformed.contains(identity);
    if (known != delivered_.end() && (known->second == object || *known->second == *object) &&
        !healed) {
      continue;
    }
    changes.emplace_back(*object);
  }
  auto gone = [&](const Identity& identity) {
    if (wanted.contains(identity) || malformed.contains(identity)) return;
    changes.emplace_back(Deletion{identity.first, identity.second});
  };
  for (const auto& [identity, object] : delivered_) gone(identity);
  for (const auto& [identity, error] : delivered_malformed_) {
    if (!delivered_.contains(identity)) gone(identity);
  }
  delivered_ = std::move(wanted);
  delivered_malformed_ = std::move(malformed);
  return changes;
}

std::vector<ManifestProblem> ManifestSet::Problems() const {
  std::vector<ManifestProblem> problems;
  for (const auto& [name, file] : files_) {
    problems.insert(problems.end(), file.problems.begin(), file.problems.end());
  }
  problems.insert(problems.end(), duplicates_.begin(), duplicates_.end());
  return problems;
}

}  // namespace headgate::kube
