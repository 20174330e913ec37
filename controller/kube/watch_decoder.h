// The body of a WATCH: one JSON event a line.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "controller/kube/decode.h"

namespace headgate::kube {

// DELETED.
struct WatchDeletion {
  ObjectKey key;
  std::string resource_version;  // of the deletion
};

// BOOKMARK: everything up to this version has been seen.
struct WatchBookmark {
  std::string resource_version;
};

// ERROR: the server ends the watch with a Status.
struct WatchError {
  bool expired = false;  // 410 Gone: only a new list helps
  std::string message;   // for people: code, reason and message
};

// An Object is ADDED or MODIFIED; the difference is of no use after a reconnection.
using WatchEvent = std::variant<Object, WatchDeletion, MalformedObject, WatchBookmark, WatchError>;

// Pure: bytes in, events out. One decoder a connection.
class WatchDecoder {
 public:
  static constexpr size_t kMaxLineBytes = size_t{16} << 20;

  explicit WatchDecoder(const ResourceType& type) : type_(type) {}

  // Appends the events of all lines that are now complete. An error means that the stream cannot be
  // understood; what was appended before it is good. A line that was cut off by the end of the
  // stream is never an event.
  absl::Status Feed(std::string_view bytes, std::vector<WatchEvent>* events);

 private:
  absl::Status DecodeLine(std::string_view line, std::vector<WatchEvent>* events);

  const ResourceType& type_;
  std::string partial_;
};

}  // namespace headgate::kube
