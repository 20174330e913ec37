#pragma once

#include <cstddef>
#include <string>

#include "tests/support/dataplane/peer.h"

namespace headgate::test {

// Two ends between which bytes pass as they are: what is sent at one comes out at the other, both
// ways.
void ExpectEcho(Peer& client, Peer& server, const std::string& text);

// 8 MiB from the client and, at the same time, back again; then both ends end. Returns the number
// of bytes one way.
size_t ExpectLargeEcho(Peer& client, Peer& server);

// Sends until the other end is not read any more, or `limit` bytes, and says how much that took.
size_t FillUp(Peer& from, size_t limit);

}  // namespace headgate::test
