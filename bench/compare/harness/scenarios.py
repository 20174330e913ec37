"""What is measured: one entry a scenario. A new protocol adds entries (and a load program), nothing else."""

import dataclasses

from harness import machine


@dataclasses.dataclass(frozen=True)
class Scenario:
    name: str
    title: str
    # Flags of the load program; the runner adds target (`tls` chooses the port) and number of requests.
    load: tuple
    # Measured requests of one run; sized for one to three seconds of proxy CPU with nginx.
    requests: int
    tls: bool = False
    log: bool = True
    certificate: str = "ecdsa"  # or "rsa"
    hosts: int = 0
    # "h1"; "h2": HTTP/2 from the client, HTTP/1.1 to the backend; "grpc": HTTP/2 without TLS on both sides.
    protocol: str = "h1"
    # "requests": CPU a request. "idle": memory of open connections after their first answer.
    kind: str = "requests"
    program: str = "bench_load"

    def port(self, peer):
        """Where the peer takes this scenario's requests."""
        if self.protocol == "grpc":
            return peer.h2c_port
        return peer.port(self.tls)

    def connections(self):
        for flag in self.load:
            if flag.startswith("--connections="):
                return int(flag.split("=")[1])
        return 64


_KEEPALIVE = ("--path=/bytes/1024", "--length=1024", "--connections=64")
_TLS = ("--tls=13",)
_MIB = ("--path=/bytes/1048576", "--length=1048576", "--connections=8")
_UPLOAD = ("--upload=10485760", "--length=8", "--connections=4", "--warmup=2")
# Of 10,000, or as many as the system lets a proxy have beside the 512 that are open before.
_OPEN = min(10_000, machine.CONNECTIONS - 700)
_IDLE = ("--path=/bytes/1024", f"--connections={_OPEN}", "--warmup=1")
_FRESH = ("--path=/bytes/1024", "--length=1024", "--close=1", "--connections=32", "--warmup=5")
_H2 = ("--path=/bytes/1024", "--length=1024", "--connections=8", "--streams=32") + _TLS
_H2_SINGLE = ("--path=/bytes/1024", "--length=1024", "--connections=32", "--streams=1") + _TLS
_GRPC = ("--path=/bench.Echo/Unary", "--grpc=1", "--connections=8", "--streams=32")

SCENARIOS = (
    Scenario("keepalive", "keep-alive GET 1 kB, 64 connections", _KEEPALIVE, 100_000),
    Scenario("keepalive-nolog", "the same, access log off", _KEEPALIVE, 100_000, log=False),
    Scenario("browser", "20 browser fields, empty answer, 64 connections",
             ("--path=/bytes/0", "--length=0", "--browser-headers=1"), 80_000),
    Scenario("new-connection", "new connection per request", _FRESH, 40_000),
    Scenario("tls-keepalive", "TLS 1.3 keep-alive GET 1 kB, 64 connections", _KEEPALIVE + _TLS, 60_000,
             tls=True),
    Scenario("handshake-ecdsa", "TLS 1.3 full handshake, ECDSA P-256", _FRESH + _TLS, 4_000, tls=True),
    Scenario("handshake-rsa", "TLS 1.3 full handshake, RSA 2048", _FRESH + _TLS, 2_500, tls=True,
             certificate="rsa"),
    Scenario("handshake-resumed", "TLS 1.3 resumed handshake", _FRESH + _TLS + ("--resume=1",), 4_000,
             tls=True),
    Scenario("h2", "HTTP/2 over TLS 1.3 to HTTP/1.1, GET 1 kB, 8 connections of 32 streams", _H2, 60_000, tls=True,
             protocol="h2", program="bench_h2_load"),
    Scenario("h2-single", "the same, 32 connections of 1 stream", _H2_SINGLE, 60_000, tls=True, protocol="h2",
             program="bench_h2_load"),
    Scenario("grpc", "unary gRPC, h2c to h2c, 100 bytes, 8 connections of 32 streams", _GRPC, 60_000, protocol="grpc",
             program="bench_h2_load"),
    Scenario("download", "1 MiB download, 8 connections", _MIB, 2_500),
    Scenario("download-tls", "1 MiB download over TLS 1.3, 8 connections", _MIB + _TLS, 1_500, tls=True),
    Scenario("upload", "10 MiB upload, 4 connections", _UPLOAD, 200),
    Scenario("upload-tls", "10 MiB upload over TLS 1.3, 4 connections", _UPLOAD + _TLS, 150, tls=True),
    Scenario("hosts", "10,000 hosts, random Host, 64 connections", _KEEPALIVE + ("--hosts=10000",),
             60_000, hosts=10_000),
    Scenario("rate", "6,000 requests/s on a fixed schedule, 64 connections",
             _KEEPALIVE + ("--rate=6000",), 18_000),
    Scenario("idle", f"idle keep-alive connection, of {_OPEN:,}", _IDLE, 1, kind="idle"),
    Scenario("idle-tls", f"idle TLS 1.3 connection, of {_OPEN:,}", _IDLE + _TLS, 1, tls=True, kind="idle"),
)

BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}
