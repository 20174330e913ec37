// What the tables of strictness_*_test.cc share. docs/http-strictness.md has a row for each row of
// theirs, by name; lint.py compares the two.
#pragma once

#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/support/dataplane/peer.h"
#include "tests/support/dataplane/test_proxy.h"
#include "tests/support/strict_reader.h"

namespace headgate::test {

using headgate::testing::StrictKind;
using headgate::testing::StrictMessage;
using headgate::testing::TakeStrictly;
using observe::CounterId;

// The oracle in all of them: what came in may be anything, but the bytes on the upstream connection
// and those on the client's have one reading, and the next request gets its own answer.
class StrictnessTest : public ::testing::Test {
 protected:
  StrictnessTest() { proxy.Route("a.example", {upstream.address()}); }

  static std::string Get(std::string_view path) {
    return "GET " + std::string(path) + " HTTP/1.1\r\nHost: a.example\r\n\r\n";
  }
  static std::string Ok(std::string_view body) {
    return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
           std::string(body);
  }

  // Reads one request with the strict reader and leaves nothing behind it.
  static StrictMessage ReadStrictRequest(Peer& server) {
    return ReadStrict(server, StrictKind::kRequest);
  }
  static StrictMessage ReadStrictResponse(Peer& client, StrictKind kind = StrictKind::kResponse) {
    return ReadStrict(client, kind);
  }

  // A request on the client's connection and its own answer, by way of `server` or a new
  // connection.
  void ExpectOwnAnswer(Peer& client, Peer& server, bool new_connection) {
    client.Send(Get("/next"));
    if (new_connection) server = upstream.Accept();
    const StrictMessage request = ReadStrictRequest(server);
    EXPECT_TRUE(request.complete());
    EXPECT_EQ(request.head.start_line, "GET /next HTTP/1.1");
    server.Send(Ok("the next answer"));
    const StrictMessage response = ReadStrictResponse(client);
    EXPECT_TRUE(response.complete());
    EXPECT_EQ(response.body, "the next answer");
  }

  TestProxy proxy;
  PeerListener upstream;

 private:
  static StrictMessage ReadStrict(Peer& peer, StrictKind kind) {
    std::string stream;
    StrictMessage message;
    do {
      const std::string more = peer.ReadSome();
      if (more.empty()) return message;
      stream += more;
      message = TakeStrictly(stream, kind);
    } while (message.reading == StrictMessage::Reading::kIncomplete);
    EXPECT_EQ(stream, message.complete() ? "" : stream) << "bytes after the message";
    EXPECT_TRUE(message.complete()) << "two readings: " << stream;
    return message;
  }
};

// "name: value|" for each field but those that are ours to set.
inline std::string FieldsText(const std::vector<std::pair<std::string, std::string>>& fields) {
  std::string text;
  for (const auto& [name, value] : fields) {
    const bool ours = name == "x-request-id" || name == "x-real-ip" || name == "x-scheme" ||
                      name == "date" || name.starts_with("x-forwarded-");
    if (!ours) text += name + ": " + value + "|";
  }
  return text;
}

template <typename Row>
class StrictnessTable : public StrictnessTest, public ::testing::WithParamInterface<Row> {};

// Rows are printed by name.
template <typename Row>
std::string RowName(const ::testing::TestParamInfo<Row>& info) {
  return info.param.name;
}

}  // namespace headgate::test
