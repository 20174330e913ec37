#include "dataplane/files/static_roots.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>

#include "dataplane/files/file_cache.h"

namespace headgate::files {
namespace {

namespace fs = std::filesystem;

// A root with a secret beside it.
class StaticRootTest : public testing::TestWithParam<Confinement> {
 protected:
  StaticRootTest() {
    std::string pattern = testing::TempDir() + "static_root_XXXXXX";
    base = mkdtemp(pattern.data());
    fs::create_directories(base + "/root/dir/deep");
    Write("secret.txt", "secret");
    Write("root/a.txt", "a");
    Write("root/dir/b.txt", "b");
    auto opened = StaticRoot::Open("main", base + "/root", GetParam());
    EXPECT_TRUE(opened.ok()) << opened.status();
    root = std::make_unique<StaticRoot>(*std::move(opened));
  }
  ~StaticRootTest() override { fs::remove_all(base); }

  void Write(const std::string& name, const std::string& content) {
    std::ofstream(base + "/" + name) << content;
  }
  void Link(const std::string& name, const std::string& target) {
    fs::create_symlink(target, base + "/" + name);
  }
  // The content, or "errno N".
  std::string Read(const std::string& path) {
    net::Fd fd = root->OpenBelow(path);
    if (!fd) return "errno " + std::to_string(errno);
    char bytes[64];
    const ssize_t got = read(fd.get(), bytes, sizeof(bytes));
    return got < 0 ? "errno " + std::to_string(errno)
                   : std::string(bytes, static_cast<size_t>(got));
  }
  static std::string Errno(int error) { return "errno " + std::to_string(error); }

  std::string base;
  std::unique_ptr<StaticRoot> root;
};

TEST_P(StaticRootTest, OpensWhatIsBelow) {
  EXPECT_EQ(Read("a.txt"), "a");
  EXPECT_EQ(Read("dir/b.txt"), "b");
  EXPECT_EQ(Read("dir/deep/../b.txt"), "b");
  EXPECT_EQ(Read("dir"), Errno(EISDIR));
  EXPECT_EQ(Read("missing"), Errno(ENOENT));
  EXPECT_EQ(Read("missing/x"), Errno(ENOENT));
  EXPECT_EQ(Read("a.txt/x"), Errno(ENOTDIR));
  EXPECT_EQ(Read(""), Errno(ENOENT));
}

TEST_P(StaticRootTest, OpensNothingAbove) {
  EXPECT_EQ(Read("../secret.txt"), Errno(EXDEV));
  EXPECT_EQ(Read("dir/../../secret.txt"), Errno(EXDEV));
  EXPECT_EQ(Read(".."), Errno(EXDEV));
  EXPECT_EQ(Read("/etc/passwd"), Errno(EXDEV));
  EXPECT_EQ(Read(base + "/secret.txt"), Errno(EXDEV));
  EXPECT_EQ(Read(std::string("a.txt\0/../../secret.txt", 22)), Errno(ENOENT));
}

TEST_P(StaticRootTest, LinksThatLeadOutAreRefused) {
  Link("root/out", "../secret.txt");
  Link("root/absolute", base + "/secret.txt");
  Link("root/inside_but_absolute", base + "/root/a.txt");
  Link("root/dir/up", "../..");
  Link("root/indirect", "dir/up/secret.txt");
  for (const char* name :
       {"out", "absolute", "inside_but_absolute", "dir/up", "dir/up/secret.txt", "indirect"}) {
    EXPECT_EQ(Read(name), Errno(EXDEV)) << name;
  }
  Link("root/proc", "/proc/self/root/etc/passwd");
  EXPECT_EQ(Read("proc"), Errno(EXDEV));
}

TEST_P(StaticRootTest, LinksWithinAreFollowed) {
  Link("root/near", "a.txt");
  Link("root/dir/far", "../a.txt");
  Link("root/there", "dir");
  EXPECT_EQ(Read("near"), "a");
  EXPECT_EQ(Read("dir/far"), "a");
  EXPECT_EQ(Read("there/b.txt"), "b");
  EXPECT_EQ(Read("there/far"), "a");
}

// A volume made of a ConfigMap: name → ..data/name, ..data → a directory with a date.
TEST_P(StaticRootTest, MountedConfigMapsWork) {
  fs::create_directory(base + "/root/..2026_01_01");
  Write("root/..2026_01_01/page.html", "first");
  Link("root/..data", "..2026_01_01");
  Link("root/page.html", "..data/page.html");
  EXPECT_EQ(Read("page.html"), "first");
  fs::create_directory(base + "/root/..2026_01_02");
  Write("root/..2026_01_02/page.html", "second");
  Link("root/..data_tmp", "..2026_01_02");
  fs::rename(base + "/root/..data_tmp", base + "/root/..data");
  EXPECT_EQ(Read("page.html"), "second");
}

TEST_P(StaticRootTest, LinksWithoutEndEnd) {
  Link("root/x", "y");
  Link("root/y", "x");
  EXPECT_EQ(Read("x"), Errno(ELOOP));
}

TEST_P(StaticRootTest, TheCacheTakesNothingButRegularFiles) {
  mkfifo((base + "/root/pipe").c_str(), 0600);
  FileCache cache;
  const net::TimePoint now;
  EXPECT_EQ(cache.Find(*root, "pipe", now).kind, FileLookup::Kind::kAbsent);  // and did not wait
  EXPECT_EQ(cache.Find(*root, "dir", now).kind, FileLookup::Kind::kDirectory);
  EXPECT_EQ(cache.Find(*root, "missing", now).kind, FileLookup::Kind::kAbsent);
  const FileLookup found = cache.Find(*root, "a.txt", now);
  ASSERT_EQ(found.kind, FileLookup::Kind::kFile);
  EXPECT_EQ(found.file->size, 1u);
}

TEST_P(StaticRootTest, TheCacheNoticesAReplacedFileAfterASecond) {
  FileCache cache;
  const net::TimePoint start;
  const FileLookup before = cache.Find(*root, "a.txt", start);
  EXPECT_EQ(cache.Find(*root, "new.txt", start).kind, FileLookup::Kind::kAbsent);
  Write("root/replacement", "longer");
  fs::rename(base + "/root/replacement", base + "/root/a.txt");
  Write("root/new.txt", "n");
  EXPECT_EQ(cache.Find(*root, "a.txt", start + std::chrono::milliseconds(999)).file, before.file);
  const FileLookup after = cache.Find(*root, "a.txt", start + std::chrono::milliseconds(1000));
  ASSERT_EQ(after.kind, FileLookup::Kind::kFile);
  EXPECT_EQ(after.file->size, 6u);
  EXPECT_NE(after.file->etag, before.file->etag);
  EXPECT_EQ(cache.Find(*root, "new.txt", start + std::chrono::milliseconds(1000)).kind,
            FileLookup::Kind::kFile);
}

TEST_P(StaticRootTest, TheCacheIsBounded) {
  FileCache cache(2);
  const net::TimePoint now;
  const auto first = cache.Find(*root, "a.txt", now).file;
  cache.Find(*root, "dir/b.txt", now);
  EXPECT_EQ(cache.Find(*root, "a.txt", now).file, first);  // now the most recent
  cache.Find(*root, "missing", now);
  EXPECT_EQ(cache.size(), 2u);
  EXPECT_EQ(cache.Find(*root, "a.txt", now).file, first);
}

INSTANTIATE_TEST_SUITE_P(Both, StaticRootTest,
                         testing::Values(Confinement::kKernel, Confinement::kWalk),
                         [](const auto& test) {
                           return std::string(test.param == Confinement::kKernel ? "Kernel"
                                                                                 : "Walk");
                         });

TEST(StaticRoot, TheKernelConfinesWhereItCan) {
  auto root = StaticRoot::Open("main", testing::TempDir());
  ASSERT_TRUE(root.ok());
  EXPECT_EQ(root->confinement(), Confinement::kKernel);
  EXPECT_FALSE(StaticRoot::Open("main", "/nonexistent/for/sure").ok());
}

}  // namespace
}  // namespace headgate::files
