#include "dataplane/http/header_map.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

#include "dataplane/http/date.h"
#include "dataplane/http/message.h"

namespace headgate::http {
namespace {

constexpr std::pair<std::string_view, FieldId> kKnown[] = {
    {"host", FieldId::kHost},
    {"connection", FieldId::kConnection},
    {"keep-alive", FieldId::kKeepAlive},
    {"proxy-connection", FieldId::kProxyConnection},
    {"te", FieldId::kTe},
    {"trailer", FieldId::kTrailer},
    {"transfer-encoding", FieldId::kTransferEncoding},
    {"upgrade", FieldId::kUpgrade},
    {"content-length", FieldId::kContentLength},
    {"content-type", FieldId::kContentType},
    {"content-encoding", FieldId::kContentEncoding},
    {"expect", FieldId::kExpect},
    {"date", FieldId::kDate},
    {"server", FieldId::kServer},
    {"user-agent", FieldId::kUserAgent},
    {"referer", FieldId::kReferer},
    {"authorization", FieldId::kAuthorization},
    {"cookie", FieldId::kCookie},
    {"location", FieldId::kLocation},
    {"proxy", FieldId::kProxy},
    {"proxy-authorization", FieldId::kProxyAuthorization},
    {"proxy-authenticate", FieldId::kProxyAuthenticate},
    {"x-forwarded-for", FieldId::kXForwardedFor},
    {"x-forwarded-host", FieldId::kXForwardedHost},
    {"x-forwarded-port", FieldId::kXForwardedPort},
    {"x-forwarded-proto", FieldId::kXForwardedProto},
    {"x-forwarded-scheme", FieldId::kXForwardedScheme},
    {"x-real-ip", FieldId::kXRealIp},
    {"x-request-id", FieldId::kXRequestId},
    {"x-scheme", FieldId::kXScheme},
    {"x-original-forwarded-for", FieldId::kXOriginalForwardedFor},
    {"x-original-forwarded-host", FieldId::kXOriginalForwardedHost},
    {"http2-settings", FieldId::kHttp2Settings},
};

TEST(Underscores, AreDroppedWhereTheTwinIsKnownOrAll) {
  for (const auto& [name, id] : kKnown) {
    std::string text(name);
    std::replace(text.begin(), text.end(), '-', '_');
    if (text == name) continue;
    EXPECT_TRUE(IsDropped(text, Underscores::kKeptUnlessKnown)) << text;
    text[0] = static_cast<char>(::toupper(text[0]));
    EXPECT_TRUE(IsDropped(text, Underscores::kKeptUnlessKnown)) << text;
    EXPECT_FALSE(IsDropped(text, Underscores::kKept)) << text;
  }
  EXPECT_TRUE(IsDropped("x_real-ip", Underscores::kKeptUnlessKnown));
  for (const std::string& name :
       {std::string("x_api_key"), std::string("_"), std::string(200, '_')}) {
    EXPECT_FALSE(IsDropped(name, Underscores::kKeptUnlessKnown)) << name;
    EXPECT_TRUE(IsDropped(name, Underscores::kDropped)) << name;
  }
}

TEST(HeaderMap, RemovesWhatLooksAlike) {
  HeaderMap fields;
  for (const char* name : {"X-User-Id", "x_user_id", "X-USER_ID", "X-User.Id", "X-User-Ids"})
    fields.Add(name, "1");
  EXPECT_EQ(fields.RemoveAlike("X-User-ID"), 3u);
  EXPECT_EQ(fields.size(), 2u);
}

TEST(ClassifyFieldName, KnowsEveryNameInAnyCase) {
  for (const auto& [name, id] : kKnown) {
    std::string text(name);
    EXPECT_EQ(ClassifyFieldName(text), id) << text;
    std::transform(text.begin(), text.end(), text.begin(), ::toupper);
    EXPECT_EQ(ClassifyFieldName(text), id) << text;
    text[0] = static_cast<char>(::tolower(text[0]));
    EXPECT_EQ(ClassifyFieldName(text), id) << text;
  }
}

TEST(ClassifyFieldName, EveryOtherNameIsOther) {
  for (const auto& [name, id] : kKnown) {
    for (size_t i = 0; i < name.size(); ++i) {
      for (int bit = 0; bit < 8; ++bit) {
        std::string text(name);
        text[i] = static_cast<char>(text[i] ^ (1 << bit));
        const bool same =
            std::equal(text.begin(), text.end(), name.begin(), name.end(),
                       [](char a, char b) { return std::tolower(static_cast<uint8_t>(a)) == b; });
        EXPECT_EQ(ClassifyFieldName(text), same ? id : FieldId::kOther) << text;
      }
    }
    EXPECT_EQ(ClassifyFieldName(std::string(name) + "x"), FieldId::kOther);
  }
  EXPECT_EQ(ClassifyFieldName(""), FieldId::kOther);
}

TEST(EqualsIgnoreCase, FoldsLettersOnly) {
  for (int a = 0; a < 256; ++a) {
    for (int b = 0; b < 256; ++b) {
      const bool same =
          a == b || (a < 128 && b < 128 && std::isalpha(a) && std::tolower(a) == std::tolower(b));
      // Short, one word, and in the overlap of two.
      for (size_t size : {size_t{1}, size_t{5}, size_t{7}, size_t{8}, size_t{11}}) {
        std::string x(size, 'q'), y(size, 'Q');
        x[size - 1] = static_cast<char>(a);
        y[size - 1] = static_cast<char>(b);
        EXPECT_EQ(EqualsIgnoreCase(x, y), same) << a << " " << b << " " << size;
      }
    }
  }
  EXPECT_FALSE(EqualsIgnoreCase("a", "ab"));
}

TEST(HeaderMap, KeepsOrderAndRepeatedNames) {
  HeaderMap fields;
  fields.Add("Accept", "a");
  fields.Add("HOST", "h");
  fields.Add("accept", "b");
  ASSERT_EQ(fields.size(), 3u);
  EXPECT_EQ(fields[0].value, "a");
  EXPECT_EQ(fields[2].value, "b");
  EXPECT_EQ(fields.Get("ACCEPT"), "a");
  EXPECT_EQ(fields.Get(FieldId::kHost), "h");
  EXPECT_EQ(fields.Find("none"), nullptr);
  EXPECT_EQ(fields.Get(FieldId::kDate), "");
  EXPECT_EQ(fields.Count(FieldId::kHost), 1u);
  EXPECT_EQ(fields.Remove("Accept"), 2u);
  EXPECT_EQ(fields.Remove(FieldId::kHost), 1u);
  EXPECT_TRUE(fields.empty());
}

TEST(HeaderMap, CopiesAreIndependent) {
  HeaderMap fields;
  for (int i = 0; i < 100; ++i) fields.Add("n", "v");
  HeaderMap copy = fields;
  fields.Clear();
  EXPECT_EQ(copy.size(), 100u);

  fields.Add("Date", "d");
  copy = fields;
  EXPECT_EQ(fields.Remove(FieldId::kDate), 1u);
  EXPECT_EQ(fields.Find(FieldId::kDate), nullptr);
  EXPECT_EQ(copy.Get(FieldId::kDate), "d");
  fields.Add({"date", "e", FieldId::kDate});
  EXPECT_EQ(fields.Get(FieldId::kDate), "e");
}

TEST(Methods, AreCaseSensitive) {
  EXPECT_EQ(ParseMethod("GET"), Method::kGet);
  EXPECT_EQ(ParseMethod("PATCH"), Method::kPatch);
  EXPECT_EQ(ParseMethod("CONNECT"), Method::kConnect);
  EXPECT_EQ(ParseMethod("get"), Method::kOther);
  EXPECT_EQ(ParseMethod("BREW"), Method::kOther);
  EXPECT_EQ(ParseMethod(""), Method::kOther);
}

TEST(Methods, OnlyDefinedOnesAreIdempotent) {
  EXPECT_TRUE(IsIdempotent(Method::kGet));
  EXPECT_TRUE(IsIdempotent(Method::kDelete));
  EXPECT_FALSE(IsIdempotent(Method::kPost));
  EXPECT_FALSE(IsIdempotent(Method::kPatch));
  EXPECT_FALSE(IsIdempotent(Method::kOther));
}

TEST(WriteDate, IsFixedLength) {
  std::string text(kDateSize, '?');
  WriteDate(784111777, text.data());
  EXPECT_EQ(text, "Sun, 06 Nov 1994 08:49:37 GMT");
  WriteDate(951782400, text.data());
  EXPECT_EQ(text, "Tue, 29 Feb 2000 00:00:00 GMT");
}

TEST(MessageTest, KnowsGrpcByItsType) {
  for (const char* type : {"application/grpc", "application/grpc+proto",
                           "application/grpc;charset=x", "Application/GRPC"}) {
    EXPECT_TRUE(IsGrpc(type)) << type;
  }
  for (const char* type : {"", "application/grpc-web", "application/grp", "text/plain"}) {
    EXPECT_FALSE(IsGrpc(type)) << type;
  }
}

}  // namespace
}  // namespace headgate::http
