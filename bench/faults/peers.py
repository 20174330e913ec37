"""The proxies of bench/compare before four backends, each set up by an expert for endpoints that fail.

All have the same time limits (1 s for a connection, 2 s between two reads), three tries, and keep connections with their
backends. nginx has no active checks in its free form: it goes by failed requests. HAProxy and Headgate check every half
second at a port of its own, twice before they believe it, and go by failed requests as well.
"""

import json
import urllib.request

from harness import peers

ADDRESSES = [f"127.0.1.{i}" for i in range(1, 5)]
PORT, HEALTH_PORT = 9100, 9101


class _Plain:
    """Whether it serves is told by any answer."""

    def _answers(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.http_port}/", timeout=2) as answer:
                return answer.status == 200
        except OSError:
            return False


class Nginx(_Plain, peers.Nginx):
    def _config(self):
        servers = " ".join(f"server {address}:{PORT} max_fails=2 fail_timeout=10s;" for address in ADDRESSES)
        return f"""
daemon off;
worker_processes 1;
pid nginx.pid;
error_log stderr crit;
events {{ worker_connections 4096; }}
http {{
  client_body_temp_path tmp_body; proxy_temp_path tmp_proxy; fastcgi_temp_path tmp_fcgi;
  uwsgi_temp_path tmp_uwsgi; scgi_temp_path tmp_scgi;
  access_log off;
  upstream app {{ {servers} keepalive 64; }}
  server {{
    listen 127.0.0.1:{self.http_port};
    location / {{
      proxy_pass http://app;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_bind 127.0.2.1;
      proxy_connect_timeout 1s; proxy_read_timeout 2s; proxy_send_timeout 2s;
      proxy_next_upstream error timeout; proxy_next_upstream_tries 3;
    }}
  }}
}}
"""


class HAProxy(_Plain, peers.HAProxy):
    def _config(self, pem):
        servers = "\n".join(f"  server app{i} {address}:{PORT} check port {HEALTH_PORT} source 127.0.2.2"
                            for i, address in enumerate(ADDRESSES))
        return f"""
global
  nbthread 1
defaults
  mode http
  timeout connect 1s
  timeout client 60s
  timeout server 2s
  timeout check 500ms
  timeout http-request 60s
  timeout http-keep-alive 75s
  http-reuse safe
  retries 2
  option redispatch 1
  retry-on conn-failure empty-response response-timeout
frontend web
  bind 127.0.0.1:{self.http_port}
  default_backend app
backend app
  option httpchk GET /health
  default-server inter 500ms fall 2 rise 2 observe layer7 error-limit 2 on-error mark-down on-marked-down shutdown-sessions
{servers}
"""


class Headgate(_Plain, peers.Headgate):
    def _write_manifests(self, directory):
        annotations = {"headgate.dev/health-check": "http", "headgate.dev/health-check-path": "/health",
                       "headgate.dev/health-check-port": str(HEALTH_PORT),
                       "headgate.dev/health-check-interval": "500ms", "headgate.dev/health-check-timeout": "500ms",
                       "headgate.dev/health-check-fall": "2", "headgate.dev/health-check-rise": "2",
                       "headgate.dev/max-fails": "2", "headgate.dev/fail-timeout": "10s"}
        objects = [
            {"apiVersion": "networking.k8s.io/v1", "kind": "IngressClass",
             "metadata": {"name": "headgate"}, "spec": {"controller": "headgate.dev/ingress-controller"}},
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "options", "namespace": "default"},
             "data": {"proxy-connect-timeout": "1", "proxy-read-timeout": "2", "proxy-send-timeout": "2"}},
            {"apiVersion": "v1", "kind": "Service",
             "metadata": {"name": "app", "namespace": "default", "annotations": annotations},
             "spec": {"clusterIP": "10.0.0.10", "ports": [{"name": "http", "port": 80, "targetPort": PORT}]}},
            {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
             "metadata": {"name": "app-1", "namespace": "default",
                          "labels": {"kubernetes.io/service-name": "app"}},
             "addressType": "IPv4", "ports": [{"name": "http", "port": PORT}],
             "endpoints": [{"addresses": [address], "conditions": {"ready": True}} for address in ADDRESSES]},
            {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
             "metadata": {"name": "app", "namespace": "default", "annotations": {
                 "nginx.ingress.kubernetes.io/proxy-connect-timeout": "1",
                 "nginx.ingress.kubernetes.io/proxy-read-timeout": "2",
                 "nginx.ingress.kubernetes.io/proxy-send-timeout": "2"}},
             "spec": {"ingressClassName": "headgate", "rules": [{"http": {"paths": [{
                 "path": "/", "pathType": "Prefix",
                 "backend": {"service": {"name": "app", "port": {"number": 80}}}}]}}]}},
        ]
        (directory / "faults.yaml").write_text("\n---\n".join(json.dumps(thing) for thing in objects) + "\n")


PEERS = {"nginx": Nginx, "haproxy": HAProxy, "headgate": Headgate}
# By whose connections a backend can tell who asks; the third has no such setting.
SOURCES = {"127.0.2.1": "nginx", "127.0.2.2": "haproxy"}
