#include "dataplane/proxy/auth_cache.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace headgate::proxy {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

const net::TimePoint kStart = net::TimePoint() + seconds(1000);

std::string Key(const std::string& key) { return AuthCache::KeyOf("a.example", "n/i", "/", key); }

TEST(AuthCacheTest, KeepsForItsTimeAndNoLonger) {
  AuthCache cache;
  cache.Keep(Key("x"), {.status = 200, .fields = {{"X-User", "ann"}}}, seconds(10), kStart);
  const AuthCache::Answer* kept = cache.Find(Key("x"), kStart + seconds(9));
  ASSERT_NE(kept, nullptr);
  EXPECT_EQ(kept->status, 200);
  EXPECT_EQ(kept->fields.at(0).second, "ann");
  EXPECT_EQ(cache.Find(Key("x"), kStart + seconds(10)), nullptr);
  EXPECT_EQ(cache.bytes(), 0u);
}

TEST(AuthCacheTest, ForgetsWhatIsNotUsed) {
  AuthCache cache;
  cache.Keep(Key("x"), {.status = 200, .fields = {}}, minutes(100), kStart);
  EXPECT_NE(cache.Find(Key("x"), kStart + minutes(29)), nullptr);
  EXPECT_NE(cache.Find(Key("x"), kStart + minutes(58)), nullptr);
  EXPECT_EQ(cache.Find(Key("x"), kStart + minutes(88)), nullptr);
}

TEST(AuthCacheTest, PartsOfAKeyDoNotRunIntoEachOther) {
  EXPECT_NE(AuthCache::KeyOf("a", "b", "c", "d"), AuthCache::KeyOf("ab", "", "c", "d"));
  EXPECT_NE(AuthCache::KeyOf("a", "b", "c", "d"), AuthCache::KeyOf("a", "b", "cd", ""));
}

TEST(AuthCacheTest, StaysWithinItsMemory) {
  AuthCache cache;
  for (int i = 0; i < 20'000; ++i) {
    cache.Keep(Key(std::to_string(i)), {.status = 200, .fields = {{"X", std::string(1000, 'x')}}},
               minutes(1), kStart);
    ASSERT_LE(cache.bytes(), AuthCache::kMaxBytes);
  }
  EXPECT_EQ(cache.Find(Key("0"), kStart), nullptr);
  EXPECT_NE(cache.Find(Key("19999"), kStart), nullptr);
  cache.Keep(Key("19999"), {.status = 401, .fields = {}}, minutes(1), kStart);
  EXPECT_EQ(cache.Find(Key("19999"), kStart)->status, 401);
}

TEST(AuthCacheTest, WhatTheAnswerItselfSaysGoesFirst) {
  const auto time = [](std::string_view name, std::string_view value) {
    http::HeaderMap fields;
    fields.Add(name, value);
    return KeepTime(fields, seconds(60));
  };
  EXPECT_EQ(time("X-A", "b"), seconds(60));
  EXPECT_EQ(time("Set-Cookie", "a=1"), std::nullopt);
  EXPECT_EQ(time("Vary", "*"), std::nullopt);
  EXPECT_EQ(time("Cache-Control", "public, no-store"), std::nullopt);
  EXPECT_EQ(time("Cache-Control", "private"), std::nullopt);
  EXPECT_EQ(time("cache-control", "No-Cache"), std::nullopt);
  EXPECT_EQ(time("Cache-Control", "max-age=5"), seconds(5));
  EXPECT_EQ(time("Cache-Control", "max-age=5, s-maxage=7"), seconds(7));
  EXPECT_EQ(time("Cache-Control", "max-age=0"), std::nullopt);
  EXPECT_EQ(time("Cache-Control", "max-age=soon"), std::nullopt);
  EXPECT_EQ(time("Cache-Control", "public"), seconds(60));
}

}  // namespace
}  // namespace headgate::proxy
