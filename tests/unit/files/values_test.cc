#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dataplane/files/encodings.h"
#include "dataplane/files/mime.h"

namespace headgate::files {
namespace {

using testing::ElementsAre;

TEST(MimeTypeOf, GoesByTheExtension) {
  EXPECT_EQ(MimeTypeOf("index.html").text, "text/html; charset=utf-8");
  EXPECT_EQ(MimeTypeOf("a/b/APP.JS").text, "text/javascript; charset=utf-8");
  EXPECT_EQ(MimeTypeOf("x.3gp").text, "video/3gpp");        // the first of the table
  EXPECT_EQ(MimeTypeOf("x.zst").text, "application/zstd");  // and the last
  EXPECT_EQ(MimeTypeOf("site.webmanifest").text, "application/manifest+json");
  EXPECT_EQ(MimeTypeOf("a.tar.gz").text, "application/gzip");
  EXPECT_TRUE(MimeTypeOf("a.svg").compressible);
  EXPECT_FALSE(MimeTypeOf("a.png").compressible);
}

TEST(MimeTypeOf, IsBytesOtherwise) {
  for (const char* name :
       {"", "README", "x.", "x.unknown", "a.b/c", "x.averyveryverylongone", ".html/x"}) {
    EXPECT_EQ(MimeTypeOf(name).text, "application/octet-stream") << name;
  }
}

EncodingWeights Accepted(std::initializer_list<const char*> values) {
  http::HeaderMap fields;
  for (const char* value : values) fields.Add("Accept-Encoding", value);
  return AcceptedEncodings(fields);
}

// In the order of kEncodings: br, zstd, gzip.
TEST(AcceptedEncodings, ReadsWeights) {
  EXPECT_THAT(Accepted({}), ElementsAre(0, 0, 0));
  EXPECT_THAT(Accepted({""}), ElementsAre(0, 0, 0));
  EXPECT_THAT(Accepted({"gzip, deflate, br"}), ElementsAre(1000, 0, 1000));
  EXPECT_THAT(Accepted({"GZIP;q=0.5", "zstd; q=0.25"}), ElementsAre(0, 250, 500));
  EXPECT_THAT(Accepted({"*"}), ElementsAre(1000, 1000, 1000));
  EXPECT_THAT(Accepted({"br;q=0, *;q=0.1"}), ElementsAre(0, 100, 100));
  EXPECT_THAT(Accepted({"x-gzip"}), ElementsAre(0, 0, 1000));
  EXPECT_THAT(Accepted({"identity"}), ElementsAre(0, 0, 0));
}

TEST(AcceptedEncodings, TakesABadWeightForARefusal) {
  for (const char* value :
       {"br;q=2", "br;q=1.001", "br;q=0.1234", "br;q=", "br;q=x", "br;level=1", "br;q=.5"}) {
    EXPECT_THAT(Accepted({value}), ElementsAre(0, 0, 0)) << value;
  }
}

}  // namespace
}  // namespace headgate::files
