#include "dataplane/worker/worker_pool.h"

#include <gtest/gtest.h>

#include <thread>

namespace headgate::worker {
namespace {

std::unique_ptr<WorkerPool> StartedPool() {
  PoolOptions options;
  options.workers = 2;
  auto pool = WorkerPool::Create(std::move(options));
  EXPECT_TRUE(pool.ok()) << pool.status();
  (*pool)->Start();
  return *std::move(pool);
}

TEST(WorkerPoolTest, OnEachReachesEveryWorkerOnItsThread) {
  const auto pool = StartedPool();
  std::vector<std::thread::id> threads;
  pool->OnEach([&](Worker&) { threads.push_back(std::this_thread::get_id()); });
  ASSERT_EQ(threads.size(), 2u);
  EXPECT_NE(threads[0], threads[1]);
  EXPECT_NE(threads[0], std::this_thread::get_id());
}

TEST(WorkerPoolTest, OnEachDoesNotWaitForWorkersThatHaveStopped) {
  const auto pool = StartedPool();
  pool->Stop();
  int calls = 0;
  pool->OnEach([&](Worker&) { ++calls; });
  EXPECT_EQ(calls, 0);
}

TEST(WorkerPoolTest, OnEachReturnsWhenWorkersStopMeanwhile) {
  for (int round = 0; round < 20; ++round) {
    const auto pool = StartedPool();
    std::thread asker([&] {
      for (int i = 0; i < 100; ++i) pool->OnEach([](Worker&) {});
    });
    pool->Stop();
    asker.join();
  }
}

}  // namespace
}  // namespace headgate::worker
