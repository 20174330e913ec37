#include "dataplane/net/pipe.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "dataplane/net/socket.h"

namespace headgate::net {
namespace {

struct Pair {
  Pair() {
    int ends[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    near = Fd(ends[0]);
    far = Fd(ends[1]);
  }
  void Send(std::string_view text) {
    EXPECT_EQ(send(far.get(), text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
  }
  std::string Received() {
    char text[100];
    const ssize_t got = recv(far.get(), text, sizeof(text), 0);
    return got < 0 ? "" : std::string(text, static_cast<size_t>(got));
  }
  Fd near, far;
};

bool Open(int fd) { return fcntl(fd, F_GETFD) >= 0; }

TEST(PipeTest, MovesNoMoreThanTheLimit) {
  PipePool pool;
  Pair from, to;
  from.Send("abcdef");
  const base::PipePtr pipe = pool.Take();
  EXPECT_EQ(FillPipe(*pipe, from.near.get(), 4), 4);
  EXPECT_EQ(pipe->size, 4u);
  EXPECT_EQ(DrainPipe(*pipe, to.near.get()), 4);
  EXPECT_EQ(pipe->size, 0u);
  EXPECT_EQ(to.Received(), "abcd");
  EXPECT_EQ(FillPipe(*pipe, from.near.get(), 4), 2);
  EXPECT_EQ(FillPipe(*pipe, from.near.get(), 4), -1);
  EXPECT_EQ(errno, EAGAIN);
}

TEST(PipeTest, ReadsFromTheMiddleOfAFile) {
  const std::string path = testing::TempDir() + "/pipe_test";
  const Fd file(open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC, 0600));
  ASSERT_EQ(write(file.get(), "0123456789", 10), 10);
  PipePool pool;
  Pair to;
  const base::PipePtr pipe = pool.Take();
  EXPECT_EQ(FillPipeFromFile(*pipe, file.get(), 3, 5), 5);
  EXPECT_EQ(DrainPipe(*pipe, to.near.get()), 5);
  EXPECT_EQ(to.Received(), "34567");
  EXPECT_EQ(FillPipeFromFile(*pipe, file.get(), 10, 5), 0);
  unlink(path.c_str());
}

TEST(PipePoolTest, UsesAnEmptyPipeAgainAndNoOther) {
  PipePool pool;
  base::PipePtr pipe = pool.Take();
  base::Pipe* const first = pipe.get();
  pipe.reset();
  pipe = pool.Take();
  EXPECT_EQ(pipe.get(), first);

  Pair from;
  from.Send("secret");
  EXPECT_EQ(FillPipe(*pipe, from.near.get(), 6), 6);
  const int read_end = pipe->read_end;
  pipe.reset();
  EXPECT_FALSE(Open(read_end));
  pipe = pool.Take();
  char byte;
  EXPECT_EQ(read(pipe->read_end, &byte, 1), -1);
}

TEST(PipePoolTest, HasABound) {
  PipePool pool(2);
  base::PipePtr first = pool.Take();
  base::PipePtr second = pool.Take();
  EXPECT_NE(second, nullptr);
  EXPECT_EQ(pool.Take(), nullptr);
  first.reset();
  EXPECT_NE(pool.Take(), nullptr);
}

TEST(PipePoolTest, GivesUpForAWhileWhenThereAreNoDescriptors) {
  PipePool pool;
  rlimit limit;
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  const rlimit none{.rlim_cur = 0, .rlim_max = limit.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  EXPECT_EQ(pool.Take(), nullptr);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  EXPECT_EQ(pool.Take(), nullptr);
  base::PipePtr pipe;
  for (int i = 0; i < 2000 && pipe == nullptr; ++i) pipe = pool.Take();
  EXPECT_NE(pipe, nullptr);
}

TEST(PipePoolTest, ClosesWhatItKept) {
  int end;
  {
    PipePool pool;
    end = pool.Take()->write_end;
    EXPECT_TRUE(Open(end));
  }
  EXPECT_FALSE(Open(end));
}

}  // namespace
}  // namespace headgate::net
