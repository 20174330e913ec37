"""Both proxies on loopback, with the same backends: Headgate's two programs, and NGINX."""

import base64
import contextlib
import http.client
import json
import os
import pathlib
import random
import socket
import ssl
import subprocess
import time

import access_log
from echo import Echo
from table import PREFIX

CONTROLLER = "headgate.dev/ingress-controller"
PROXY_CONF = """\
proxy_http_version 1.1;
proxy_set_header Connection $connection_upgrade;
proxy_set_header Upgrade $http_upgrade;
proxy_set_header X-Request-ID $req_id;
proxy_set_header X-Real-IP $remote_addr;
proxy_set_header X-Forwarded-For $remote_addr;
proxy_set_header X-Forwarded-Host $http_host;
proxy_set_header X-Forwarded-Port $pass_port;
proxy_set_header X-Forwarded-Proto $scheme;
proxy_set_header X-Forwarded-Scheme $scheme;
proxy_set_header X-Scheme $scheme;
proxy_set_header X-Original-Forwarded-For $http_x_forwarded_for;
proxy_set_header X-Original-Forwarded-Host $http_x_forwarded_host;
proxy_set_header Proxy "";
"""
NGINX_CONF = """\
daemon off; master_process off; worker_processes 1; pid nginx.pid; error_log nginx.log;
events {{ worker_connections 1024; }}
http {{
{access_log} server_tokens off; port_in_redirect off; keepalive_requests 1000; default_type text/html;
client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;
server_names_hash_bucket_size 128; map_hash_bucket_size 128; types {{ }}
large_client_header_buffers 4 8k; client_max_body_size 1m; client_body_buffer_size 8k;
proxy_connect_timeout 5s; proxy_buffering off; proxy_buffer_size 4k; proxy_buffers 4 4k;
proxy_ssl_session_reuse off; proxy_redirect off; proxy_cookie_domain off; proxy_cookie_path off;
proxy_next_upstream error timeout; proxy_next_upstream_tries 3; proxy_pass_header Server;
map $http_upgrade $connection_upgrade {{ default upgrade; '' ''; }}
map $http_x_request_id $req_id {{ default $http_x_request_id; '' $request_id; }}
map $scheme $pass_port {{ default {http}; https 443; }}
map $scheme $https_port {{ default {https}; }}
map $scheme $hsts {{ default ''; https 'max-age=31536000; includeSubDomains'; }}
add_header Strict-Transport-Security $hsts always;
{upstreams}
server {{ listen 127.0.0.1:{http} default_server; listen 127.0.0.1:{https} ssl default_server; server_name _;
ssl_certificate pki/server.pem; ssl_certificate_key pki/server.key; return 404; }}
{servers}
}}
"""


def free_port():
    """Not of those that the system gives to connections: one would be taken by the time that a server wants it."""
    while True:
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", random.randrange(10_000, 32_000)))
            return probe.getsockname()[1]


def wait_for(what, condition, limit=30.0):
    deadline = time.monotonic() + limit
    while True:
        try:
            if result := condition():
                return result
        except (OSError, http.client.HTTPException):
            pass
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {limit:.0f} s for {what}")
        time.sleep(0.01)


def get(port, path):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read().decode(errors="replace")
    finally:
        connection.close()


class Stage:
    """Owns all programs; leaving the context stops them."""

    def __init__(self, programs, folder):
        self.programs, self.folder = pathlib.Path(programs), pathlib.Path(folder)
        self.echo = Echo()
        self.running = []
        self.http, self.https, self.admin = free_port(), free_port(), free_port()
        self.nginx_http, self.nginx_https = free_port(), free_port()
        self.snapshot, self.controller_admin = free_port(), free_port()
        self.manifests = self.folder / "manifests"
        self.manifests.mkdir(parents=True)
        self._make_certificates()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process, _ in reversed(self.running):
            process.terminate()
        for process, _ in self.running:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    # --- certificates ---

    def _openssl(self, *arguments):
        done = subprocess.run(["openssl", *arguments], cwd=self.folder / "pki", capture_output=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"openssl: {done.stderr.decode(errors='replace')}")

    def _make_certificates(self):
        pki = self.folder / "pki"
        pki.mkdir()
        curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        for name in ("ca", "other-ca"):
            self._openssl("req", "-x509", *curve, "-keyout", f"{name}.key", "-out", f"{name}.pem", "-days", "30",
                          "-subj", f"/CN={name}")
        for name, signer, names in (("server", "ca", "DNS:*.test,DNS:*.sub.test"), ("client", "ca", "DNS:client"),
                                    ("stranger", "other-ca", "DNS:stranger"), ("backend", "ca", "DNS:backend.test")):
            (pki / f"{name}.ext").write_text(f"subjectAltName={names}\n")
            self._openssl("req", *curve, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj",
                          f"/O=Oracle/CN={name}")
            self._openssl("x509", "-req", "-in", f"{name}.csr", "-CA", f"{signer}.pem", "-CAkey", f"{signer}.key",
                          "-CAcreateserial", "-days", "30", "-out", f"{name}.pem", "-extfile", f"{name}.ext")

    def pem(self, name):
        return (self.folder / "pki" / name).read_text()

    def tls_context(self, client=None):
        context = ssl.create_default_context(cafile=self.folder / "pki" / "ca.pem")
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        if client:
            context.load_cert_chain(self.folder / "pki" / f"{client}.pem", self.folder / "pki" / f"{client}.key")
        return context

    def backend_context(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / "pki" / "backend.pem", self.folder / "pki" / "backend.key")
        context.load_verify_locations(self.folder / "pki" / "ca.pem")
        context.verify_mode = ssl.CERT_OPTIONAL
        return context

    # --- objects ---

    def service(self, name, ports):
        """A Service with these endpoints, as two objects."""
        label = {"kubernetes.io/service-name": name}
        yield {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": "default"},
               "spec": {"clusterIP": "127.0.0.1", "ports": [{"name": "http", "port": 80, "targetPort": "http"}]}}
        # A slice has one port for all its addresses, so each endpoint has a slice of its own.
        for number, port in enumerate(ports):
            yield {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
                   "metadata": {"name": f"{name}-{number}", "namespace": "default", "labels": label},
                   "ports": [{"name": "http", "port": port}],
                   "endpoints": [{"addresses": ["127.0.0.1"], "conditions": {"ready": True}}]}

    @staticmethod
    def ingress(group_host, item, age):
        hosts = item.hosts if item.hosts is not None else [group_host]
        paths = [{"path": path.path, "pathType": path.type, "backend": Stage.backend(path.service)}
                 for path in item.paths]
        rules = [{**({"host": host} if host else {}), **({"http": {"paths": paths}} if paths else {})}
                 for host in hosts]
        spec = {"ingressClassName": "headgate", **({"rules": rules} if rules else {})}
        if item.tls is not None:
            spec["tls"] = [{"hosts": list(item.tls), "secretName": "server"}]
        if item.default_backend:
            spec["defaultBackend"] = Stage.backend(item.default_backend)
        annotations = {name if "/" in name else PREFIX + name: value for name, value in item.annotations.items()}
        return {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "spec": spec,
                "metadata": {"name": item.name, "namespace": "default", "annotations": annotations,
                             "creationTimestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(1.6e9 + age))}}

    @staticmethod
    def backend(service):
        return {"service": {"name": service, "port": {"name": "http"}}}

    def basic_objects(self):
        yield {"apiVersion": "networking.k8s.io/v1", "kind": "IngressClass", "metadata": {"name": "headgate"},
               "spec": {"controller": CONTROLLER}}
        encode = lambda name: base64.b64encode(self.pem(name).encode()).decode()  # noqa: E731
        yield {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "server", "namespace": "default"},
               "type": "kubernetes.io/tls", "data": {"tls.crt": encode("server.pem"), "tls.key": encode("server.key")}}

    def write_manifests(self, name, objects):
        """Whole or not at all."""
        staged = self.manifests / f".{name}.new"
        staged.write_text("---\n".join(json.dumps(item) + "\n" for item in objects))
        staged.rename(self.manifests / f"{name}.yaml")

    # --- programs ---

    def launch(self, name, *arguments, log=None):
        """Starts a program, which writes to a log named like it unless told otherwise; returns the log's path."""
        log = self.folder / f"{log or pathlib.Path(name).name}.log"
        with log.open("w") as output:
            process = subprocess.Popen([name, *arguments], stdin=subprocess.DEVNULL, stdout=output,
                                       stderr=subprocess.STDOUT, start_new_session=True)
        self.running.append((process, log))
        return log

    def check_running(self):
        for process, log in self.running:
            if process.poll() is not None:
                tail = "\n".join(log.read_text(errors="replace").splitlines()[-20:])
                raise RuntimeError(f"ended with status {process.returncode}; the end of {log}:\n{tail}")

    def start_headgate(self, *flags):
        self.launch(self.programs / "headgate-controller", f"--manifests={self.manifests}",
                    f"--snapshot-listen=127.0.0.1:{self.snapshot}", "--snapshot-insecure",
                    f"--admin-listen=127.0.0.1:{self.controller_admin}", *flags)
        self.launch(self.programs / "headgate-dataplane", f"--controller=127.0.0.1:{self.snapshot}",
                    "--controller-insecure", f"--http-listen=127.0.0.1:{self.http}", "--workers=1", "--allow-local-dns",
                    f"--https-listen=127.0.0.1:{self.https}", f"--admin-listen=127.0.0.1:{self.admin}",
                    f"--access-log={self.folder / 'access.log'}")
        wait_for("the data plane", lambda: self.check_running() or get(self.admin, "/readyz")[0] == 200)

    def start_nginx(self, servers):
        upstreams = "".join(
            f"upstream {name} {{ " + "".join(f"server 127.0.0.1:{port} max_fails=0; " for port in ports) + "}\n"
            for name, ports in self.echo.ports.items())
        (self.folder / "proxy.conf").write_text(PROXY_CONF)
        conf = self.folder / "nginx.conf"
        conf.write_text(NGINX_CONF.format(http=self.nginx_http, https=self.nginx_https, upstreams=upstreams,
                                          servers=servers, access_log=access_log.NGINX))
        nginx = next((p for p in ("/usr/sbin/nginx", "/usr/bin/nginx") if os.access(p, os.X_OK)), "nginx")
        self.launch(nginx, "-p", str(self.folder), "-c", str(conf))
        wait_for("nginx", lambda: self.check_running() or get(self.nginx_http, "/")[0] == 404)
