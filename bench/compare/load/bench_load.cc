// The load generator of bench/compare: a fixed number of requests, every answer checked, one
// thread.
//
// It talks to its parent in lines, so that counters can be read exactly around the measured
// requests:
//   → "ready"     every connection is open and has had its warm-up answers
//   ← any line    measure
//   → {...}       one JSON object with the result; the connections stay open
//   ← any line    exit
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdint>
#include <deque>
#include <iostream>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "bench/compare/load/connection.h"
#include "bench/compare/load/fail.h"
#include "bench/compare/load/flags.h"
#include "bench/compare/load/histogram.h"

namespace headgate::bench {
namespace {

constexpr char kUsage[] =
    "bench_load: sends a fixed number of HTTP/1.1 requests, checks every answer, reports latency.\n"
    "Prints 'ready' after the warm-up, waits for a line on stdin, measures, prints one JSON "
    "object,\n"
    "waits for another line (connections stay open) and ends. Any wrong answer ends it with exit "
    "1.\n"
    "  --target=ADDR:PORT       where the proxy listens\n"
    "  --connections=64         how many connections, each with one request at a time\n"
    "  --requests=100000        requests to measure, over all connections\n"
    "  --warmup=20              requests on each connection before that\n"
    "  --path=/bytes/1024       path of each request\n"
    "  --upload=0               POST a body of this many bytes instead of GET\n"
    "  --host=bench.test        Host and SNI\n"
    "  --hosts=0                N > 0: Host is h<0..N-1>.bench.test, at random for each request\n"
    "  --browser-headers=0      1: the 20 fields that a browser sends, cookie included\n"
    "  --close=0                1: a new connection for each request ('Connection: close')\n"
    "  --tls=0                  12 or 13: TLS 1.2 or 1.3\n"
    "  --resume=0               1: new TLS connections resume the session of the one before\n"
    "  --rate=0                 N > 0: start N requests a second on a fixed schedule, and count\n"
    "                           latency from the time each one was due\n"
    "  --status=200             status that every answer must have\n"
    "  --length=-               body length that every answer must have\n";

uint64_t NowNs() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
}

uint64_t CpuMicroseconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto micros = [](const timeval& time) {
    return static_cast<uint64_t>(time.tv_sec) * 1'000'000 + static_cast<uint64_t>(time.tv_usec);
  };
  return micros(usage.ru_utime) + micros(usage.ru_stime);
}

// What a desktop browser sends with a request of a page's resource: 20 fields with Host.
constexpr char kBrowserFields[] =
    "Connection: keep-alive\r\n"
    "sec-ch-ua: \"Chromium\";v=\"128\", \"Not;A=Brand\";v=\"24\", \"Google Chrome\";v=\"128\"\r\n"
    "sec-ch-ua-mobile: ?0\r\n"
    "sec-ch-ua-platform: \"Linux\"\r\n"
    "Upgrade-Insecure-Requests: 1\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/128.0.0.0 Safari/537.36\r\n"
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,"
    "image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7\r\n"
    "Sec-Fetch-Site: same-origin\r\n"
    "Sec-Fetch-Mode: navigate\r\n"
    "Sec-Fetch-User: ?1\r\n"
    "Sec-Fetch-Dest: document\r\n"
    "Referer: https://bench.test/catalogue/section/17?sort=price&page=3\r\n"
    "Accept-Encoding: gzip, deflate, br, zstd\r\n"
    "Accept-Language: en-GB,en;q=0.9,de;q=0.8,fr;q=0.7\r\n"
    "Cookie: session=6f1c2a9be07d4c51a3f0e88d5b7c9e21; theme=dark; consent=a1b2c3d4e5f6; "
    "_track=GA1.2.1234567890.1700000000; cart=eyJpdGVtcyI6W3sic2t1IjoiQTEyMyIsInF0eSI6Mn1dfQ\r\n"
    "Cache-Control: max-age=0\r\n"
    "If-Modified-Since: Mon, 01 Jan 2024 00:00:00 GMT\r\n"
    "DNT: 1\r\n"
    "Priority: u=0, i\r\n";

class Load {
 public:
  explicit Load(const Flags& flags)
      : connections_count_(flags.Number("connections")),
        requests_(flags.Number("requests")),
        warmup_(std::max<uint64_t>(flags.Number("warmup"), 1)),
        rate_(flags.Number("rate")) {
    plan_.target = ParseAddress(flags.Text("target"));
    plan_.server_name = flags.Text("host");
    plan_.close_each = flags.Bool("close");
    plan_.resume = flags.Bool("resume");
    plan_.expected_status = static_cast<int>(flags.Number("status"));
    if (flags.Text("length") != "-") {
      plan_.expected_length = static_cast<int64_t>(flags.Number("length"));
    }
    if (const uint64_t tls = flags.Number("tls"); tls != 0) {
      if (tls != 12 && tls != 13) Fail("--tls is 12 or 13");
      plan_.tls = NewClientContext(tls == 12 ? TLS1_2_VERSION : TLS1_3_VERSION, plan_.resume);
    }
    body_.assign(flags.Number("upload"), 'x');
    plan_.body = body_;
    BuildHeads(flags);
    if (connections_count_ == 0 || requests_ == 0) Fail("nothing to do");
    epoll_ = epoll_create1(EPOLL_CLOEXEC);
    for (uint64_t i = 0; i < connections_count_; ++i) {
      connections_.push_back(std::make_unique<Connection>(plan_));
    }
  }

  // Opens every connection and sends `warmup` requests on each.
  void WarmUp() {
    std::vector<uint64_t> left(connections_.size(), warmup_);
    uint64_t unfinished = connections_.size();
    // A few hundred at a time: a listen queue has an end.
    size_t next = 0;
    size_t busy = 0;
    const auto start = [&] {
      while (next < connections_.size() && busy < 256) {
        StartRequest(next++, 0);
        ++busy;
      }
    };
    start();
    while (unfinished > 0) {
      Poll([&](size_t index, Connection::Progress) {
        if (--left[index] > 0) {
          StartRequest(index, 0);
        } else {
          --unfinished;
          --busy;
          start();
        }
      });
    }
  }

  void Measure() {
    histogram_ = {};
    reopened_ = 0;
    const uint64_t cpu = CpuMicroseconds();
    const uint64_t begin = NowNs();
    rate_ == 0 ? MeasureClosedLoop() : MeasureAtRate(begin);
    const uint64_t wall = NowNs() - begin;
    Report(wall, CpuMicroseconds() - cpu);
  }

 private:
  void BuildHeads(const Flags& flags) {
    const uint64_t hosts = flags.Number("hosts");
    const std::string method = body_.empty() ? "GET " : "POST ";
    for (uint64_t i = 0; i < std::max<uint64_t>(hosts, 1); ++i) {
      std::string head = method + flags.Text("path") + " HTTP/1.1\r\nHost: ";
      head += hosts == 0 ? flags.Text("host") : "h" + std::to_string(i) + ".bench.test";
      head += "\r\n";
      if (flags.Bool("browser-headers")) {
        head += kBrowserFields;
      } else {
        head += "User-Agent: bench\r\nAccept: */*\r\n";
      }
      if (!body_.empty()) head += "Content-Length: " + std::to_string(body_.size()) + "\r\n";
      if (plan_.close_each) head += "Connection: close\r\n";
      heads_.push_back(head + "\r\n");
    }
  }

  void StartRequest(size_t index, uint64_t started_ns) {
    Connection& connection = *connections_[index];
    connection.started_ns = started_ns != 0 ? started_ns : NowNs();
    if (!connection.open()) {
      connection.Open(epoll_, index);
      ++reopened_;
    }
    const size_t head = heads_.size() == 1 ? 0 : random_() % heads_.size();
    connection.Send(heads_[head]);
  }

  // Waits once and calls `answered(index, progress)` for every answer. `until_ns`: absolute, 0
  // waits long.
  template <typename Answered>
  void Poll(Answered answered, uint64_t until_ns = 0) {
    constexpr uint64_t kPatienceNs = 20'000'000'000;
    uint64_t wait = kPatienceNs;
    if (until_ns != 0) {
      const uint64_t now = NowNs();
      wait = until_ns > now ? until_ns - now : 0;
    }
    const timespec timeout{static_cast<time_t>(wait / 1'000'000'000),
                           static_cast<long>(wait % 1'000'000'000)};
    const int n =
        epoll_pwait2(epoll_, events_.data(), static_cast<int>(events_.size()), &timeout, nullptr);
    if (n < 0 && errno != EINTR) FailErrno("epoll_pwait2");
    if (n == 0 && until_ns == 0) Fail("no answer for 20 seconds");
    for (int i = 0; i < n; ++i) {
      const epoll_event& event = events_[static_cast<size_t>(i)];
      const size_t index = event.data.u64;
      Connection& connection = *connections_[index];
      const bool had_request = connection.busy();
      const Connection::Progress progress = connection.OnEvent(event.events);
      if (progress != Connection::Progress::kPending && had_request) answered(index, progress);
    }
  }

  void MeasureClosedLoop() {
    uint64_t issued = 0;
    uint64_t done = 0;
    for (size_t i = 0; i < connections_.size() && issued < requests_; ++i, ++issued) {
      StartRequest(i, 0);
    }
    while (done < requests_) {
      Poll([&](size_t index, Connection::Progress) {
        histogram_.Record(NowNs() - connections_[index]->started_ns);
        ++done;
        if (issued < requests_) {
          StartRequest(index, 0);
          ++issued;
        }
      });
    }
  }

  void MeasureAtRate(uint64_t begin) {
    const uint64_t gap = 1'000'000'000 / rate_;
    std::deque<size_t> idle;
    for (size_t i = 0; i < connections_.size(); ++i) idle.push_back(i);
    uint64_t issued = 0;
    uint64_t done = 0;
    while (done < requests_) {
      const uint64_t now = NowNs();
      while (issued < requests_ && begin + issued * gap <= now && !idle.empty()) {
        StartRequest(idle.front(), begin + issued * gap);
        idle.pop_front();
        ++issued;
      }
      const bool wait_for_answer = issued == requests_ || idle.empty();
      Poll(
          [&](size_t index, Connection::Progress) {
            histogram_.Record(NowNs() - connections_[index]->started_ns);
            ++done;
            idle.push_back(index);
          },
          wait_for_answer ? 0 : begin + issued * gap);
    }
  }

  void Report(uint64_t wall_ns, uint64_t cpu_us) const {
    const double seconds = static_cast<double>(wall_ns) / 1e9;
    std::printf(
        "{\"requests\": %llu, \"seconds\": %.6f, \"requests_per_second\": %.1f, "
        "\"p50_us\": %.1f, \"p90_us\": %.1f, \"p99_us\": %.1f, \"max_us\": %.1f, "
        "\"connections_opened\": %llu, \"load_cpu_us\": %llu}\n",
        static_cast<unsigned long long>(requests_), seconds,
        static_cast<double>(requests_) / seconds, Micros(0.5), Micros(0.9), Micros(0.99),
        Micros(1.0), static_cast<unsigned long long>(reopened_),
        static_cast<unsigned long long>(cpu_us));
  }

  double Micros(double q) const { return static_cast<double>(histogram_.Quantile(q)) / 1000; }

  Plan plan_;
  std::string body_;
  std::vector<std::string> heads_;
  const uint64_t connections_count_;
  const uint64_t requests_;
  const uint64_t warmup_;
  const uint64_t rate_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::array<epoll_event, 256> events_{};
  int epoll_ = -1;
  uint64_t reopened_ = 0;
  LatencyHistogram histogram_;
  std::minstd_rand random_{12345};
};

}  // namespace
}  // namespace headgate::bench

int main(int argc, char** argv) {
  using headgate::bench::Flags;
  using headgate::bench::Load;
  const Flags flags(argc, argv, headgate::bench::kUsage,
                    {{"target", ""},
                     {"connections", "64"},
                     {"requests", "100000"},
                     {"warmup", "20"},
                     {"path", "/bytes/1024"},
                     {"upload", "0"},
                     {"host", "bench.test"},
                     {"hosts", "0"},
                     {"browser-headers", "0"},
                     {"close", "0"},
                     {"tls", "0"},
                     {"resume", "0"},
                     {"rate", "0"},
                     {"status", "200"},
                     {"length", "-"}});
  std::signal(SIGPIPE, SIG_IGN);
  headgate::bench::RaiseFileLimit();
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  Load load(flags);
  load.WarmUp();
  std::puts("ready");
  std::string line;
  if (!std::getline(std::cin, line)) return 1;
  load.Measure();
  std::getline(std::cin, line);
  return 0;
}
