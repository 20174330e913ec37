#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "dataplane/base/arena.h"
#include "dataplane/base/failure.h"
#include "dataplane/codec/options.h"
#include "dataplane/http/message.h"

// From decoded header fields to heads. Strict (RFC 9113 section 8): nothing gets through that
// HTTP/1.1 would read in another way, whatever the library below has let pass.
namespace headgate::http2 {

struct HeadLimits {
  uint32_t max_head_bytes =
      32 * 1024;  // names and values, and four bytes for each field as in HTTP/1.1
  uint32_t max_line_bytes = 32 * 1024;  // of :path
  uint32_t max_fields = 100;
  http::Underscores underscores = http::Underscores::kKept;

  static HeadLimits Of(const codec::RequestLimits& limits) {
    return {.max_head_bytes = limits.max_head_bytes,
            .max_line_bytes = limits.max_line_bytes,
            .max_fields = limits.max_fields,
            .underscores = limits.underscores};
  }
};

// The fields of one header block, checked one by one as they are decoded. Used for one block after
// the other.
class HeaderBlock {
 public:
  // `arena` gets the text of the fields.
  void Start(base::Arena& arena, const HeadLimits& limits);
  // One decoded field; the text is copied. False: so far beyond the limits that the connection
  // should end.
  [[nodiscard]] bool Add(std::string_view name, std::string_view value);
  // `size` more bytes of the block came in frames. False: as for Add.
  [[nodiscard]] bool AddWireBytes(size_t size);

  // What is wrong with a field: static text; empty if nothing is.
  std::string_view malformed() const { return malformed_; }
  // Over the limits: `fields` holds only a part.
  bool too_large() const { return too_large_; }

  http::HeaderMap fields;  // without the pseudo-header fields
  // Pseudo-header fields; data() is null for those that are absent.
  std::string_view method, scheme, authority, path, protocol, status;
  bool has_pseudo = false;
  uint32_t wire_bytes = 0;  // of the frames; not touched by Start, which comes after the first

 private:
  static constexpr size_t kHopelessFactor = 8;

  void AddPseudo(std::string_view name, std::string_view value);

  base::Arena* arena_ = nullptr;
  HeadLimits limits_;
  std::string_view malformed_;
  size_t bytes_ = 0;
  size_t count_ = 0;
  bool too_large_ = false;
};

// Outcome of making a head.
struct HeadResult {
  // 0: fine. 400: malformed, which is a stream error (section 8.1.1). Else the status to answer
  // with.
  uint16_t status = 0;
  base::Failure::Kind kind = base::Failure::Kind::kNone;
  std::string_view detail;  // static text

  bool ok() const { return status == 0; }
};

// Takes the fields out of `block`. `end`: the message ends with this block. Several Cookie fields
// become one (section 8.2.3), Host is added if there is only :authority. An extended CONNECT
// becomes a GET with `upgrade`.
HeadResult MakeRequestHead(HeaderBlock& block, const HeadLimits& limits, bool end,
                           base::Arena& arena, http::RequestHead& head);

// Takes the fields out of `block`. `head_request`: the response is to HEAD. 1xx have no body.
HeadResult MakeResponseHead(HeaderBlock& block, bool head_request, bool end,
                            http::ResponseHead& head);

// Whether the block may stand as a trailer section: no pseudo-header fields, within the limits.
// Fields that may not come behind a body are taken out.
HeadResult CheckTrailers(HeaderBlock& block);

}  // namespace headgate::http2
