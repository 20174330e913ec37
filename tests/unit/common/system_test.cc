// Tests of what touches the system: clock, files, signals.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "common/clock.h"
#include "common/file.h"
#include "common/shutdown.h"

namespace headgate {
namespace {

TEST(SystemClockTest, WaitEndsAtTheDeadlineOrWhenDone) {
  const SystemClock clock;
  std::mutex mutex;
  std::condition_variable changed;
  std::unique_lock<std::mutex> lock(mutex);
  const absl::Duration start = clock.MonotonicNow();
  EXPECT_FALSE(clock.WaitUntil(lock, changed, start + absl::Milliseconds(5), [] { return false; }));
  EXPECT_GE(clock.MonotonicNow() - start, absl::Milliseconds(5));

  bool done = false;
  std::thread other([&] {
    const std::lock_guard<std::mutex> own(mutex);
    done = true;
    changed.notify_all();
  });
  EXPECT_TRUE(clock.WaitUntil(lock, changed, absl::InfiniteDuration(), [&] { return done; }));
  lock.unlock();
  other.join();
}

TEST(FakeClockTest, WaitersSeeOnlyTheTimeTheTestGives) {
  FakeClock clock;
  std::mutex mutex;
  std::condition_variable changed;
  bool result = true;
  std::thread waiter([&] {
    std::unique_lock<std::mutex> lock(mutex);
    result =
        clock.WaitUntil(lock, changed, clock.MonotonicNow() + absl::Hours(1), [] { return false; });
  });
  ASSERT_TRUE(clock.AwaitWaiters(1));
  EXPECT_EQ(clock.NextDeadline(), absl::Hours(1));
  clock.Advance(absl::Minutes(59));
  EXPECT_EQ(clock.NextDeadline(), absl::Minutes(1));
  clock.Advance(absl::Minutes(1));
  waiter.join();
  EXPECT_FALSE(result);
  EXPECT_EQ(clock.NextDeadline(), absl::InfiniteDuration());
}

class FileTest : public ::testing::Test {
 protected:
  FileTest() {
    std::string pattern = ::testing::TempDir() + "headgate_file_XXXXXX";
    folder = mkdtemp(pattern.data());
  }
  ~FileTest() override { std::filesystem::remove_all(folder); }
  std::string Path(const std::string& name) const { return folder + "/" + name; }
  void Write(const std::string& name, const std::string& content) const {
    std::ofstream(Path(name), std::ios::trunc) << content;
  }

  std::string folder;
};

TEST_F(FileTest, ReadsAWholeFileUpToTheLimit) {
  Write("a", std::string(100'000, 'x'));
  EXPECT_EQ(ReadFile(Path("a"), 100'000)->size(), 100'000u);
  EXPECT_EQ(ReadFile(Path("a"), 99'999).status().code(), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(ReadFile(Path("none"), 10).status().code(), absl::StatusCode::kNotFound);
  EXPECT_FALSE(ReadFile(folder, 10).ok());
  Write("empty", "");
  EXPECT_EQ(*ReadFile(Path("empty"), 0), "");
}

TEST_F(FileTest, OpeningAPipeDoesNotHang) {
  ASSERT_EQ(mkfifo(Path("pipe").c_str(), 0600), 0);
  EXPECT_EQ(ReadFile(Path("pipe"), 10).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(FileTest, ReplacesAtomicallyAndLeavesNothingBehind) {
  ASSERT_TRUE(WriteFileAtomically(Path("state"), "one").ok());
  ASSERT_TRUE(WriteFileAtomically(Path("state"), "two", 0640).ok());
  EXPECT_EQ(*ReadFile(Path("state"), 100), "two");
  struct stat info {};
  ASSERT_EQ(stat(Path("state").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0640u);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder), {}), 1);

  EXPECT_FALSE(WriteFileAtomically(Path("none/state"), "x").ok());
  std::filesystem::create_directory(Path("folder"));
  std::filesystem::create_directory(Path("folder/full"));
  EXPECT_FALSE(WriteFileAtomically(Path("folder"), "x").ok());
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder), {}), 2);
}

TEST_F(FileTest, WatchedFileSeesRewriteRenameAndSymlinkSwap) {
  Write("real1", "one");
  std::filesystem::create_symlink("real1", Path("link"));
  WatchedFile file(Path("link"), 100);
  EXPECT_TRUE(*file.Refresh());
  EXPECT_EQ(file.content(), "one");
  EXPECT_FALSE(*file.Refresh());

  Write("real1", "two");  // the same length within the same clock tick
  EXPECT_TRUE(*file.Refresh());
  EXPECT_EQ(file.content(), "two");

  Write("real2", "three");
  std::filesystem::create_symlink("real2", Path("link.new"));
  std::filesystem::rename(Path("link.new"), Path("link"));
  EXPECT_TRUE(*file.Refresh());
  EXPECT_EQ(file.content(), "three");

  std::filesystem::remove(Path("real2"));
  EXPECT_FALSE(file.Refresh().ok());
  EXPECT_EQ(file.content(), "three");
  Write("real2", "four");
  EXPECT_TRUE(*file.Refresh());
  EXPECT_EQ(file.content(), "four");
}

// Restores what Shutdown changes for the process, so that other tests are not affected.
class ShutdownTest : public ::testing::Test {
 protected:
  ShutdownTest() { pthread_sigmask(SIG_SETMASK, nullptr, &before); }
  ~ShutdownTest() override { pthread_sigmask(SIG_SETMASK, &before, nullptr); }
  sigset_t before{};
};

TEST_F(ShutdownTest, ASignalIsTakenOnce) {
  Shutdown shutdown;
  EXPECT_FALSE(shutdown.WaitFor(absl::ZeroDuration()));
  ASSERT_EQ(kill(getpid(), SIGTERM), 0);
  pollfd waited{shutdown.fd(), POLLIN, 0};
  EXPECT_EQ(poll(&waited, 1, 10'000), 1);
  EXPECT_TRUE(shutdown.WaitFor(absl::Seconds(10)));
  EXPECT_FALSE(shutdown.WaitFor(absl::ZeroDuration()));
  EXPECT_EQ(poll(&waited, 1, 0), 0);
  ASSERT_EQ(kill(getpid(), SIGINT), 0);
  EXPECT_TRUE(shutdown.WaitFor(absl::Seconds(10)));
}

TEST_F(ShutdownTest, AnotherThreadMayAsk) {
  Shutdown shutdown;
  std::thread other([&] { shutdown.Request(); });
  shutdown.Wait();
  other.join();
  EXPECT_FALSE(shutdown.WaitFor(absl::ZeroDuration()));
}

}  // namespace
}  // namespace headgate
