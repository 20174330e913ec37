#include "dataplane/control/snapshot_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <fstream>
#include <random>
#include <sstream>

#include "tests/unit/control/test_resources.h"

namespace headgate::control {
namespace {

std::string ReadFile(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream content;
  content << in.rdbuf();
  return content.str();
}

void WriteFile(const std::string& path, const std::string& content) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
}

absl::Status Commit(SnapshotStore& store, const std::string& version,
                    const std::vector<v1::Resource>& upserts,
                    const std::vector<std::string>& removed = {}) {
  return store.Commit(version, Pointers(upserts), removed);
}

Content InventoryOf(const SnapshotStore& store) {
  Content out;
  for (const auto& held : store.Inventory()) out[std::string(held.name)] = held.hash;
  return out;
}

class SnapshotStoreTest : public testing::Test {
 protected:
  std::unique_ptr<SnapshotStore> Open() {
    auto store = SnapshotStore::Open(dir_.path());
    EXPECT_TRUE(store.ok()) << store.status();
    return store.ok() ? *std::move(store) : nullptr;
  }
  std::string log_path() const { return dir_.File("snapshot.log"); }

  TempDir dir_;
};

TEST_F(SnapshotStoreTest, GivesBackTheLastCommit) {
  {
    auto store = Open();
    EXPECT_EQ(store->version(), "");
    EXPECT_TRUE(store->Load().empty());
    ASSERT_TRUE(Commit(*store, "v1", {MakeResource("a", 1), MakeResource("b", 2)}).ok());
    ASSERT_TRUE(Commit(*store, "v2", {MakeResource("b", 3), MakeResource("c", 4)}, {"a"}).ok());
    EXPECT_EQ(InventoryOf(*store), (Content{{"b", 3}, {"c", 4}}));
  }
  auto store = Open();
  EXPECT_EQ(store->version(), "v2");
  EXPECT_EQ(store->size(), 2u);
  EXPECT_TRUE(store->Holds("b"));
  EXPECT_FALSE(store->Holds("a"));
  const std::vector<v1::Resource> loaded = store->Load();
  EXPECT_EQ(ContentOf(loaded), (Content{{"b", 3}, {"c", 4}}));
  EXPECT_EQ(loaded[0].SerializeAsString(), MakeResource("b", 3).SerializeAsString());
}

TEST_F(SnapshotStoreTest, OnlyItsOwnerMayReadTheFile) {
  auto store = Open();
  struct stat info;
  ASSERT_EQ(stat(log_path().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
}

TEST_F(SnapshotStoreTest, RefusesADirectoryThatIsInUse) {
  auto store = Open();
  EXPECT_EQ(SnapshotStore::Open(dir_.path()).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST_F(SnapshotStoreTest, MakesTheDirectory) {
  EXPECT_TRUE(SnapshotStore::Open(dir_.path() + "/deep/er").ok());
  EXPECT_FALSE(SnapshotStore::Open("/proc/no-such-place").ok());
}

TEST_F(SnapshotStoreTest, StartsAnewOverAFileThatIsNotASnapshot) {
  WriteFile(log_path(), "something else entirely, and long enough to hold a frame");
  auto store = Open();
  EXPECT_EQ(store->size(), 0u);
  ASSERT_TRUE(Commit(*store, "v1", {MakeResource("a", 1)}).ok());
  store = nullptr;
  EXPECT_EQ(ContentOf(Open()->Load()), (Content{{"a", 1}}));
}

// The state after each commit, and where that commit ends in the file.
struct Milestone {
  uint64_t end = 0;
  std::string version;
  Content content;
};

class DamageTest : public SnapshotStoreTest {
 protected:
  DamageTest() {
    auto store = Open();
    milestones_.push_back({0, "", {}});
    Note(*store, {});
    EXPECT_TRUE(Commit(*store, "v1", {MakeResource("a", 1), MakeResource("b", 2)}).ok());
    Note(*store, {{"a", 1}, {"b", 2}});
    EXPECT_TRUE(Commit(*store, "v2", {MakeResource("c", 3)}, {"a"}).ok());
    Note(*store, {{"b", 2}, {"c", 3}});
    EXPECT_TRUE(Commit(*store, "v3", {MakeResource("b", 4)}).ok());
    Note(*store, {{"b", 4}, {"c", 3}});
    store = nullptr;
    bytes_ = ReadFile(log_path());
    EXPECT_EQ(bytes_.size(), milestones_.back().end);
  }

  void Note(const SnapshotStore& store, Content content) {
    milestones_.push_back({store.file_size(), store.version(), std::move(content)});
  }

  // The last state whose bytes are all within the first `size`.
  const Milestone& At(uint64_t size) const {
    const Milestone* last = &milestones_.front();
    for (const Milestone& milestone : milestones_) {
      if (milestone.end <= size) last = &milestone;
    }
    return *last;
  }

  void ExpectSound(const Milestone& expected) {
    {
      auto store = Open();
      ASSERT_NE(store, nullptr);
      EXPECT_EQ(store->version(), expected.version);
      EXPECT_EQ(ContentOf(store->Load()), expected.content);
      // And it can be built upon.
      ASSERT_TRUE(Commit(*store, "next", {MakeResource("z", 9)}).ok());
    }
    Content after = expected.content;
    after["z"] = 9;
    EXPECT_EQ(ContentOf(Open()->Load()), after);
  }

  std::vector<Milestone> milestones_;
  std::string bytes_;
};

TEST_F(DamageTest, CutAtAnyByteItFallsBackToTheLastCompleteCommit) {
  for (size_t size = 0; size <= bytes_.size(); ++size) {
    SCOPED_TRACE(size);
    WriteFile(log_path(), bytes_.substr(0, size));
    ExpectSound(At(size));
  }
}

TEST_F(DamageTest, WithAnyByteChangedItFallsBackToTheCommitBefore) {
  for (size_t at = 0; at < bytes_.size(); ++at) {
    for (const unsigned mask : {0x01u, 0x80u, 0xffu}) {
      SCOPED_TRACE(testing::Message() << at << " ^ " << mask);
      std::string damaged = bytes_;
      damaged[at] = static_cast<char>(damaged[at] ^ static_cast<char>(mask));
      WriteFile(log_path(), damaged);
      ExpectSound(At(at));
    }
  }
}

TEST_F(DamageTest, AnUnfinishedCommitNeverHappened) {
  WriteFile(log_path(), bytes_ + bytes_.substr(milestones_[1].end, 60));
  ExpectSound(milestones_.back());
}

TEST_F(SnapshotStoreTest, DamageUnderARunningStoreLosesThatResourceOnly) {
  auto store = Open();
  ASSERT_TRUE(Commit(*store, "v1", {MakeResource("a", 1), MakeResource("b", 2)}).ok());
  std::string bytes = ReadFile(log_path());
  const size_t at = bytes.find("form");
  ASSERT_NE(at, std::string::npos);
  bytes[at] = 'F';
  {
    std::fstream out(log_path(), std::ios::binary | std::ios::in | std::ios::out);
    out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  }
  EXPECT_EQ(ContentOf(store->Load()), (Content{{"b", 2}}));
  EXPECT_EQ(InventoryOf(*store), (Content{{"b", 2}}));
}

TEST_F(SnapshotStoreTest, WhatIsForgottenDoesNotComeBack) {
  {
    auto store = Open();
    ASSERT_TRUE(Commit(*store, "v1", {MakeResource("a", 1), MakeResource("b", 2)}).ok());
    store->Forget("a");
    EXPECT_EQ(InventoryOf(*store), (Content{{"b", 2}}));
    ASSERT_TRUE(Commit(*store, "v2", {MakeResource("c", 3)}).ok());
    EXPECT_FALSE(store->disk_behind());
  }
  EXPECT_EQ(ContentOf(Open()->Load()), (Content{{"b", 2}, {"c", 3}}));
}

TEST_F(SnapshotStoreTest, TheLogStaysInProportionToWhatIsLive) {
  constexpr size_t kResources = 20;
  constexpr size_t kPadding = 10'000;
  uint64_t largest = 0;
  Content expected;
  {
    auto store = Open();
    for (uint64_t round = 1; round <= 1000; ++round) {
      const std::string name = "r" + std::to_string(round % kResources);
      ASSERT_TRUE(
          Commit(*store, std::to_string(round), {MakeResource(name, round, kPadding)}).ok());
      expected[name] = round;
      largest = std::max(largest, store->file_size());
    }
    EXPECT_EQ(ContentOf(store->Load()), expected) << "it knows where they have moved";
  }
  EXPECT_LT(largest, 2u << 20);  // 10 MB were written
  struct stat info;
  ASSERT_EQ(stat(log_path().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  auto store = Open();
  EXPECT_EQ(store->version(), "1000");
  EXPECT_EQ(ContentOf(store->Load()), expected);
}

TEST_F(SnapshotStoreTest, InMemoryItKeepsTheIndexOnly) {
  auto store = SnapshotStore::InMemory();
  ASSERT_TRUE(Commit(*store, "v1", {MakeResource("a", 1), MakeResource("b", 2)}).ok());
  ASSERT_TRUE(Commit(*store, "v2", {}, {"a"}).ok());
  EXPECT_EQ(InventoryOf(*store), (Content{{"b", 2}}));
  EXPECT_FALSE(store->disk_behind());
  EXPECT_TRUE(store->Load().empty());
}

// Files of this process cannot grow beyond a limit while it lives: a full disk.
class FullDisk {
 public:
  explicit FullDisk(uint64_t limit) {
    getrlimit(RLIMIT_FSIZE, &before_);
    old_handler_ = signal(SIGXFSZ, SIG_IGN);
    const rlimit full{.rlim_cur = limit, .rlim_max = before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &full);
  }
  ~FullDisk() {
    setrlimit(RLIMIT_FSIZE, &before_);
    signal(SIGXFSZ, old_handler_);
  }

 private:
  rlimit before_{};
  void (*old_handler_)(int) = nullptr;
};

TEST_F(SnapshotStoreTest, AFullDiskKeepsItsLastCommitUntilAllItMissedCameAgain) {
  auto store = Open();
  ASSERT_TRUE(Commit(*store, "v1", {MakeResource("a", 1), MakeResource("b", 1)}).ok());
  {
    FullDisk full(store->file_size() + 100);
    EXPECT_FALSE(Commit(*store, "v2", {MakeResource("a", 2, 5000)}, {"b"}).ok());
  }
  EXPECT_TRUE(store->disk_behind());
  EXPECT_EQ(store->version(), "v2");
  EXPECT_EQ(InventoryOf(*store), (Content{{"a", 0}})) << "a is to be sent again";
  EXPECT_TRUE(store->Holds("a"));

  // A commit that does not bring it must not reach the disk: v1 with c would be a mix that never
  // was.
  ASSERT_TRUE(Commit(*store, "v3", {MakeResource("c", 3)}).ok());
  EXPECT_TRUE(store->disk_behind());

  ASSERT_TRUE(Commit(*store, "v3", {MakeResource("a", 2, 5000), MakeResource("c", 3)}).ok());
  EXPECT_FALSE(store->disk_behind());
  EXPECT_EQ(InventoryOf(*store), (Content{{"a", 2}, {"c", 3}}));
  store = nullptr;
  store = Open();
  EXPECT_EQ(store->version(), "v3");
  EXPECT_EQ(ContentOf(store->Load()), (Content{{"a", 2}, {"c", 3}}));
}

TEST_F(SnapshotStoreTest, WhileTheDiskLagsARestartFindsTheOldCommit) {
  {
    auto store = Open();
    ASSERT_TRUE(Commit(*store, "v1", {MakeResource("a", 1), MakeResource("b", 1)}).ok());
    FullDisk full(store->file_size() + 100);
    EXPECT_FALSE(Commit(*store, "v2", {MakeResource("a", 2, 5000)}, {"b"}).ok());
    EXPECT_TRUE(Commit(*store, "v3", {MakeResource("c", 3)}).ok());
  }
  auto store = Open();
  EXPECT_EQ(store->version(), "v1");
  EXPECT_EQ(ContentOf(store->Load()), (Content{{"a", 1}, {"b", 1}}));
}

// Every commit N holds exactly: all of r0..r9 in form N, so that a torn one would show.
TEST_F(SnapshotStoreTest, KilledAtAnyMomentItFindsACompleteCommit) {
  std::minstd_rand random(7);
  uint64_t last = 0;
  for (int round = 0; round < 30; ++round) {
    int ready[2];
    ASSERT_EQ(pipe(ready), 0);
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      auto opened = SnapshotStore::Open(dir_.path());
      if (!opened.ok()) _exit(1);
      if (write(ready[1], "x", 1) != 1) _exit(1);
      for (uint64_t form = last + 1;; ++form) {
        std::vector<v1::Resource> all;
        for (int i = 0; i < 10; ++i)
          all.push_back(MakeResource("r" + std::to_string(i), form, 20'000));
        if (!(*opened)->Commit(std::to_string(form), Pointers(all), {}).ok()) _exit(1);
      }
    }
    char byte;
    close(ready[1]);
    EXPECT_EQ(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    // lint: allow(sleep) the moment of death, not a wait for something
    usleep(random() % 30'000);
    kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the writer failed by itself";

    auto store = Open();
    const std::vector<v1::Resource> loaded = store->Load();
    if (store->version().empty()) continue;
    const uint64_t form = std::stoull(store->version());
    EXPECT_GE(form, last);
    last = form;
    ASSERT_EQ(loaded.size(), 10u);
    for (const v1::Resource& resource : loaded) EXPECT_EQ(resource.hash(), form);
  }
  EXPECT_GT(last, 0u);
}

}  // namespace
}  // namespace headgate::control
