#include "dataplane/files/answer.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

#include "dataplane/http/date.h"

namespace headgate::files {
namespace {

constexpr time_t kModified = 784111777;  // Sun, 06 Nov 1994 08:49:37 GMT
constexpr time_t kNow = kModified + 86400;
constexpr char kModifiedText[] = "Sun, 06 Nov 1994 08:49:37 GMT";
constexpr char kBefore[] = "Sun, 06 Nov 1994 08:49:36 GMT";
constexpr char kAfter[] = "Sun, 06 Nov 1994 08:49:38 GMT";

class AnswerTest : public testing::Test {
 protected:
  AnswerTest() {
    found.size = 1000;
    found.validators = {"\"v1\"", kModified};
    found.content_type = "text/plain; charset=utf-8";
  }

 public:  // to be chained
  AnswerTest& With(std::string_view name, std::string_view value) {
    request.fields.Add(name, value);
    return *this;
  }

  int Status() {
    MakeAnswer(request, found, action, kNow, "B", arena, head, parts);
    request.fields.Clear();
    return head.status;
  }

 protected:
  std::string_view Field(std::string_view name) { return head.fields.Get(name); }

  base::BlockPool pool;
  base::Arena arena{pool};
  http::RequestHead request;
  Representation found;
  config::StaticAction action;
  http::ResponseHead head;
  std::vector<BodyPart> parts;
};

TEST_F(AnswerTest, IsTheWholeFile) {
  EXPECT_EQ(Status(), 200);
  EXPECT_EQ(head.body, http::BodyLength::Fixed(1000));
  ASSERT_EQ(parts.size(), 1u);
  EXPECT_EQ(parts[0].size, 1000u);
  EXPECT_EQ(Field("ETag"), "\"v1\"");
  EXPECT_EQ(Field("Last-Modified"), kModifiedText);
  EXPECT_EQ(Field("Content-Type"), "text/plain; charset=utf-8");
  EXPECT_EQ(Field("Accept-Ranges"), "bytes");
  EXPECT_EQ(Field("Vary"), "");
  EXPECT_EQ(Field("Cache-Control"), "");
  EXPECT_EQ(Field("Expires"), "");
}

TEST_F(AnswerTest, HeadHasTheSameHeadAndNoBody) {
  request.method = http::Method::kHead;
  EXPECT_EQ(Status(), 200);
  EXPECT_EQ(head.body, http::BodyLength::Fixed(1000));
  EXPECT_TRUE(parts.empty());
  // Range is for GET alone.
  EXPECT_EQ(With("Range", "bytes=0-1").Status(), 200);
  EXPECT_EQ(With("If-None-Match", "\"v1\"").Status(), 304);
}

TEST_F(AnswerTest, AnEmptyFileHasNoParts) {
  found.size = 0;
  EXPECT_EQ(Status(), 200);
  EXPECT_EQ(head.body, http::BodyLength::Fixed(0));
  EXPECT_TRUE(parts.empty());
}

TEST_F(AnswerTest, OtherMethodsAreNotAllowed) {
  for (http::Method method :
       {http::Method::kPost, http::Method::kPut, http::Method::kOptions, http::Method::kOther}) {
    request.method = method;
    EXPECT_EQ(Status(), 405);
    EXPECT_EQ(Field("Allow"), "GET, HEAD");
    EXPECT_TRUE(parts.empty());
  }
}

TEST_F(AnswerTest, AFormChosenByEncodingSaysSo) {
  found.encoding = "br";
  found.varies = true;
  EXPECT_EQ(Status(), 200);
  EXPECT_EQ(Field("Content-Encoding"), "br");
  EXPECT_EQ(Field("Vary"), "Accept-Encoding");
  EXPECT_EQ(With("If-None-Match", "\"v1\"").Status(), 304);
  EXPECT_EQ(Field("Vary"), "Accept-Encoding");
  EXPECT_EQ(Field("Content-Encoding"), "");
}

TEST_F(AnswerTest, IfMatchComparesStrongly) {
  EXPECT_EQ(With("If-Match", "\"v1\"").Status(), 200);
  EXPECT_EQ(With("If-Match", "*").Status(), 200);
  EXPECT_EQ(With("If-Match", "\"v0\", \"v1\"").Status(), 200);
  EXPECT_EQ(With("If-Match", "\"v0\"").With("If-Match", "\"v1\"").Status(), 200);
  EXPECT_EQ(With("If-Match", "W/\"v1\"").Status(), 412);
  EXPECT_EQ(With("If-Match", "\"v0\"").Status(), 412);
  EXPECT_EQ(With("If-Match", "garbage").Status(), 412);
}

TEST_F(AnswerTest, IfNoneMatchComparesWeakly) {
  EXPECT_EQ(With("If-None-Match", "\"v1\"").Status(), 304);
  EXPECT_EQ(head.body, http::BodyLength::None());
  EXPECT_TRUE(parts.empty());
  EXPECT_EQ(Field("ETag"), "\"v1\"");
  EXPECT_EQ(With("If-None-Match", "W/\"v1\"").Status(), 304);
  EXPECT_EQ(With("If-None-Match", "\"a,b\", \"v1\"").Status(), 304);
  EXPECT_EQ(With("If-None-Match", "*").Status(), 304);
  EXPECT_EQ(With("If-None-Match", "\"v2\"").Status(), 200);
}

TEST_F(AnswerTest, DatesCountWithoutTags) {
  EXPECT_EQ(With("If-Modified-Since", kModifiedText).Status(), 304);
  EXPECT_EQ(With("If-Modified-Since", kAfter).Status(), 304);
  EXPECT_EQ(With("If-Modified-Since", kBefore).Status(), 200);
  EXPECT_EQ(With("If-Modified-Since", "yesterday").Status(), 200);
  EXPECT_EQ(With("If-Unmodified-Since", kBefore).Status(), 412);
  EXPECT_EQ(With("If-Unmodified-Since", kModifiedText).Status(), 200);
  EXPECT_EQ(With("If-Unmodified-Since", "nonsense").Status(), 200);
  // All three forms of a date.
  EXPECT_EQ(With("If-Modified-Since", "Sunday, 06-Nov-94 08:49:37 GMT").Status(), 304);
  EXPECT_EQ(With("If-Modified-Since", "Sun Nov  6 08:49:37 1994").Status(), 304);
}

TEST_F(AnswerTest, TagsComeBeforeDates) {
  EXPECT_EQ(With("If-None-Match", "\"v2\"").With("If-Modified-Since", kAfter).Status(), 200);
  EXPECT_EQ(With("If-Match", "\"v1\"").With("If-Unmodified-Since", kBefore).Status(), 200);
  // What must hold comes before what spares the body.
  EXPECT_EQ(With("If-Match", "\"v0\"").With("If-None-Match", "\"v1\"").Status(), 412);
}

TEST_F(AnswerTest, WithoutATimeOfModificationDatesAreNoConditions) {
  found.validators.last_modified.reset();
  EXPECT_EQ(With("If-Modified-Since", kAfter).Status(), 200);
  EXPECT_EQ(With("If-Unmodified-Since", kBefore).Status(), 200);
  EXPECT_EQ(Field("Last-Modified"), "");
}

TEST_F(AnswerTest, LastModifiedIsNeverInTheFuture) {
  found.validators.last_modified = kNow + 1000;
  EXPECT_EQ(Status(), 200);
  char now[http::kDateSize];
  http::WriteDate(kNow, now);
  EXPECT_EQ(Field("Last-Modified"), std::string_view(now, sizeof(now)));
}

TEST_F(AnswerTest, ARangeIsAPart) {
  EXPECT_EQ(With("Range", "bytes=10-19").Status(), 206);
  EXPECT_EQ(Field("Content-Range"), "bytes 10-19/1000");
  EXPECT_EQ(head.body, http::BodyLength::Fixed(10));
  ASSERT_EQ(parts.size(), 1u);
  EXPECT_EQ(parts[0].offset, 10u);
  EXPECT_EQ(parts[0].size, 10u);
  EXPECT_EQ(With("Range", "bytes=1000-").Status(), 416);
  EXPECT_EQ(Field("Content-Range"), "bytes */1000");
  EXPECT_TRUE(parts.empty());
  EXPECT_EQ(With("Range", "lines=1-2").Status(), 200);
}

TEST_F(AnswerTest, SeveralRangesAreAMultipart) {
  EXPECT_EQ(With("Range", "bytes=0-1,998-").Status(), 206);
  EXPECT_EQ(Field("Content-Type"), "multipart/byteranges; boundary=B");
  EXPECT_EQ(Field("Content-Range"), "");
  ASSERT_EQ(parts.size(), 3u);
  EXPECT_EQ(
      parts[0].text,
      "--B\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Range: bytes 0-1/1000\r\n\r\n");
  EXPECT_EQ(parts[1].text,
            "\r\n--B\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Range: bytes "
            "998-999/1000\r\n\r\n");
  EXPECT_EQ(parts[2].text, "\r\n--B--\r\n");
  uint64_t size = 0;
  for (const BodyPart& part : parts) size += part.text.size() + part.size;
  EXPECT_EQ(head.body, http::BodyLength::Fixed(size));
}

TEST_F(AnswerTest, IfRangeDecidesWhetherTheRangeCounts) {
  EXPECT_EQ(With("Range", "bytes=0-1").With("If-Range", "\"v1\"").Status(), 206);
  EXPECT_EQ(With("Range", "bytes=0-1").With("If-Range", "\"v0\"").Status(), 200);
  EXPECT_EQ(With("Range", "bytes=0-1").With("If-Range", "W/\"v1\"").Status(), 200);
  EXPECT_EQ(With("Range", "bytes=0-1").With("If-Range", kModifiedText).Status(), 206);
  EXPECT_EQ(With("Range", "bytes=0-1").With("If-Range", kAfter).Status(), 200);
  EXPECT_EQ(With("Range", "bytes=5000-").With("If-Range", "\"v0\"").Status(), 200);
  EXPECT_EQ(With("Range", "bytes=0-1").With("If-Range", "garbage").Status(), 200);
}

TEST_F(AnswerTest, ConditionsComeBeforeRanges) {
  EXPECT_EQ(With("Range", "bytes=0-1").With("If-None-Match", "\"v1\"").Status(), 304);
  EXPECT_EQ(With("Range", "bytes=5000-").With("If-Match", "\"v0\"").Status(), 412);
}

TEST_F(AnswerTest, SaysHowLongItIsFresh) {
  action.expires = std::chrono::seconds(3600);
  EXPECT_EQ(Status(), 200);
  EXPECT_EQ(Field("Cache-Control"), "max-age=3600");
  EXPECT_EQ(Field("Expires"), "Mon, 07 Nov 1994 09:49:37 GMT");
  action.cache_control = "public, immutable";
  EXPECT_EQ(With("If-None-Match", "*").Status(), 304);
  EXPECT_EQ(Field("Cache-Control"), "public, immutable");
  EXPECT_EQ(With("Range", "bytes=0-0").Status(), 206);
  EXPECT_EQ(Field("Cache-Control"), "public, immutable");
  EXPECT_EQ(With("Range", "bytes=2000-").Status(), 416);
  EXPECT_EQ(Field("Cache-Control"), "");
  action.cache_control = {};
  action.expires = std::chrono::seconds(0);
  EXPECT_EQ(Status(), 200);
  EXPECT_EQ(Field("Cache-Control"), "no-cache");
  EXPECT_EQ(Field("Expires"), "Thu, 01 Jan 1970 00:00:01 GMT");
}

}  // namespace
}  // namespace headgate::files
