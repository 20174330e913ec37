#pragma once

#include <nghttp2/nghttp2.h>

#include <cstdint>
#include <string_view>

#include "absl/container/inlined_vector.h"
#include "dataplane/http/message.h"

namespace headgate::http2 {

// Header fields in the form that nghttp2 takes. Views only: what they point at lives during the
// call that takes them, which copies, and writes names in lower case.
class FieldList {
 public:
  void Add(std::string_view name, std::string_view value) {
    fields_.push_back({const_cast<uint8_t*>(reinterpret_cast<const uint8_t*>(name.data())),
                       const_cast<uint8_t*>(reinterpret_cast<const uint8_t*>(value.data())),
                       name.size(), value.size(), NGHTTP2_NV_FLAG_NONE});
  }

  const nghttp2_nv* data() const { return fields_.data(); }
  size_t size() const { return fields_.size(); }

 private:
  absl::InlinedVector<nghttp2_nv, 48> fields_;
};

// Digits of a number, for FieldList. A value.
class NumberText {
 public:
  explicit NumberText(uint64_t number);
  std::string_view view() const { return {text_, size_}; }

 private:
  char text_[20];
  size_t size_;
};

// Each appends what goes on the wire: pseudo-header fields first, then the end-to-end fields;
// framing is written from `body`, never copied, except that a response without body keeps the
// content-length that describes one (`no_body`). `status` and `length` must live as long as `out`.
void AppendResponse(const http::ResponseHead& head, std::string_view status, std::string_view date,
                    const NumberText& length, bool no_body, FieldList& out);
void AppendInformational(const http::ResponseHead& head, std::string_view status, FieldList& out);
// An upgrade becomes an extended CONNECT (RFC 8441).
void AppendRequest(const http::RequestHead& head, std::string_view scheme, const NumberText& length,
                   FieldList& out);
void AppendTrailers(const http::HeaderMap& trailers, FieldList& out);

}  // namespace headgate::http2
