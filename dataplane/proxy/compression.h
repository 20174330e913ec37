#pragma once

#include "dataplane/base/arena.h"
#include "dataplane/config/body_policy.h"
#include "dataplane/encoding/coding.h"
#include "dataplane/http/message.h"

namespace headgate::proxy {

// The coding that a response is to be sent in: what `policy` says of its type and length, and
// `request` of what the client takes. kIdentity where it must stay as it is (RFC 9110 sections 7.7
// and 8.4, RFC 9111 section 5.2): already encoded, no-transform, part of a whole, gRPC, an answer
// without body, a client of HTTP/1.0. Where another client could get it encoded `response` is
// marked as varying.
encoding::Coding ChooseCoding(const config::Compression& policy, const http::RequestHead& request,
                              http::ResponseHead& response);

// Makes `response` the head of the encoded body: says the coding, and takes back what held for the
// bytes as they were (length, ranges, digests, strong validator). New text goes to `arena`.
void MarkEncoded(encoding::Coding coding, http::ResponseHead& response, base::Arena& arena);

}  // namespace headgate::proxy
