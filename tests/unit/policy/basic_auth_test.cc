#include "dataplane/policy/basic_auth.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/escaping.h"

namespace headgate::policy {
namespace {

std::string Basic(const std::string& text) { return "Basic " + absl::Base64Escape(text); }

TEST(BasicAuthTest, ReadsUserAndPassword) {
  const auto plain = ParseBasic(Basic("ann:pass:word"));
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->user, "ann");
  EXPECT_EQ(plain->password, "pass:word");
  EXPECT_TRUE(ParseBasic("bAsIc   " + absl::Base64Escape("a:")));
  for (const std::string& bad :
       {std::string(), std::string("Basic"), std::string("Basic "), std::string("Bearer abc"),
        std::string("Basic ???"), Basic("no colon"), "Basic" + absl::Base64Escape("a:b")}) {
    EXPECT_FALSE(ParseBasic(bad)) << bad;
  }
}

TEST(UserTableTest, ReadsFilesAsNginxDoes) {
  UserTable users;
  users.AddFile(
      "# ann:{PLAIN}comment\nann:{PLAIN}one\r\nann:{PLAIN}two\nbob:{PLAIN}three:a comment\n"
      "no colon\n\nempty:\nlast:{PLAIN}four");
  EXPECT_EQ(users.HashOf("ann"), "{PLAIN}one");
  EXPECT_EQ(users.HashOf("bob"), "{PLAIN}three");
  EXPECT_EQ(users.HashOf("last"), "{PLAIN}four");
  EXPECT_EQ(users.HashOf("empty"), "");
  EXPECT_EQ(users.HashOf("# ann"), "");
  EXPECT_EQ(users.HashOf("no colon"), "");
  EXPECT_EQ(users.HashOf(""), "");
}

TEST(UserTableTest, AUsersHashEndsWhereALineWould) {
  UserTable users;
  users.AddUser("ann", "{PLAIN}one\nbob:{PLAIN}two");
  EXPECT_EQ(users.HashOf("ann"), "{PLAIN}one");
  EXPECT_EQ(users.HashOf("bob"), "");
}

TEST(UserTableTest, EachIsAnother) { EXPECT_NE(UserTable().id(), UserTable().id()); }

}  // namespace
}  // namespace headgate::policy
