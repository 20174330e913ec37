#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "dataplane/base/arena.h"
#include "dataplane/config/static_files.h"
#include "dataplane/files/answer.h"
#include "dataplane/files/file_cache.h"
#include "dataplane/files/static_roots.h"
#include "dataplane/http/stream.h"
#include "dataplane/net/event_loop.h"
#include "dataplane/net/pipe.h"

namespace headgate::files {

class FileStream;

// What a request leads to.
struct Located {
  enum class Kind : uint8_t {
    kFound,
    kDirectory,  // the same path with a slash at its end should be asked for
    kAbsent,
    kUnavailable,  // the files themselves are not there: a ConfigMap or a root that is missing
  };
  Kind kind = Kind::kAbsent;
  // For kFound.
  Representation representation;
  const config::MemoryFile* memory = nullptr;  // belongs to the configuration
  std::shared_ptr<const OpenFile> file;        // when `memory` is null
};

// Answers requests from files: an upstream without endpoints. One per worker, on its loop; outlives
// the exchanges.
class FileServer {
 public:
  // All outlive it.
  FileServer(net::EventLoop& loop, net::PipePool& pipes, const StaticRoots& roots);
  ~FileServer();
  FileServer(const FileServer&) = delete;
  FileServer& operator=(const FileServer&) = delete;

  // Finds the file for a path in normal form, its index or the fallback; of its compressed forms
  // (siblings with a suffix) the one that the client likes best. Touches the disk.
  Located Locate(const http::RequestHead& request, const config::StaticAction& action,
                 const config::FileTable& files, std::string_view normal_path, base::Arena& arena);

  // A stream that answers a request with what was located (kFound). `action`, and what `located`
  // points at, outlive the last event. Send it the request's head; it has no use for a body.
  http::ClientStream* Open(http::ClientStreamEvents& events, base::Arena& arena,
                           const config::StaticAction& action, Located located);

 private:
  friend class FileStream;
  // Bytes read or sent in one go; a turn of the loop does so much for each stream.
  static constexpr size_t kPieceBytes = 64 * 1024;

  // One place to look names up in.
  struct Source {
    const config::FileSet* memory = nullptr;
    const StaticRoot* root = nullptr;  // when `memory` is null
  };
  FileLookup::Kind Find(const Source& source, std::string_view path, Located& located);
  FileLookup::Kind FindBest(const Source& source, const http::RequestHead& request,
                            std::string_view path, base::Arena& arena, Located& located);
  std::string_view NextBoundary(base::Arena& arena);
  // kPieceBytes, for what is read and passed on in one call.
  char* buffer();
  void Recycle(FileStream& stream);
  void RecycleNow();

  net::EventLoop& loop_;
  net::PipePool& pipes_;
  const StaticRoots& roots_;
  FileCache cache_;
  std::unique_ptr<char[]> buffer_;  // null until it is first needed
  uint64_t boundary_state_;

  std::vector<std::unique_ptr<FileStream>> streams_;
  std::vector<FileStream*> free_;
  std::vector<FileStream*> finished_;
  net::MemberTask<FileServer, &FileServer::RecycleNow> recycle_{*this};
};

}  // namespace headgate::files
