#include "dataplane/app/app.h"

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <csignal>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/log.h"
#include "dataplane/admin/config_page.h"
#include "dataplane/admin/health_metrics.h"
#include "dataplane/admin/limit_metrics.h"
#include "dataplane/admin/metrics_page.h"
#include "dataplane/admin/tcp_metrics.h"
#include "dataplane/app/health_report.h"

namespace headgate::app {
namespace {

const SystemClock kClock;

std::string Join(const std::vector<base::Address>& addresses) {
  std::string text;
  for (const base::Address& address : addresses) text += (text.empty() ? "" : ",") + address.Text();
  return text;
}

std::chrono::milliseconds Milliseconds(absl::Duration duration) {
  return std::chrono::milliseconds(absl::ToInt64Milliseconds(duration));
}

}  // namespace

absl::StatusOr<std::unique_ptr<App>> App::Create(Options options) {
  auto app = std::unique_ptr<App>(new App(std::move(options)));
  const Options& o = app->options_;

  sigset_t reopen_signal;
  sigemptyset(&reopen_signal);
  sigaddset(&reopen_signal, SIGUSR1);
  pthread_sigmask(SIG_BLOCK, &reopen_signal,
                  nullptr);  // for all threads: none has been started yet
  app->reopen_ = net::Fd(signalfd(-1, &reopen_signal, SFD_CLOEXEC | SFD_NONBLOCK));

  if (o.access_log != "off") {
    auto log = observe::AccessLogFile::Open(o.access_log);
    if (!log.ok()) return log.status();
    app->access_log_ = *std::move(log);
  }

  if (o.state_dir.empty()) {
    app->store_ = control::SnapshotStore::InMemory();
  } else {
    auto store = control::SnapshotStore::Open(o.state_dir);
    if (!store.ok()) return store.status();
    app->store_ = *std::move(store);
  }

  app->control_ = std::make_unique<control::ControlThread>();
  worker::PoolOptions pool;
  pool.workers = o.workers;
  pool.http_listen = o.http_listen;
  pool.https_listen = o.https_listen;
  pool.max_connections = o.max_connections;
  pool.spill_dir = o.spill_dir;
  pool.spill_limit = o.spill_limit;
  std::vector<files::StaticRoot> roots;
  for (const auto& [name, directory] : o.static_roots) {
    auto root = files::StaticRoot::Open(name, directory);
    if (!root.ok()) return root.status();
    roots.push_back(*std::move(root));
  }
  pool.static_roots = files::StaticRoots(std::move(roots));
  pool.access_log = app->access_log_.get();
  pool.route_details = o.nginx_metrics.has_value();
  pool.spans = &app->spans_;
  pool.reserved_ports = {o.admin_listen.port()};
  pool.release = [control =
                      app->control_.get()](std::shared_ptr<const config::CompiledConfig> config) {
    control->Post([config = std::move(config)]() mutable { config.reset(); });
  };
  auto workers = worker::WorkerPool::Create(std::move(pool));
  if (!workers.ok()) return workers.status();
  app->workers_ = *std::move(workers);

  auto admin = net::BindTcp(o.admin_listen);
  if (!admin.ok()) return admin.status();
  app->admin_ = std::make_unique<admin::AdminServer>(*std::move(admin));
  return app;
}

App::~App() {
  // Against the flow of data: whoever calls goes before whoever is called. Configurations end on
  // the control thread, after whatever has been posted there.
  admin_.reset();
  client_.reset();
  resolver_.reset();
  if (checker_ != nullptr) checker_->Stop();
  if (workers_ != nullptr) workers_->Stop();
  if (control_ == nullptr) return;
  control_->Run([this] {
    workers_.reset();
    applier_.reset();
  });
}

int App::Run(Shutdown& shutdown) {
  resolver_ = std::make_unique<upstream::DnsResolver>(
      kClock, [](const std::string& name) { return upstream::LookUp(name, {}); },
      [this](const std::string& name, const std::vector<base::Address>& addresses) {
        control_->Post([this, name, addresses] { applier_->Resolved(name, addresses); });
      },
      upstream::DnsResolver::Options{});
  checker_ = std::make_unique<health::Checker>([this](std::vector<config::HealthVerdict> verdicts) {
    workers_->ApplyHealth(verdicts);
    health_reporter_->Changed();
  });
  health_reporter_ = std::make_unique<control::HealthReporter>(
      [this] { return MakeHealthReport(checker_->Status()); }, kClock);
  exporter_ = std::make_unique<tracing::Exporter>(
      spans_,
      tracing::ExporterOptions{.instance = options_.controller.instance,
                               .build_version = options_.controller.build_version},
      kClock);
  applier_ = std::make_unique<ConfigApplier>(
      config::ConfigBuilder::Options{.allow_local_dns = options_.allow_local_dns}, *workers_,
      *checker_, *resolver_, *exporter_);
  workers_->Start();
  checker_->Start();
  options_.controller.health = health_reporter_.get();
  client_ = std::make_unique<control::SnapshotClient>(options_.controller, std::move(store_),
                                                      *applier_, *control_, kClock);
  AddPages();
  admin_->Start();
  HEADGATE_LOG(kInfo, "app", "started", {"http", Join(workers_->http_addresses())},
               {"https", Join(workers_->https_addresses())}, {"admin", admin_->address().Text()},
               {"workers", workers_->size()},
               {"controller", options_.controller.controller.ToString()});

  while (true) {
    pollfd waiting[] = {{shutdown.fd(), POLLIN, 0}, {reopen_.get(), POLLIN, 0}};
    poll(waiting, 2, -1);
    if (waiting[1].revents != 0) {
      signalfd_siginfo info;
      while (read(reopen_.get(), &info, sizeof(info)) > 0) {
      }
      if (access_log_ != nullptr) {
        if (const absl::Status reopened = access_log_->Reopen(); !reopened.ok()) {
          HEADGATE_LOG(kError, "app", "cannot reopen the access log", {"error", reopened});
        }
      }
    }
    if (waiting[0].revents != 0) break;
  }
  shutdown.Wait();
  Drain(shutdown);
  return 0;
}

void App::Drain(Shutdown& shutdown) {
  draining_.store(true);
  HEADGATE_LOG(kInfo, "app", "draining", {"delay", options_.drain_delay},
               {"timeout", options_.drain_timeout});
  workers_->AnnounceEnd();
  // A second request ends each wait.
  if (shutdown.WaitFor(options_.drain_delay)) return;
  std::atomic<bool> complete{false};
  std::thread waiter([&] {
    complete.store(workers_->Drain(Milliseconds(options_.drain_timeout)));
    shutdown.Request();
  });
  shutdown.Wait();
  const bool cut = !complete.load();  // somebody insists, or time is up
  if (cut) {
    admin_->Stop();  // first: a page under way waits for the workers
    workers_->Stop();
  }
  waiter.join();
  HEADGATE_LOG(kInfo, "app", cut ? "stopped with connections open" : "drained");
}

void App::AddPages() {
  admin_->Handle("/healthz", "200 while the process works",
                 [] { return admin::AdminReply{.body = "ok\n"}; });
  admin_->Handle("/readyz", "200 when traffic should be sent here", [this] {
    if (ready()) return admin::AdminReply{.body = "ok\n"};
    return admin::AdminReply{.status = 503,
                             .body = draining_.load() ? "draining\n" : "no configuration yet\n"};
  });
  admin_->Handle("/metrics", "Prometheus metrics", [this] {
    admin::AdminReply reply;
    reply.content_type = std::string(MetricsRegistry::kContentType);
    reply.body = admin::RenderMetrics(
        *workers_, {[this](MetricsWriter& out) { client_->Collect(out); },
                    [this](MetricsWriter& out) {
                      control_->Run([&] {
                        admin::CollectConfig(applier_->builder(), out);
                        admin::CollectLimits(applier_->builder(), out);
                      });
                    },
                    [this](MetricsWriter& out) { admin::CollectHealth(*checker_, out); },
                    [this](MetricsWriter& out) { admin::CollectTcp(*workers_, out); },
                    [this](MetricsWriter& out) { exporter_->Collect(out); },
                    [this](MetricsWriter& out) {
                      if (!options_.nginx_metrics) return;
                      const control::ClientStatus status = client_->status();
                      admin::CollectNginx(
                          *options_.nginx_metrics, *workers_,
                          {.last_successful = status.configured && status.refused.empty(),
                           .successes = status.commits,
                           .errors = status.mismatches,
                           .version = status.version,
                           .last_change = absl::ToUnixSeconds(status.applied)},
                          out);
                    }});
    reply.more = [routes = std::make_unique<admin::RouteMetrics>(
                      *workers_, options_.nginx_metrics)] { return routes->Next(); };
    return reply;
  });
  admin_->Handle("/config", "what is being served, without secrets, as JSON", [this] {
    admin::AdminReply reply;
    reply.content_type = "application/json";
    const std::vector<health::UpstreamStatus> health = checker_->Status();
    control_->Run([&] {
      reply.body = admin::RenderConfig(applier_->builder(), applier_->version(), health);
    });
    return reply;
  });
}

}  // namespace headgate::app
