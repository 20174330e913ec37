// Tests of ListDecoder and WatchDecoder.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/strings.h"
#include "controller/kube/list_decoder.h"
#include "controller/kube/watch_decoder.h"

namespace headgate::kube {
namespace {

using ::testing::HasSubstr;

const ResourceType& Services() { return ResourceTypeOf(Kind::kService); }

// Decodes `body` in parts of `step` bytes.
absl::Status DecodeList(std::string_view body, size_t step, Replacement* out,
                        ListDecoder* decoder) {
  for (size_t at = 0; at < body.size(); at += step) {
    if (absl::Status status = decoder->Feed(body.substr(at, step)); !status.ok()) return status;
  }
  static_cast<void>(out);
  return decoder->Finish();
}

constexpr std::string_view kList = R"({"kind":"ServiceList","apiVersion":"v1",
  "metadata":{"resourceVersion":"77","continue":"to\"ken","items":[1]},
  "items":[
    {"metadata":{"name":"a","namespace":"n","annotations":{"x":"]}{[\"\\"}},"spec":{"ports":[{"port":1}]}},
    {"metadata":{"name":"b","namespace":"n"},"spec":{"ports":[{"port":"x"}]}} , {"metadata":{"name":"c"}}
  ]})";

TEST(ListDecoderTest, DecodesItemsHoweverTheBytesAreCut) {
  for (size_t step = 1; step <= kList.size(); ++step) {
    Replacement out;
    ListDecoder decoder(Services(), &out);
    ASSERT_TRUE(DecodeList(kList, step, &out, &decoder).ok());
    EXPECT_EQ(decoder.resource_version(), "77");
    EXPECT_EQ(decoder.continue_token(), "to\"ken");
    ASSERT_EQ(out.objects.size(), 2u);
    EXPECT_EQ(MetaOf(out.objects[0]).key, (ObjectKey{"n", "a"}));
    EXPECT_EQ(MetaOf(out.objects[1]).key, (ObjectKey{"", "c"}));
    ASSERT_EQ(out.malformed.size(), 1u);
    EXPECT_EQ(out.malformed[0].key, (ObjectKey{"n", "b"}));
  }
}

TEST(ListDecoderTest, EmptyListsComeInThreeForms) {
  for (const char* items : {"\"items\":[],", "\"items\":null,", ""}) {
    Replacement out;
    ListDecoder decoder(Services(), &out);
    EXPECT_TRUE(DecodeList(StrCat("{", items, "\"metadata\":{\"resourceVersion\":\"1\"}}"), 7, &out,
                           &decoder)
                    .ok());
    EXPECT_TRUE(out.objects.empty());
  }
}

TEST(ListDecoderTest, EveryCutListIsAnError) {
  for (size_t length = 0; length < kList.size(); ++length) {
    Replacement out;
    ListDecoder decoder(Services(), &out);
    EXPECT_FALSE(DecodeList(kList.substr(0, length), 64, &out, &decoder).ok()) << length;
  }
}

TEST(ListDecoderTest, RefusesWhatIsNoList) {
  for (const char* body :
       {R"({"metadata":{}})", R"({"metadata":{"resourceVersion":5}})", "[]", "null", "}",
        R"({"items":{},"metadata":{"resourceVersion":"1"}})",
        R"({"items":[5],"metadata":{"resourceVersion":"1"}})",
        R"({"items":[[]],"metadata":{"resourceVersion":"1"}})",
        R"({"items":["x"],"metadata":{"resourceVersion":"1"}})",
        R"({"items":[{]],"metadata":{"resourceVersion":"1"}})",
        R"({"items":[{}],"metadata":{"resourceVersion":"1"}})",
        R"({"items":[{"metadata":{"name":"a"}}],"metadata":{"resourceVersion":"1"}} x)"}) {
    Replacement out;
    ListDecoder decoder(Services(), &out);
    EXPECT_FALSE(DecodeList(body, 5, &out, &decoder).ok()) << body;
  }
}

TEST(ListDecoderTest, BoundsWhatItKeeps) {
  Replacement out;
  ListDecoder large_item(Services(), &out);
  EXPECT_TRUE(large_item.Feed(R"({"items":[{"x":")").ok());
  const std::string block(size_t{1} << 20, 'x');
  absl::Status status;
  for (int i = 0; i < 17 && status.ok(); ++i) status = large_item.Feed(block);
  EXPECT_THAT(status.ToString(), HasSubstr("an item is too large"));
  ListDecoder large_head(Services(), &out);
  EXPECT_TRUE(large_head.Feed(R"({"metadata":{"x":")").ok());
  EXPECT_FALSE(large_head.Feed(block).ok());
}

constexpr std::string_view kWatch =
    R"({"type":"ADDED","object":{"metadata":{"name":"a","namespace":"n","resourceVersion":"5"}}}
{"type":"MODIFIED","object":{"metadata":{"name":"b","namespace":"n","resourceVersion":"6"},"spec":{"ports":5}}}

{"type":"DELETED","object":{"metadata":{"name":"c","namespace":"n","resourceVersion":"7"}}}
{"type":"DELETED","object":{"metadata":{"name":"d","namespace":"n","resourceVersion":"8"},"spec":5}}
{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"9"}}}
{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired","message":"too old resource version"}}
)";

TEST(WatchDecoderTest, DecodesLinesHoweverTheBytesAreCut) {
  for (size_t step = 1; step <= kWatch.size(); ++step) {
    WatchDecoder decoder(Services());
    std::vector<WatchEvent> events;
    for (size_t at = 0; at < kWatch.size(); at += step) {
      ASSERT_TRUE(decoder.Feed(kWatch.substr(at, step), &events).ok());
    }
    ASSERT_EQ(events.size(), 6u);
    EXPECT_EQ(MetaOf(std::get<Object>(events[0])).key.name, "a");
    EXPECT_EQ(std::get<MalformedObject>(events[1]).key.name, "b");
    EXPECT_EQ(std::get<MalformedObject>(events[1]).resource_version, "6");
    EXPECT_EQ(std::get<WatchDeletion>(events[2]).key.name, "c");
    EXPECT_EQ(std::get<WatchDeletion>(events[3]).key.name, "d");
    EXPECT_EQ(std::get<WatchDeletion>(events[3]).resource_version, "8");
    EXPECT_EQ(std::get<WatchBookmark>(events[4]).resource_version, "9");
    EXPECT_TRUE(std::get<WatchError>(events[5]).expired);
    EXPECT_EQ(std::get<WatchError>(events[5]).message, "410 Expired: too old resource version");
  }
}

TEST(WatchDecoderTest, ALineWithoutItsEndIsNoEvent) {
  WatchDecoder decoder(Services());
  std::vector<WatchEvent> events;
  const std::string_view line = kWatch.substr(0, kWatch.find('\n'));
  EXPECT_TRUE(decoder.Feed(line, &events).ok());
  EXPECT_TRUE(events.empty());
  EXPECT_TRUE(decoder.Feed("\n", &events).ok());
  EXPECT_EQ(events.size(), 1u);
}

TEST(WatchDecoderTest, OtherErrorsAreNotExpiry) {
  WatchDecoder decoder(Services());
  std::vector<WatchEvent> events;
  EXPECT_TRUE(
      decoder.Feed("{\"type\":\"ERROR\",\"object\":{\"code\":500,\"message\":\"boom\"}}\n", &events)
          .ok());
  EXPECT_TRUE(decoder.Feed("{\"type\":\"ERROR\",\"object\":{}}\n", &events).ok());
  EXPECT_TRUE(
      decoder.Feed("{\"type\":\"ERROR\",\"object\":{\"reason\":\"Gone\"}}\n", &events).ok());
  ASSERT_EQ(events.size(), 3u);
  EXPECT_FALSE(std::get<WatchError>(events[0]).expired);
  EXPECT_FALSE(std::get<WatchError>(events[1]).expired);
  EXPECT_TRUE(std::get<WatchError>(events[2]).expired);
}

TEST(WatchDecoderTest, RefusesWhatIsNoEvent) {
  for (const char* line :
       {"x", "5", "{}", R"({"type":"ADDED"})", R"({"type":"NEWS","object":{}})",
        R"({"type":5,"object":{}})", R"({"type":"ADDED","object":{}})",
        R"({"type":"ADDED","object":5})", R"({"type":"ERROR"})",
        R"({"type":"BOOKMARK","object":{}})", R"({"type":"BOOKMARK","object":5})"}) {
    WatchDecoder decoder(Services());
    std::vector<WatchEvent> events;
    EXPECT_FALSE(decoder.Feed(StrCat(line, "\n"), &events).ok()) << line;
    EXPECT_TRUE(events.empty()) << line;
  }
}

TEST(WatchDecoderTest, BoundsALine) {
  WatchDecoder decoder(Services());
  std::vector<WatchEvent> events;
  const std::string block(size_t{1} << 20, 'x');
  absl::Status status;
  int fed = 0;
  for (; fed < 20 && status.ok(); ++fed) status = decoder.Feed(block, &events);
  EXPECT_EQ(fed, 17);
}

}  // namespace
}  // namespace headgate::kube
