#include "dataplane/policy/digest_auth.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <array>
#include <cstdint>
#include <string>

#include "absl/strings/escaping.h"

namespace headgate::policy {
namespace {

constexpr int64_t kNow = 1'800'000'000;
constexpr uint64_t kId = 0x1234;
constexpr char kRealm[] = "Members only";

std::string Md5(const std::string& text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_md5(), nullptr);
  return absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(digest.data()), size));
}

class DigestAuthTest : public ::testing::Test {
 protected:
  DigestAuthTest() {
    users_.AddFile("ann:Members only:" + Md5("ann:Members only:apple") + "\nbob:short:abc\n");
  }

  // As a client makes it; `more` is added at the end.
  std::string Respond(const std::string& password, const std::string& nonce,
                      const std::string& more = "", const std::string& uri = "/a?b",
                      const std::string& count = "00000001") {
    const std::string ha1 = Md5("ann:Members only:" + password);
    const std::string response =
        Md5(ha1 + ":" + nonce + ":" + count + ":c:auth:" + Md5("GET:" + uri));
    return "Digest username=\"ann\", realm=\"Members only\", nonce=\"" + nonce + "\", uri=\"" +
           uri + "\", qop=auth, nc=" + count + ", cnonce=\"c\", response=\"" + response + "\"" +
           more;
  }
  DigestVerdict Check(const std::string& authorization, int64_t now = kNow,
                      const std::string& target = "/a?b") {
    return CheckDigest(users_, kRealm, authorization, "GET", target, now, use_);
  }

  UserTable users_;
  NonceUse use_;
};

TEST_F(DigestAuthTest, TakesTheRightResponse) {
  const std::string nonce = MakeNonce(users_, kNow, kId);
  EXPECT_EQ(Check(Respond("apple", nonce)), DigestVerdict::kMatches);
  EXPECT_EQ(Check(Respond("apple", nonce, ", algorithm=MD5, opaque=\"x\\\"y\"")),
            DigestVerdict::kMatches);
  EXPECT_EQ(Check(Respond("apple", nonce), kNow + 300), DigestVerdict::kMatches);
  EXPECT_EQ(Check(Respond("apple", nonce), kNow - 5), DigestVerdict::kMatches)
      << "another machine's clock";
  EXPECT_EQ(Check(Respond("Apple", nonce)), DigestVerdict::kDoesNot);
}

TEST_F(DigestAuthTest, AnOldOrForeignNonceIsStaleForWhoKnowsThePassword) {
  const std::string nonce = MakeNonce(users_, kNow, kId);
  EXPECT_EQ(Check(Respond("apple", nonce), kNow + 301), DigestVerdict::kStale);
  EXPECT_EQ(Check(Respond("wrong", nonce), kNow + 301), DigestVerdict::kDoesNot);
  EXPECT_EQ(Check(Respond("apple", "made up")), DigestVerdict::kStale);
  std::string forged = nonce;
  forged[15] = forged[15] == '0' ? '1' : '0';
  EXPECT_EQ(Check(Respond("apple", forged)), DigestVerdict::kStale);
  UserTable others;
  others.AddFile("ann:Members only:" + Md5("x"));
  EXPECT_EQ(Check(Respond("apple", MakeNonce(others, kNow, kId))), DigestVerdict::kStale);
}

TEST_F(DigestAuthTest, EqualFilesMakeEqualNonces) {
  UserTable same;
  same.AddFile("ann:Members only:" + Md5("ann:Members only:apple") + "\nbob:short:abc\n");
  EXPECT_EQ(MakeNonce(same, kNow, kId), MakeNonce(users_, kNow, kId));
}

TEST_F(DigestAuthTest, SaysWhichUseOfWhichNonceItIs) {
  ASSERT_EQ(
      Check(Respond("apple", MakeNonce(users_, kNow, 0xfedcba9876543210u), "", "/a?b", "0000001F")),
      DigestVerdict::kMatches);
  EXPECT_EQ(use_.made, kNow);
  EXPECT_EQ(use_.id, 0xfedcba9876543210u);
  EXPECT_EQ(use_.count, 31u);
  EXPECT_NE(MakeNonce(users_, kNow, 1), MakeNonce(users_, kNow, 2));
  for (const char* count : {"00000000", "1", "000000001", "0000000g", "-0000001", ""}) {
    EXPECT_EQ(Check(Respond("apple", MakeNonce(users_, kNow, kId), "", "/a?b", count)),
              DigestVerdict::kDoesNot)
        << count;
  }
}

TEST_F(DigestAuthTest, AResponseIsForOneRequest) {
  const std::string nonce = MakeNonce(users_, kNow, kId);
  EXPECT_EQ(Check(Respond("apple", nonce), kNow, "/other"), DigestVerdict::kDoesNot);
  EXPECT_EQ(CheckDigest(users_, kRealm, Respond("apple", nonce), "POST", "/a?b", kNow, use_),
            DigestVerdict::kDoesNot);
  EXPECT_EQ(CheckDigest(users_, "Other", Respond("apple", nonce), "GET", "/a?b", kNow, use_),
            DigestVerdict::kDoesNot);
}

TEST_F(DigestAuthTest, WhatCannotBeReadDoesNotMatch) {
  const std::string nonce = MakeNonce(users_, kNow, kId);
  for (const std::string& bad :
       {std::string(), std::string("Basic YTpi"), std::string("Digest"),
        std::string("Digest username"), Respond("apple", nonce, ", algorithm=SHA-256"),
        Respond("apple", nonce, ", username=\"ann\""), Respond("apple", nonce, ", open=\"quote"),
        std::string("Digest username=\"ann\", realm=\"Members only\"")}) {
    EXPECT_EQ(Check(bad), DigestVerdict::kDoesNot) << bad;
  }
}

TEST_F(DigestAuthTest, TheChallengeSaysWhatIsWanted) {
  EXPECT_EQ(DigestChallenge(users_, kRealm, false, kNow, kId),
            "Digest algorithm=\"MD5\", qop=\"auth\", realm=\"Members only\", nonce=\"" +
                MakeNonce(users_, kNow, kId) + "\"");
  EXPECT_TRUE(DigestChallenge(users_, kRealm, true, kNow, kId).ends_with(", stale=\"true\""));
}

}  // namespace
}  // namespace headgate::policy
