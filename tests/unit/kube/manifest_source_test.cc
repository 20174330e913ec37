#include "controller/kube/manifest_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>

#include "common/strings.h"
#include "tests/unit/kube/recording_sink.h"

namespace headgate::kube {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

std::string Namespaced(const std::string& name) {
  return StrCat("apiVersion: v1\nkind: Namespace\nmetadata:\n  name: ", name, "\n");
}

class ManifestSourceTest : public ::testing::Test {
 protected:
  ManifestSourceTest() {
    std::string pattern = ::testing::TempDir() + "headgate_manifests_XXXXXX";
    folder = mkdtemp(pattern.data());
    options.folder = folder;
    options.hold_off = absl::Milliseconds(1);
  }
  ~ManifestSourceTest() override {
    source.reset();
    std::filesystem::remove_all(folder);
  }

  void Start() {
    source = std::make_unique<ManifestSource>(options, sink, clock, metrics);
    ASSERT_TRUE(source->Start().ok());
  }
  std::string Path(const std::string& name) const { return folder + "/" + name; }
  void Write(const std::string& name, const std::string& content) const {
    std::ofstream(Path(name), std::ios::trunc) << content;
  }

  std::string folder;
  ManifestSourceOptions options;
  RecordingSink sink;
  SystemClock clock;
  MetricsRegistry metrics;
  std::unique_ptr<ManifestSource> source;
};

TEST_F(ManifestSourceTest, DeliversEverythingBeforeStartReturns) {
  Write("a.yaml", Namespaced("a"));
  Write("b.json", R"({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "b"}})");
  Write("notes.txt", "not a manifest");
  Write(".hidden.yaml", Namespaced("hidden"));
  std::filesystem::create_directories(Path("sub/deeper"));
  Write("sub/c.yml", Namespaced("c"));
  Write("sub/deeper/d.yaml", Namespaced("d"));
  Start();
  EXPECT_EQ(sink.size(), 3u);
  EXPECT_EQ(sink.replacements(), 7);
  EXPECT_THAT(sink.TakeLog(),
              UnorderedElementsAre("+Namespace a", "+Namespace b", "+Namespace c", "synced Ingress",
                                   "synced IngressClass", "synced Service", "synced EndpointSlice",
                                   "synced Secret", "synced ConfigMap", "synced Namespace"));
}

TEST_F(ManifestSourceTest, AFolderThatIsNotThereIsAnError) {
  options.folder = Path("none");
  source = std::make_unique<ManifestSource>(options, sink, clock, metrics);
  EXPECT_FALSE(source->Start().ok());
}

TEST_F(ManifestSourceTest, FollowsCreationChangeRenameAndDeletion) {
  Start();
  Write("a.yaml", Namespaced("a"));
  EXPECT_TRUE(sink.AwaitLog("+Namespace a"));
  Write("a.yaml", Namespaced("a2"));
  EXPECT_TRUE(sink.AwaitLog("+Namespace a2"));
  EXPECT_TRUE(sink.AwaitLog("-Namespace a"));
  Write(".b.tmp", Namespaced("b"));
  std::filesystem::rename(Path(".b.tmp"), Path("b.yaml"));
  EXPECT_TRUE(sink.AwaitLog("+Namespace b"));
  std::filesystem::remove(Path("b.yaml"));
  EXPECT_TRUE(sink.AwaitLog("-Namespace b"));
}

TEST_F(ManifestSourceTest, FollowsANewSubFolder) {
  Start();
  std::filesystem::create_directory(Path("sub"));
  Write("sub/a.yaml", Namespaced("a"));
  EXPECT_TRUE(sink.AwaitLog("+Namespace a"));
  Write("sub/b.yaml", Namespaced("b"));
  EXPECT_TRUE(sink.AwaitLog("+Namespace b"));
  std::filesystem::remove_all(Path("sub"));
  EXPECT_TRUE(sink.AwaitLog("-Namespace a"));
  EXPECT_TRUE(sink.AwaitLog("-Namespace b"));
}

TEST_F(ManifestSourceTest, FollowsTheSymlinkSwapOfAVolume) {
  std::filesystem::create_directory(Path("..1"));
  Write("..1/a.yaml", Namespaced("one"));
  std::filesystem::create_symlink("..1", Path("..data"));
  std::filesystem::create_symlink("..data/a.yaml", Path("a.yaml"));
  Start();
  ASSERT_TRUE(sink.AwaitLog("+Namespace one"));
  std::filesystem::create_directory(Path("..2"));
  Write("..2/a.yaml", Namespaced("two"));
  std::filesystem::create_symlink("..2", Path("..data_tmp"));
  std::filesystem::rename(Path("..data_tmp"), Path("..data"));
  EXPECT_TRUE(sink.AwaitLog("+Namespace two"));
  EXPECT_TRUE(sink.AwaitLog("-Namespace one"));
}

TEST_F(ManifestSourceTest, AFileIsNotReadWhileItIsWritten) {
  options.writing_limit = absl::Hours(1);
  Write("a.yaml", Namespaced("a") + "---\n" + Namespaced("b"));
  Start();
  sink.TakeLog();
  std::ofstream file(Path("a.yaml"), std::ios::trunc);
  file << Namespaced("a") << std::flush;  // half of it: valid, but "b" seems gone
  Write("other.yaml", Namespaced("other"));
  ASSERT_TRUE(sink.AwaitLog("+Namespace other"));
  EXPECT_THAT(sink.TakeLog(), ElementsAre("+Namespace other"));
  file << "---\n" << Namespaced("b") << "---\n" << Namespaced("c");
  file.close();
  EXPECT_TRUE(sink.AwaitLog("+Namespace c"));
  EXPECT_THAT(sink.TakeLog(), ElementsAre("+Namespace c"));
}

TEST_F(ManifestSourceTest, AFileThatIsMovedAwayAndWrittenAnewLosesNothing) {
  options.deletion_grace = absl::Hours(1);
  Write("a.yaml", Namespaced("a"));
  Start();
  sink.TakeLog();
  std::filesystem::rename(Path("a.yaml"), Path("a.yaml~"));
  Write("other.yaml", Namespaced("other"));
  ASSERT_TRUE(sink.AwaitLog("+Namespace other"));  // a scan in which a.yaml was missing
  Write("a.yaml", Namespaced("a") + "---\n" + Namespaced("b"));
  ASSERT_TRUE(sink.AwaitLog("+Namespace b"));
  EXPECT_THAT(sink.TakeLog(), ElementsAre("+Namespace other", "+Namespace b"));
}

TEST_F(ManifestSourceTest, AFileThatIsNeverClosedIsReadInTheEnd) {
  options.writing_limit = absl::Milliseconds(20);
  Start();
  std::ofstream file(Path("a.yaml"));
  file << Namespaced("a") << std::flush;
  EXPECT_TRUE(sink.AwaitLog("+Namespace a"));
}

TEST_F(ManifestSourceTest, ABrokenFileKeepsWhatWorkedAndIsReported) {
  Write("a.yaml", Namespaced("a"));
  Start();
  Write("a.yaml", "kind: [");
  Write("b.yaml", Namespaced("b"));
  ASSERT_TRUE(sink.AwaitLog("+Namespace b"));
  EXPECT_TRUE(sink.Has(Kind::kNamespace, "", "a"));
  EXPECT_EQ(source->Problems().size(), 1u);
  Write("a.yaml", Namespaced("c"));
  EXPECT_TRUE(sink.AwaitLog("-Namespace a"));
  EXPECT_THAT(source->Problems(), IsEmpty());
}

TEST_F(ManifestSourceTest, WhenTheFolderGoesAwayEverythingStays) {
  options.folder = Path("manifests");
  options.rescan_interval = absl::Milliseconds(10);
  std::filesystem::create_directory(Path("manifests"));
  Write("manifests/a.yaml", Namespaced("a"));
  Start();
  sink.TakeLog();
  std::filesystem::rename(Path("manifests"), Path("away"));
  std::filesystem::create_directory(Path("new"));
  Write("new/a.yaml", Namespaced("a"));
  Write("new/b.yaml", Namespaced("b"));
  std::filesystem::rename(Path("new"), Path("manifests"));
  EXPECT_TRUE(sink.AwaitLog("+Namespace b"));
  EXPECT_THAT(sink.TakeLog(), ElementsAre("+Namespace b"));
}

TEST_F(ManifestSourceTest, FilesWrittenTogetherComeTogether) {
  options.hold_off = absl::Milliseconds(200);
  options.hold_off_limit = absl::Seconds(5);
  Start();
  for (int i = 0; i < 50; ++i) Write(StrCat(i, ".yaml"), Namespaced(StrCat("n", i)));
  ASSERT_TRUE(sink.AwaitLog("+Namespace n49"));
  EXPECT_EQ(sink.size(), 50u);
  EXPECT_EQ(sink.batches(), 1);
}

}  // namespace
}  // namespace headgate::kube
