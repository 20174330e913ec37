#include "dataplane/admin/process_metrics.h"

#include <sys/resource.h>
#include <unistd.h>

#include <fstream>

namespace headgate::admin {

ProcessUse ReadProcessUse() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  uint64_t total_pages = 0;
  uint64_t resident_pages = 0;
  std::ifstream("/proc/self/statm") >> total_pages >> resident_pages;
  const auto page = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  return {seconds(usage.ru_utime) + seconds(usage.ru_stime), resident_pages * page,
          total_pages * page};
}

}  // namespace headgate::admin
