#include "tests/support/dataplane/raw_pair.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <algorithm>
#include <thread>

namespace headgate::test {

void ExpectEcho(Peer& client, Peer& server, const std::string& text) {
  client.Send(text);
  EXPECT_EQ(server.Read(text.size()), text);
  server.Send(text);
  EXPECT_EQ(client.Read(text.size()), text);
}

size_t ExpectLargeEcho(Peer& client, Peer& server) {
  std::string text(8 << 20, '\0');
  for (size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>(i * 2654435761u >> 13);
  std::thread echo([&] {
    for (size_t got = 0; got < text.size();) {
      const std::string piece = server.Read(std::min<size_t>(10'000, text.size() - got));
      if (piece.empty()) break;
      server.Send(piece);
      got += piece.size();
    }
    server.ShutdownWrite();
  });
  std::thread writer([&] {
    client.Send(text);
    client.ShutdownWrite();
  });
  const std::string echoed = client.ReadToEnd();
  writer.join();
  echo.join();
  EXPECT_TRUE(echoed == text);
  return text.size();
}

size_t FillUp(Peer& from, size_t limit) {
  const std::string piece(1 << 16, 'x');
  size_t sent = 0;
  while (sent < limit) {
    const ssize_t got = send(from.fd(), piece.data(), piece.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (got > 0) {
      sent += static_cast<size_t>(got);
    } else if (!from.CanSend()) {
      break;
    }
  }
  return sent;
}

}  // namespace headgate::test
