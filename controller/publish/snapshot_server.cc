#include "controller/publish/snapshot_server.h"

#include <grpc/support/time.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <utility>

#include "common/strings.h"
#include "controller/publish/snapshot_stream.h"
#include "proto/headgate/v1/discovery.grpc.pb.h"

namespace headgate::publish {
namespace {

// Inventories come in parts well below this.
constexpr int kMaxReceiveBytes = 4 << 20;
// A data plane that vanished without a word is noticed within the sum of these two.
constexpr int kKeepaliveMs = 20'000;
constexpr int kKeepaliveTimeoutMs = 10'000;
// Data planes ask, too; ours do so every 10 s. More often than this is abuse.
constexpr int kMinPingIntervalMs = 5'000;
constexpr int64_t kShutdownGraceMs = 2'000;

}  // namespace

class SnapshotServer::Service final : public v1::SnapshotDiscovery::CallbackService {
 public:
  Service(std::shared_ptr<Hub> hub, const Clock& clock) : hub_(std::move(hub)), clock_(clock) {}

  grpc::ServerBidiReactor<v1::DataPlaneMessage, v1::ControllerMessage>* Subscribe(
      grpc::CallbackServerContext* context) override {
    auto stream = std::make_shared<SnapshotStream>(hub_, clock_, context->peer());
    if (hub_->Add(stream)) {
      stream->Start();
    } else {
      stream->End();
    }
    return stream.get();
  }

 private:
  const std::shared_ptr<Hub> hub_;
  const Clock& clock_;
};

SnapshotServer::SnapshotServer() = default;

absl::StatusOr<std::unique_ptr<SnapshotServer>> SnapshotServer::Start(const Options& options,
                                                                      const Clock& clock,
                                                                      MetricsRegistry& metrics) {
  std::unique_ptr<SnapshotServer> server(new SnapshotServer);
  std::shared_ptr<grpc::ServerCredentials> credentials;
  if (options.tls) {
    auto files = TlsFiles::Load(*options.tls, options.tls_look_every);
    if (!files.ok()) return files.status();
    server->tls_files_ = *std::move(files);
    credentials = server->tls_files_->MakeCredentials();
  } else if (options.listen.IsLoopback()) {
    credentials = grpc::InsecureServerCredentials();
  } else {
    return absl::InvalidArgumentError(
        StrCat("snapshots hold private keys: without TLS the address must be a loopback one, not ",
               options.listen.ToString()));
  }
  server->hub_ = std::make_shared<Hub>(metrics, options.health_changed, options.acknowledged);
  metrics.AddCollector([weak = std::weak_ptr<const Hub>(server->hub_)](MetricsWriter& writer) {
    if (const std::shared_ptr<const Hub> hub = weak.lock()) hub->Collect(writer);
  });
  server->service_ = std::make_unique<Service>(server->hub_, clock);

  HostPort listen = options.listen;
  if (listen.host.empty()) listen.host = "::";  // every address, of IPv4 as well
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort(listen.ToString(), credentials, &port);
  builder.RegisterService(server->service_.get());
  builder.SetMaxReceiveMessageSize(kMaxReceiveBytes);
  // Two controllers on one port would share the data planes between them without anybody noticing.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                             kMinPingIntervalMs);
  server->server_ = builder.BuildAndStart();
  if (server->server_ == nullptr || port == 0) {
    return absl::UnavailableError(StrCat("cannot listen on ", options.listen.ToString()));
  }
  server->port_ = static_cast<uint16_t>(port);
  return server;
}

SnapshotServer::~SnapshotServer() {
  if (server_ == nullptr) return;
  hub_->Close();
  server_->Shutdown(gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                                 gpr_time_from_millis(kShutdownGraceMs, GPR_TIMESPAN)));
  server_->Wait();
}

}  // namespace headgate::publish
