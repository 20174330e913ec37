"""The proxies under comparison: how each is configured, started and found again as processes.

Each is set up the way its experts would: one worker or thread, keep-alive to the backend, buffered access
log, streaming uploads, no modules or features that the scenario does not need. `work="usual"` lets a peer
add the request fields and log what its users commonly configure; `work="same"` makes it add the very fields
and log the very values that Headgate does.
"""

import base64
import dataclasses
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import time
import urllib.request

from harness import machine


@dataclasses.dataclass(frozen=True)
class Setup:
    """What a scenario asks of every proxy."""
    workdir: pathlib.Path
    core: str
    backend_port: int
    grpc_port: int
    log_collector_port: int
    certificate: pathlib.Path  # PEM
    key: pathlib.Path          # PEM
    tls: bool
    log: bool
    hosts: int
    protocol: str
    work: str
    root: pathlib.Path            # where the proxies are installed; None: this system
    proxy_binaries: pathlib.Path  # Headgate's programs


class Peer:
    name = ""
    http_port = 0
    https_port = 0
    h2c_port = 0

    def __init__(self, setup):
        self.setup = setup
        self.dir = setup.workdir / self.name
        shutil.rmtree(self.dir, ignore_errors=True)
        self.dir.mkdir(parents=True)
        self._processes = []

    def start(self):
        raise NotImplementedError

    def pids(self):
        """Processes whose CPU counts as the proxy's."""
        return machine.with_children(self._processes[0].pid)

    def stop(self):
        for process in reversed(self._processes):
            process.terminate()
        for process in reversed(self._processes):
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def port(self, tls):
        return self.https_port if tls else self.http_port

    def _run(self, command, core=None):
        output = open(self.dir / f"output-{len(self._processes)}.txt", "wb")
        command = machine.in_root(self.setup.root, command)
        process = subprocess.Popen(machine.pinned(core or self.setup.core, command), stdout=output,
                                   stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, cwd=self.dir)
        output.close()
        self._processes.append(process)

    def _wait_until_up(self, check, what, seconds=60):
        deadline = time.monotonic() + seconds
        while not check():
            for process in self._processes:
                if process.poll() is not None:
                    raise RuntimeError(f"{self.name} ended with {process.returncode}: {self.output()}")
            if time.monotonic() > deadline:
                raise RuntimeError(f"{self.name}: {what} not reached in {seconds} s: {self.output()}")
            time.sleep(0.05)

    def _answers(self):
        host = "h0.bench.test" if self.setup.hosts else "bench.test"
        request = urllib.request.Request(f"http://127.0.0.1:{self.http_port}/bytes/3",
                                         headers={"Host": host})
        try:
            with urllib.request.urlopen(request, timeout=2) as answer:
                return answer.read() == b"abc"
        except OSError:
            return False

    def output(self):
        """The last lines that its programs printed, for an error message."""
        text = "".join((self.dir / f"output-{i}.txt").read_text(errors="replace")[-800:]
                       for i in range(len(self._processes)))
        return " | ".join(text.strip().splitlines()[-6:])

    def host_names(self):
        return [f"h{i}.bench.test" for i in range(self.setup.hosts)] or ["bench.test"]


class Nginx(Peer):
    name = "nginx"
    http_port, https_port, h2c_port = 8101, 8102, 8103

    @staticmethod
    def version(root):
        return _version(root, ["nginx", "-v"], r"nginx/([\d.]+)")

    def start(self):
        (self.dir / "nginx.conf").write_text(self._config())
        self._run(["nginx", "-p", self.dir, "-c", self.dir / "nginx.conf", "-e", "stderr"])
        self._wait_until_up(self._answers, "first answer")

    def _config(self):
        setup = self.setup
        same = setup.work == "same"
        fields = ["Host $host", "X-Real-IP $remote_addr", "X-Forwarded-For $remote_addr",
                  "X-Forwarded-Proto $scheme", 'Connection ""']
        if same:
            fields += ["X-Forwarded-Host $host", "X-Forwarded-Port $server_port", "X-Scheme $scheme",
                       "X-Forwarded-Scheme $scheme", "X-Request-ID $request_id"]
        log_format = "combined"
        log_definition = ""
        if same:
            log_format = "ingress"
            log_definition = (
                "log_format ingress '$remote_addr - $remote_user [$time_local] \"$request\" $status "
                "$body_bytes_sent \"$http_referer\" \"$http_user_agent\" $request_length "
                "$request_time [default-app-80] [] $upstream_addr $upstream_response_length "
                "$upstream_response_time $upstream_status $request_id';")
        log = f"access_log access.log {log_format} buffer=64k flush=1s;" if setup.log else "access_log off;"
        location = "location / { proxy_pass http://app; }"
        listen = f"listen 127.0.0.1:{self.http_port};"
        if setup.tls:
            listen += f" listen 127.0.0.1:{self.https_port} ssl{' http2' if setup.protocol == 'h2' else ''};"
        grpc = "" if setup.protocol != "grpc" else (
            f"upstream grpc {{ server 127.0.0.1:{setup.grpc_port}; keepalive 320; keepalive_requests 1000000; }}\n"
            f"  server {{ listen 127.0.0.1:{self.h2c_port} http2; location / {{ grpc_pass grpc://grpc; }} }}")
        # Headgate closes no connection for the number of its requests; one that is closed among many streams
        # would be a failed request here.
        keepalive = 1_000 if setup.protocol == "h1" else 100_000_000
        servers = "".join(f"  server {{ {listen} server_name {name}; {location} }}\n"
                          for name in self.host_names())
        fields = "\n".join(f"  proxy_set_header {field};" for field in fields)
        tls = "" if not setup.tls else (
            f"ssl_certificate {setup.certificate}; ssl_certificate_key {setup.key};\n"
            "  ssl_protocols TLSv1.2 TLSv1.3; ssl_session_cache shared:tls:10m;")
        return f"""
daemon off;
{"user root;" if os.getuid() == 0 else ""}
worker_processes 1;
worker_rlimit_nofile {machine.FILES};
pid nginx.pid;
error_log stderr warn;
events {{ worker_connections {machine.FILES}; }}
http {{
  client_body_temp_path tmp_body; proxy_temp_path tmp_proxy; fastcgi_temp_path tmp_fcgi;
  uwsgi_temp_path tmp_uwsgi; scgi_temp_path tmp_scgi;
  server_names_hash_max_size 65536; server_names_hash_bucket_size 128;
  server_tokens off; tcp_nodelay on;
  keepalive_timeout 75s; keepalive_requests {keepalive};
  client_max_body_size 0; client_body_buffer_size 128k; proxy_request_buffering off;
  proxy_max_temp_file_size 0; proxy_buffers 8 16k;
  {tls}
  {log_definition}
  {log}
  upstream app {{ server 127.0.0.1:{setup.backend_port}; keepalive 320; keepalive_requests 10000; }}
  proxy_http_version 1.1;
{fields}
{servers}
  {grpc}
}}
"""


class HAProxy(Peer):
    name = "haproxy"
    http_port, https_port, h2c_port = 8201, 8202, 8203

    @staticmethod
    def version(root):
        return _version(root, ["haproxy", "-v"], r"version ([\d.]+)")

    def start(self):
        pem = self.dir / "bench.pem"
        pem.write_text(self.setup.certificate.read_text() + self.setup.key.read_text())
        (self.dir / "haproxy.cfg").write_text(self._config(pem))
        self._run(["haproxy", "-db", "-f", self.dir / "haproxy.cfg"])
        self._wait_until_up(self._answers, "first answer")

    def _config(self, pem):
        setup = self.setup
        ring = log = log_format = ""
        if setup.log:
            ring = (f"ring requests\n  format rfc5424\n  maxlen 2048\n  size 1048576\n  timeout connect 5s\n"
                    f"  timeout server 10s\n"
                    f"  server collector 127.0.0.1:{setup.log_collector_port} log-proto octet-count\n")
            log = "log ring@requests local0"
            log_format = "option httplog"
            if setup.work == "same":
                log_format = (
                    'log-format "%ci - - [%tr] %{+Q}r %ST %B %{+Q}[capture.req.hdr(0)] '
                    '%{+Q}[capture.req.hdr(1)] %U %Ta [default-app-80] [] %si:%sp %B %Tr %ST %ID"')
        extra = ""
        if setup.work == "same":
            extra = ("  unique-id-format %[uuid()]\n  unique-id-header X-Request-ID\n"
                     "  http-request capture req.hdr(referer) len 256\n"
                     "  http-request capture req.hdr(user-agent) len 256\n"
                     "  http-request set-header X-Forwarded-Host %[req.hdr(host)]\n"
                     "  http-request set-header X-Forwarded-Port %[dst_port]\n"
                     "  http-request set-header X-Scheme http if !{ ssl_fc }\n"
                     "  http-request set-header X-Scheme https if { ssl_fc }\n"
                     "  http-request set-header X-Forwarded-Scheme http if !{ ssl_fc }\n"
                     "  http-request set-header X-Forwarded-Scheme https if { ssl_fc }\n")
        grpc = "" if setup.protocol != "grpc" else (
            f"frontend grpc\n  bind 127.0.0.1:{self.h2c_port} proto h2\n  default_backend grpc\n"
            f"backend grpc\n  server grpc1 127.0.0.1:{setup.grpc_port} proto h2\n")
        use = "default_backend app"
        if setup.hosts:
            (self.dir / "hosts.map").write_text("".join(f"{name} app\n" for name in self.host_names()))
            use = f"use_backend %[req.hdr(host),field(1,:),lower,map_str({self.dir}/hosts.map,app)]"
        return f"""
global
  nbthread 1
  maxconn {machine.CONNECTIONS}
  ssl-default-bind-options ssl-min-ver TLSv1.2
  {log}
{ring}
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  timeout http-request 60s
  timeout http-keep-alive 75s
  http-reuse always
  option forwardfor
  {"log global" if setup.log else "no log"}
  {log_format}
frontend web
  bind 127.0.0.1:{self.http_port}
  {f"bind 127.0.0.1:{self.https_port} ssl crt {pem} alpn h2,http/1.1" if setup.tls else ""}
  http-request set-header X-Real-IP %[src]
  http-request set-header X-Forwarded-Proto http if !{{ ssl_fc }}
  http-request set-header X-Forwarded-Proto https if {{ ssl_fc }}
{extra}  {use}
backend app
  server app1 127.0.0.1:{setup.backend_port}
{grpc}"""


class Nghttpx(Peer):
    """Multiplexes HTTP/2 upstream connections, which the other two do not."""
    name = "nghttpx"
    http_port, https_port, h2c_port = 8501, 8502, 8501

    @staticmethod
    def version(root):
        return _version(root, ["nghttpx", "--version"], r"nghttp2/([\d.]+)")

    def start(self):
        setup = self.setup
        backend = f"--backend=127.0.0.1,{setup.backend_port}"
        if setup.protocol == "grpc":
            backend = f"--backend=127.0.0.1,{setup.grpc_port};;proto=h2"
        options = ["--conf=/dev/null", "--workers=1", "--single-thread", backend, "--add-x-forwarded-for",
                   f"--frontend=127.0.0.1,{self.http_port};no-tls",
                   f"--worker-frontend-connections={machine.CONNECTIONS}", "--errorlog-file=/dev/stderr"]
        keys = []
        if setup.tls:
            options.append(f"--frontend=127.0.0.1,{self.https_port}")
            keys = [setup.key, setup.certificate]
        if setup.log:
            options.append(f"--accesslog-file={self.dir / 'access.log'}")
        self._run(["nghttpx", *options, *keys])
        self._wait_until_up(self._listening, "listening")

    def _listening(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.http_port)) == 0


class Headgate(Peer):
    """Only the data plane's CPU counts: the controller is idle and belongs to no request."""
    name = "headgate"
    http_port, https_port, admin_port, snapshot_port = 8301, 8302, 8303, 8304
    h2c_port = http_port

    @staticmethod
    def version(_root):
        return "this tree"

    def start(self):
        manifests = self.dir / "manifests"
        manifests.mkdir()
        self._write_manifests(manifests)
        binaries = self.setup.proxy_binaries
        # The data plane first: pids() takes the first.
        self._run([binaries / "headgate-dataplane", f"--controller=127.0.0.1:{self.snapshot_port}",
                   "--controller-insecure", f"--http-listen=127.0.0.1:{self.http_port}",
                   f"--https-listen=127.0.0.1:{self.https_port}",
                   f"--admin-listen=127.0.0.1:{self.admin_port}", "--workers=1",
                   f"--access-log={self.dir / 'access.log' if self.setup.log else 'off'}"])
        self._run([binaries / "headgate-controller", f"--manifests={manifests}", "--configmap=default/options",
                   f"--snapshot-listen=127.0.0.1:{self.snapshot_port}", "--snapshot-insecure"])
        self._wait_until_up(self._answers, "first answer", seconds=120)

    def _backend_port(self):
        return self.setup.grpc_port if self.setup.protocol == "grpc" else self.setup.backend_port

    def _answers(self):
        # An application that speaks gRPC only has no answer to the usual question.
        if self.setup.protocol != "grpc":
            return super()._answers()
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.admin_port}/readyz", timeout=2):
                return True
        except OSError:
            return False

    def _write_manifests(self, directory):
        setup = self.setup
        tls = {"tls.crt": base64.b64encode(setup.certificate.read_bytes()).decode(),
               "tls.key": base64.b64encode(setup.key.read_bytes()).decode()}
        objects = [
            {"apiVersion": "networking.k8s.io/v1", "kind": "IngressClass",
             "metadata": {"name": "headgate"}, "spec": {"controller": "headgate.dev/ingress-controller"}},
            {"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls",
             "metadata": {"name": "bench-tls", "namespace": "default"}, "data": tls},
            # HSTS is on by default and off in the peers.
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "options", "namespace": "default"},
             "data": {"enable-h2c": str(setup.protocol == "grpc").lower(), "hsts": "false"}},
            {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "app", "namespace": "default"},
             "spec": {"clusterIP": "10.0.0.10",
                      "ports": [{"name": "http", "port": 80, "targetPort": self._backend_port()}]}},
            {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
             "metadata": {"name": "app-1", "namespace": "default",
                          "labels": {"kubernetes.io/service-name": "app"}},
             "addressType": "IPv4", "ports": [{"name": "http", "port": self._backend_port()}],
             "endpoints": [{"addresses": ["127.0.0.1"], "conditions": {"ready": True}}]},
        ]
        for index, host in enumerate(self.host_names()):
            objects.append({
                "apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
                "metadata": {"name": f"app-{index}", "namespace": "default", "annotations": {
                    "nginx.ingress.kubernetes.io/ssl-redirect": "false",
                    "nginx.ingress.kubernetes.io/proxy-body-size": "0",
                    "nginx.ingress.kubernetes.io/proxy-request-buffering": "off",
                    "nginx.ingress.kubernetes.io/backend-protocol":
                        "GRPC" if setup.protocol == "grpc" else "HTTP"}},
                "spec": {"ingressClassName": "headgate",
                         "tls": [{"hosts": [host], "secretName": "bench-tls"}],
                         "rules": [{"host": host, "http": {"paths": [{
                             "path": "/", "pathType": "Prefix",
                             "backend": {"service": {"name": "app", "port": {"number": 80}}}}]}}]}})
        for start in range(0, len(objects), 1000):
            documents = [json.dumps(thing, indent=1) for thing in objects[start:start + 1000]]
            (directory / f"bench-{start:06}.yaml").write_text("\n---\n".join(documents) + "\n")


class Relay(Peer):
    """No proxy but the floor: hands bytes through. Plain TCP only."""
    name = "relay"
    http_port = 8401

    @staticmethod
    def version(_root):
        return "bytes only"

    def start(self):
        self._run([self.setup.proxy_binaries / "bench_relay", f"--listen=127.0.0.1:{self.http_port}",
                   f"--backend=127.0.0.1:{self.setup.backend_port}"])
        self._wait_until_up(self._answers, "first answer")

    def port(self, tls):
        if tls:
            raise RuntimeError("the relay does not speak TLS")
        return self.http_port


def _version(root, command, pattern):
    """The version it prints; None if it is not installed."""
    try:
        run = subprocess.run(machine.in_root(root, command), capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return None
    found = re.search(pattern, run.stdout + run.stderr)
    return found.group(1) if found else None


PEERS = {peer.name: peer for peer in (Nginx, HAProxy, Nghttpx, Headgate, Relay)}
DEFAULT_PEERS = ("nginx", "haproxy", "headgate")
