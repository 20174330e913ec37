#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "dataplane/files/file_server.h"

namespace headgate::files {

// One answer from a file, as an attempt that an exchange makes. Belongs to the FileServer, which
// uses it again at the end of the turn in which it has ended.
class FileStream final : public http::ClientStream {
 public:
  explicit FileStream(FileServer& server) : server_(server) {}

  void Start(http::ClientStreamEvents& events, base::Arena& arena,
             const config::StaticAction& action, Located located);

  // Lets go of what it held; the stream has ended.
  void Forget() { located_ = {}; }

  // http::ClientStream
  void SendHead(const http::RequestHead& head, bool end) override;
  void SendBody(std::string_view /*piece*/, bool /*end*/) override {}
  void SendTrailers(const http::HeaderMap& /*trailers*/) override {}
  void PauseReading() override { ++pause_count_; }
  void ResumeReading() override;
  void Reset() override { End(); }
  size_t unsent_bytes() const override { return 0; }
  bool connected() const override { return true; }
  bool reused() const override { return false; }

 private:
  void Deliver();
  // The next piece of the body within the kernel, where the client's connection takes it so. Null:
  // by NextPiece.
  base::PipePtr NextPipe();
  // The next piece of the body, at most FileServer::kPieceBytes; false when the file is shorter
  // than it was.
  bool NextPiece(std::string_view& piece);
  void Advance(size_t bytes);
  // No event after this.
  void End();

  FileServer& server_;
  http::ClientStreamEvents* events_ = nullptr;  // null: ended
  base::Arena* arena_ = nullptr;
  const config::StaticAction* action_ = nullptr;
  Located located_;
  uint32_t pause_count_ = 0;

  http::ResponseHead head_;
  bool head_delivered_ = false;
  std::vector<BodyPart> parts_;
  size_t next_part_ = 0;
  net::MemberTask<FileStream, &FileStream::Deliver> deliver_{*this};
};

}  // namespace headgate::files
