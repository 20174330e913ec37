// The body of a LIST, decoded as it arrives: no more than one item's JSON is in memory at a time.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "controller/kube/decode.h"

namespace headgate::kube {

// Pure: bytes in, objects out. One decoder a page.
class ListDecoder {
 public:
  static constexpr size_t kMaxItemBytes = size_t{16} << 20;
  static constexpr size_t kMaxEnvelopeBytes = size_t{1} << 20;

  // Objects are appended to `out`, which must outlive the decoder.
  ListDecoder(const ResourceType& type, Replacement* out) : type_(type), out_(out) {}

  // The next bytes of the body. After an error the page is worthless.
  absl::Status Feed(std::string_view bytes);
  // At the end of the body: checks that it was a whole list, and reads its metadata.
  absl::Status Finish();

  // After Finish: metadata.resourceVersion and metadata.continue (empty on the last page).
  const std::string& resource_version() const { return resource_version_; }
  const std::string& continue_token() const { return continue_token_; }

 private:
  absl::Status TakeItem();

  const ResourceType& type_;
  Replacement* const out_;
  // The body without what stands in the items array: still a JSON document.
  std::string envelope_;
  std::string item_;
  size_t depth_ = 0;
  bool in_string_ = false;
  bool escaped_ = false;
  bool in_items_ = false;
  size_t string_start_ = 0;  // of the last string at depth 1, in envelope_
  std::string last_string_;  // the last string at depth 1: before a "[" it is the key
  std::string resource_version_;
  std::string continue_token_;
};

}  // namespace headgate::kube
