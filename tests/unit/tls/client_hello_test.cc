#include "dataplane/tls/client_hello.h"

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <string>

namespace headgate::tls {
namespace {

using Status = ClientHelloResult::Status;

std::string Number(size_t number, size_t size) {
  std::string out;
  while (size-- > 0) out += static_cast<char>(number >> (8 * size));
  return out;
}
std::string Vector(size_t size, const std::string& bytes) {
  return Number(bytes.size(), size) + bytes;
}
std::string Extension(size_t type, const std::string& value) {
  return Number(type, 2) + Vector(2, value);
}
std::string Name(const std::string& name) {
  return Extension(0, Vector(2, std::string(1, '\0') + Vector(2, name)));
}
std::string Message(const std::string& body) { return std::string(1, '\1') + Vector(3, body); }
std::string Record(const std::string& payload) {
  return std::string("\x16\x03\x01") + Vector(2, payload);
}
std::string Fixed() {
  return "\x03\x03" + std::string(32, 'r') + Vector(1, "") + Vector(2, std::string("\x13\x01")) +
         Vector(1, std::string(1, '\0'));
}
std::string Hello(const std::string& extensions) {
  return Message(Fixed() + Vector(2, extensions));
}

// The hello of a real client.
std::string OpenSslHello(const char* name) {
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  SSL* ssl = SSL_new(context);
  BIO* out = BIO_new(BIO_s_mem());
  SSL_set_bio(ssl, BIO_new(BIO_s_mem()), out);
  if (name != nullptr) SSL_set_tlsext_host_name(ssl, name);
  SSL_connect(ssl);
  char* data = nullptr;
  const long size = BIO_get_mem_data(out, &data);
  std::string bytes(data, static_cast<size_t>(size));
  SSL_free(ssl);
  SSL_CTX_free(context);
  return bytes;
}

TEST(ClientHello, OfARealClient) {
  const ClientHelloResult named = ParseClientHello(OpenSslHello("Shop.Example.com"));
  EXPECT_EQ(named.status, Status::kComplete);
  EXPECT_EQ(named.server_name, "shop.example.com");
  const ClientHelloResult nameless = ParseClientHello(OpenSslHello(nullptr));
  EXPECT_EQ(nameless.status, Status::kComplete);
  EXPECT_EQ(nameless.server_name, "");
}

TEST(ClientHello, MayComeInPiecesAndInManyRecords) {
  const std::string message = Hello(Name("a.example"));
  for (const size_t piece : {1u, 3u, 4u, 5u, 50u, 1000u}) {
    std::string bytes;
    for (size_t at = 0; at < message.size(); at += piece)
      bytes += Record(message.substr(at, piece));
    for (size_t size = 0; size < bytes.size(); ++size) {
      ASSERT_EQ(ParseClientHello(bytes.substr(0, size)).status, Status::kIncomplete)
          << piece << " " << size;
    }
    EXPECT_EQ(ParseClientHello(bytes).server_name, "a.example") << piece;
    EXPECT_EQ(ParseClientHello(bytes + "what follows").server_name, "a.example") << piece;
  }
}

TEST(ClientHello, OtherExtensionsDoNotMatter) {
  const std::string grease = Extension(0x0a0a, "") + Extension(43, "\2\3\4");
  EXPECT_EQ(ParseClientHello(Record(Hello(grease + Name("a.example") + grease))).server_name,
            "a.example");
  const ClientHelloResult none = ParseClientHello(Record(Message(Fixed())));
  EXPECT_EQ(none.status, Status::kComplete);
  EXPECT_EQ(none.server_name, "");
}

TEST(ClientHello, WhatIsNoneIsMalformed) {
  const std::string good = Hello(Name("a.example"));
  const auto status = [](const std::string& bytes) { return ParseClientHello(bytes).status; };
  EXPECT_EQ(status("GET / HTTP/1.1\r\n"), Status::kMalformed);
  EXPECT_EQ(status("G"), Status::kMalformed);
  EXPECT_EQ(status(std::string("\x16\x02")), Status::kMalformed) << "version of the record";
  EXPECT_EQ(status(std::string("\x16\x03\x01\x00\x00", 5)), Status::kMalformed) << "empty record";
  EXPECT_EQ(status(std::string("\x16\x03\x01\x40\x01", 5)), Status::kMalformed)
      << "record too long";
  EXPECT_EQ(status(Record("\2")), Status::kMalformed) << "another message";
  EXPECT_EQ(status(Record(good + "x")), Status::kMalformed) << "two messages in a record";
  EXPECT_EQ(status(Record(std::string("\1\0\x40\1", 4))), Status::kMalformed) << "too long";
  EXPECT_EQ(status(Record(good.substr(0, 20)) + "\x17\x03\x01"), Status::kMalformed)
      << "interleaved";
}

TEST(ClientHello, WhatCouldBeReadInTwoWaysIsMalformed) {
  const auto status = [](const std::string& extensions) {
    return ParseClientHello(Record(Hello(extensions))).status;
  };
  EXPECT_EQ(status(Name("a.example") + Name("b.example")), Status::kMalformed);
  EXPECT_EQ(status(Name("")), Status::kMalformed);
  EXPECT_EQ(status(Name(std::string("a\0.example", 10))), Status::kMalformed);
  EXPECT_EQ(status(Name("a example")), Status::kMalformed);
  EXPECT_EQ(status(Name(std::string(256, 'a'))), Status::kMalformed);
  EXPECT_EQ(status(Extension(0, "")), Status::kMalformed);
  EXPECT_EQ(status(Extension(0, Vector(2, "\1" + Vector(2, "a.example")))), Status::kMalformed);
  const std::string one = std::string(1, '\0') + Vector(2, "a.example");
  EXPECT_EQ(status(Extension(0, Vector(2, one + one))), Status::kMalformed);
  EXPECT_EQ(status(Extension(0, Vector(2, one) + "x")), Status::kMalformed);
  EXPECT_EQ(status("x"), Status::kMalformed);
  EXPECT_EQ(ParseClientHello(Record(Message(Fixed() + Vector(2, Name("a.example")) + "x"))).status,
            Status::kMalformed);
}

TEST(ClientHello, IsBounded) {
  std::string bytes;
  while (bytes.size() < kMaxClientHelloBytes)
    bytes += Record(bytes.empty() ? std::string("\1\0\x40\0", 4) : "x");
  EXPECT_EQ(ParseClientHello(bytes).status, Status::kMalformed);
  EXPECT_EQ(ParseClientHello(bytes.substr(0, kMaxClientHelloBytes - 1)).status,
            Status::kIncomplete);
}

}  // namespace
}  // namespace headgate::tls
