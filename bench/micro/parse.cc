// Message heads in and out: what every request pays twice.
#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "bench/micro/allocations.h"
#include "dataplane/base/arena.h"
#include "dataplane/http/uri.h"
#include "dataplane/http1/head_scanner.h"
#include "dataplane/http1/request_parser.h"
#include "dataplane/http1/response_parser.h"
#include "dataplane/http1/serializer.h"

namespace headgate::bench {
namespace {

constexpr std::string_view kSmallRequest =
    "GET /bytes/1024 HTTP/1.1\r\nHost: bench.test\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n";

constexpr std::string_view kBrowserRequest =
    "GET /catalogue/section/17?sort=price&page=3 HTTP/1.1\r\n"
    "Host: shop.example.com\r\n"
    "Connection: keep-alive\r\n"
    "sec-ch-ua: \"Chromium\";v=\"128\", \"Not;A=Brand\";v=\"24\", \"Google Chrome\";v=\"128\"\r\n"
    "sec-ch-ua-mobile: ?0\r\n"
    "sec-ch-ua-platform: \"Linux\"\r\n"
    "Upgrade-Insecure-Requests: 1\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/128.0.0.0 Safari/537.36\r\n"
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;"
    "q=0.8\r\n"
    "Sec-Fetch-Site: same-origin\r\n"
    "Sec-Fetch-Mode: navigate\r\n"
    "Sec-Fetch-User: ?1\r\n"
    "Sec-Fetch-Dest: document\r\n"
    "Referer: https://shop.example.com/catalogue/section/17?sort=price&page=2\r\n"
    "Accept-Encoding: gzip, deflate, br, zstd\r\n"
    "Accept-Language: en-GB,en;q=0.9,de;q=0.8\r\n"
    "Cookie: session=6f1c2a9be07d4c51a3f0e88d5b7c9e21; theme=dark; consent=a1b2c3d4e5f6\r\n"
    "Cache-Control: max-age=0\r\n"
    "If-Modified-Since: Mon, 01 Jan 2024 00:00:00 GMT\r\n"
    "DNT: 1\r\n"
    "Priority: u=0, i\r\n\r\n";

constexpr std::string_view kResponse =
    "HTTP/1.1 200 OK\r\nServer: app\r\nDate: Mon, 01 Jan 2024 00:00:00 GMT\r\n"
    "Content-Type: application/json\r\nContent-Length: 1024\r\nCache-Control: no-store\r\n"
    "X-Frame-Options: DENY\r\nVary: Accept-Encoding\r\n\r\n";

void Require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "error: %s\n", what);
  std::exit(1);
}

std::string_view Request(const benchmark::State& state) {
  return state.range(0) == 0 ? kSmallRequest : kBrowserRequest;
}

void BM_ParseRequest(benchmark::State& state) {
  const std::string text(Request(state));
  base::BlockPool blocks;
  base::Arena arena(blocks);
  http::RequestHead head;
  const codec::RequestLimits limits;
  const auto parse = [&] {
    http1::HeadScanner scanner;
    const size_t size = scanner.Scan(text);
    Require(http1::ParseRequestHead({text.data(), size}, limits, arena, head).ok(), "refused");
    http::NormalPath path;
    Require(http::NormalizePath(head.path(), arena, path), "bad path");
    benchmark::DoNotOptimize(path);
    arena.Clear();
  };
  parse();
  AllocationsPerIteration allocations(state);
  for (auto _ : state) parse();
  allocations.RequireNone();
}
BENCHMARK(BM_ParseRequest)->ArgName("browser")->Arg(0)->Arg(1);

void BM_WriteRequest(benchmark::State& state) {
  const std::string text(Request(state));
  base::BlockPool blocks;
  base::Arena arena(blocks);
  http::RequestHead head;
  Require(http1::ParseRequestHead(text, codec::RequestLimits(), arena, head).ok(), "refused");
  std::vector<char> out(http1::RequestHeadBound(head));
  AllocationsPerIteration allocations(state);
  for (auto _ : state) {
    Require(http1::RequestHeadBound(head) <= out.size(), "too small");
    benchmark::DoNotOptimize(http1::WriteRequestHead(head, {}, out.data()));
  }
  allocations.RequireNone();
}
BENCHMARK(BM_WriteRequest)->ArgName("browser")->Arg(0)->Arg(1);

void BM_ParseResponse(benchmark::State& state) {
  const std::string text(kResponse);
  http::ResponseHead head;
  const auto parse = [&] {
    http1::HeadScanner scanner;
    const size_t size = scanner.Scan(text);
    Require(
        http1::ParseResponseHead({text.data(), size}, codec::ResponseLimits(), false, head).ok(),
        "refused");
  };
  parse();
  AllocationsPerIteration allocations(state);
  for (auto _ : state) parse();
  allocations.RequireNone();
}
BENCHMARK(BM_ParseResponse);

}  // namespace
}  // namespace headgate::bench
