#include "dataplane/files/file_server.h"

#include <cinttypes>
#include <cstdio>
#include <random>
#include <utility>

#include "common/log.h"
#include "dataplane/files/encodings.h"
#include "dataplane/files/file_path.h"
#include "dataplane/files/file_stream.h"
#include "dataplane/files/mime.h"

namespace headgate::files {

FileServer::FileServer(net::EventLoop& loop, net::PipePool& pipes, const StaticRoots& roots)
    : loop_(loop), pipes_(pipes), roots_(roots) {
  std::random_device random;
  boundary_state_ = (uint64_t{random()} << 32) | random();
}

FileServer::~FileServer() = default;

Located FileServer::Locate(const http::RequestHead& request, const config::StaticAction& action,
                           const config::FileTable& files, std::string_view normal_path,
                           base::Arena& arena) {
  Located located;
  located.kind = Located::Kind::kUnavailable;
  Source source;
  if (!action.files.empty()) {
    const auto found = files.find(action.files);
    if (found == files.end()) return located;
    source.memory = found->second.get();
  } else {
    source.root = roots_.Find(action.root);
    if (source.root == nullptr) {
      HEADGATE_LOG_EVERY(10, kWarn, "files", "no --static-root of that name; answering 503",
                         {"root", std::string(action.root)});
      return located;
    }
  }

  const FilePath path = MapPath(normal_path, action.strip_prefix, action.directory, arena);
  located.kind = Located::Kind::kAbsent;
  FileLookup::Kind found = FileLookup::Kind::kAbsent;
  switch (path.kind) {
    case FilePath::Kind::kHidden: break;
    case FilePath::Kind::kBareRoot: located.kind = Located::Kind::kDirectory; return located;
    case FilePath::Kind::kFile:
    case FilePath::Kind::kDirectory:
      found = FindBest(source, request, path.path, arena, located);
      break;
  }
  if (found == FileLookup::Kind::kDirectory && path.kind == FilePath::Kind::kFile) {
    located.kind = Located::Kind::kDirectory;
    return located;
  }
  const bool absent = found == FileLookup::Kind::kAbsent || found == FileLookup::Kind::kDirectory;
  if (absent && !action.fallback.empty() && IsSafePath(action.fallback)) {
    const std::string_view fallback = action.directory.empty()
                                          ? action.fallback
                                          : arena.Join(action.directory, "/", action.fallback);
    found = FindBest(source, request, fallback, arena, located);
  }
  if (found == FileLookup::Kind::kFile) located.kind = Located::Kind::kFound;
  if (found == FileLookup::Kind::kFailed) located.kind = Located::Kind::kUnavailable;
  return located;
}

// Looks one name up; on kFile `located` holds it.
FileLookup::Kind FileServer::Find(const Source& source, std::string_view path, Located& located) {
  Representation& out = located.representation;
  if (source.memory != nullptr) {
    const config::MemoryFile* const file = source.memory->Find(path);
    if (file == nullptr) return FileLookup::Kind::kAbsent;
    located.memory = file;
    out.size = file->content.size();
    out.validators = {file->etag, std::nullopt};
    return FileLookup::Kind::kFile;
  }
  FileLookup found = cache_.Find(*source.root, path, loop_.now());
  if (found.kind != FileLookup::Kind::kFile) return found.kind;
  located.file = std::move(found.file);
  out.size = located.file->size;
  out.validators = {located.file->etag, located.file->modified};
  return FileLookup::Kind::kFile;
}

FileLookup::Kind FileServer::FindBest(const Source& source, const http::RequestHead& request,
                                      std::string_view path, base::Arena& arena, Located& located) {
  const FileLookup::Kind found = Find(source, path, located);
  if (found != FileLookup::Kind::kFile) return found;
  const MimeType type = MimeTypeOf(path);
  located.representation.content_type = type.text;
  if (!type.compressible) return found;
  const EncodingWeights weights = AcceptedEncodings(request.fields);
  uint16_t best_weight = 0;
  for (size_t i = 0; i < kEncodings.size(); ++i) {
    Located sibling;
    if (Find(source, arena.Join(path, kEncodings[i].suffix), sibling) != FileLookup::Kind::kFile)
      continue;
    located.representation.varies = true;
    if (weights[i] <= best_weight) continue;
    best_weight = weights[i];
    sibling.representation.content_type = type.text;
    sibling.representation.encoding = kEncodings[i].name;
    sibling.representation.varies = true;
    located = std::move(sibling);
  }
  return found;
}

http::ClientStream* FileServer::Open(http::ClientStreamEvents& events, base::Arena& arena,
                                     const config::StaticAction& action, Located located) {
  if (free_.empty()) {
    streams_.push_back(std::make_unique<FileStream>(*this));
    free_.push_back(streams_.back().get());
  }
  FileStream* const stream = free_.back();
  free_.pop_back();
  stream->Start(events, arena, action, std::move(located));
  return stream;
}

// Not to be guessed by who wrote the file (splitmix64 over a random start).
std::string_view FileServer::NextBoundary(base::Arena& arena) {
  boundary_state_ += 0x9e3779b97f4a7c15u;
  uint64_t mixed = boundary_state_;
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9u;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebu;
  mixed ^= mixed >> 31;
  char text[32];
  const int size = std::snprintf(text, sizeof(text), "headgate%016" PRIx64, mixed);
  return arena.Copy({text, static_cast<size_t>(size)});
}

char* FileServer::buffer() {
  if (buffer_ == nullptr) buffer_ = std::make_unique<char[]>(kPieceBytes);
  return buffer_.get();
}

void FileServer::Recycle(FileStream& stream) {
  finished_.push_back(&stream);
  loop_.ScheduleFlush(recycle_);
}

void FileServer::RecycleNow() {
  for (FileStream* const stream : finished_) {
    stream->Forget();
    free_.push_back(stream);
  }
  finished_.clear();
}

}  // namespace headgate::files
