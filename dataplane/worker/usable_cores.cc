#include <sched.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <string>

#include "dataplane/worker/worker_pool.h"

namespace headgate::worker {
namespace {

// Cores' worth of quota, or infinity.
double CgroupQuota() {
  double quota = -1;
  double period = 100'000;
  std::string text;
  if (std::ifstream v2("/sys/fs/cgroup/cpu.max"); v2 >> text) {
    if (text != "max") quota = std::strtod(text.c_str(), nullptr);
    v2 >> period;
  } else if (std::ifstream v1("/sys/fs/cgroup/cpu/cpu.cfs_quota_us"); v1 >> quota) {
    std::ifstream("/sys/fs/cgroup/cpu/cpu.cfs_period_us") >> period;
  }
  return quota > 0 && period > 0 ? quota / period : INFINITY;
}

}  // namespace

int UsableCores() {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  int count = 1;
  if (sched_getaffinity(0, sizeof(cores), &cores) == 0) count = CPU_COUNT(&cores);
  // A worker too many only costs switches; one too few leaves paid quota unused: round up.
  const double quota = std::ceil(CgroupQuota());
  return std::max(1, quota < count ? static_cast<int>(quota) : count);
}

}  // namespace headgate::worker
