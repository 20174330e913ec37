#!/usr/bin/env python3
"""The demo: a controller that reads a folder of Kubernetes YAML, a data plane, and two small backends, on loopback.

Needs no cluster and no root. With --check it tries out by itself what it would tell a person to try, and exits 0
if all of it works.
"""

import argparse
import contextlib
import http.client
import http.server
import os
import pathlib
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
HOST = "demo.localhost"

CLASS = """\
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata:
  name: headgate
spec:
  controller: headgate.dev/ingress-controller
"""

SERVICE = """\
---
apiVersion: v1
kind: Service
metadata:
  name: {name}
  namespace: demo
spec:
  ports:
    - name: http
      port: 80
      targetPort: {port}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: {name}-1
  namespace: demo
  labels:
    kubernetes.io/service-name: {name}
addressType: IPv4
ports:
  - name: http
    port: {port}
endpoints:
  - addresses: [127.0.0.1]
    conditions:
      ready: true
"""

INGRESS = """\
# Edit and save: the data plane follows at once, without a reload. For example, swap hello and world.
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: demo
  namespace: demo
  annotations:
    # A host with TLS sends plain HTTP to https:// unless told otherwise.
    nginx.ingress.kubernetes.io/ssl-redirect: "false"
spec:
  ingressClassName: headgate
  tls:
    - hosts: [demo.localhost]
      secretName: demo-tls
  rules:
    - host: demo.localhost
      http:
        paths:
          - path: /
            pathType: Prefix
            backend:
              service:
                name: hello
                port:
                  name: http
          - path: /world
            pathType: Prefix
            backend:
              service:
                name: world
                port:
                  name: http
"""

SECRET = """\
apiVersion: v1
kind: Secret
type: kubernetes.io/tls
metadata:
  name: demo-tls
  namespace: demo
stringData:
  tls.crt: |
{certificate}
  tls.key: |
{key}
"""


class Failed(Exception):
    """Something that a person has to be told, in one line or a few."""


class Backend(http.server.ThreadingHTTPServer):
    """Answers every request with its own name and what it was asked."""

    daemon_threads = True

    def __init__(self, name):
        super().__init__(("127.0.0.1", 0), EchoHandler)
        self.name = name
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def port(self):
        return self.server_address[1]


class EchoHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one write

    def do_GET(self):  # noqa: N802 (the name is the library's)
        lines = [f"{self.server.name} was asked: {self.command} {self.path}"]
        lines += [f"  {name}: {value}" for name, value in self.headers.items()]
        body = ("\n".join(lines) + "\n").encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


def free_port(preferred):
    """The preferred port, or another one when something listens there already."""
    for port in (preferred, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", port))
                return probe.getsockname()[1]
    raise Failed("no free port on 127.0.0.1")


def write(path, text):
    """Whole or not at all, as an editor does it."""
    staged = path.with_name(f".{path.name}.new")
    staged.write_text(text)
    staged.rename(path)


def make_certificate(folder):
    made = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-keyout", folder / "tls.key", "-out", folder / "tls.crt", "-days", "30", "-subj", f"/CN={HOST}",
         "-addext", f"subjectAltName=DNS:{HOST}"], capture_output=True, text=True, check=False)
    if made.returncode != 0:
        raise Failed(f"openssl: {made.stderr.strip()}")


def write_manifests(folder, secrets, backends):
    folder.mkdir()
    indented = {name: "\n".join("    " + line for line in (secrets / file).read_text().splitlines())
                for name, file in (("certificate", "tls.crt"), ("key", "tls.key"))}
    write(folder / "class.yaml", CLASS)
    write(folder / "services.yaml", "".join(SERVICE.format(name=b.name, port=b.port) for b in backends))
    write(folder / "tls.yaml", SECRET.format(**indented))
    write(folder / "ingress.yaml", INGRESS)


class Demo:
    """Owns the two programs; leaving the context stops them."""

    def __init__(self, programs, folder):
        self.programs = programs
        self.folder = folder
        self.manifests = folder / "manifests"
        self.running = []
        self.backends = []
        self.http = self.https = self.admin = self.snapshot = self.controller_admin = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        # The data plane first: it drains, and would else only wait for a controller that is gone.
        for name, process, _ in reversed(self.running):
            if process.poll() is None:
                process.terminate()
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    print(f"{name} does not stop, killing it")
                    process.kill()
                    process.wait()
        for backend in self.backends:
            backend.shutdown()
            backend.server_close()

    def exit_codes(self):
        """Of programs that have ended."""
        return {name: process.returncode for name, process, _ in self.running}

    def launch(self, name, *arguments):
        log = self.folder / f"{name}.log"
        program = self.programs / name
        if not os.access(program, os.X_OK):
            raise Failed(f"{program} is not there: build it first, or name its folder with --bin")
        with log.open("w") as output:
            # In a session of its own, so that Ctrl-C reaches us alone and the programs stop in order.
            process = subprocess.Popen([program, *arguments], stdin=subprocess.DEVNULL, stdout=output,
                                       stderr=subprocess.STDOUT, start_new_session=True)
        self.running.append((name, process, log))

    def start(self):
        mark = self.folder / ".headgate-demo"
        if self.folder.exists() and any(self.folder.iterdir()) and not mark.exists():
            raise Failed(f"{self.folder} is not empty and not ours; name another folder with --dir")
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        mark.touch()
        (self.folder / "state").mkdir(mode=0o700)
        self.backends = [Backend("hello"), Backend("world")]
        make_certificate(self.folder)
        write_manifests(self.manifests, self.folder, self.backends)
        self.http, self.https, self.admin = free_port(8080), free_port(8443), free_port(10254)
        self.snapshot, self.controller_admin = free_port(7443), free_port(10255)
        self.launch("headgate-controller", f"--manifests={self.manifests}",
                    f"--snapshot-listen=127.0.0.1:{self.snapshot}", "--snapshot-insecure",
                    f"--admin-listen=127.0.0.1:{self.controller_admin}")
        self.launch("headgate-dataplane", f"--controller=127.0.0.1:{self.snapshot}", "--controller-insecure",
                    f"--http-listen=127.0.0.1:{self.http}", f"--https-listen=127.0.0.1:{self.https}",
                    f"--admin-listen=127.0.0.1:{self.admin}", f"--state-dir={self.folder / 'state'}",
                    f"--access-log={self.folder / 'access.log'}")
        self.wait_for("the data plane to be ready", lambda: self.fetch(self.admin, "/readyz")[0] == 200)

    def check_running(self):
        for name, process, log in self.running:
            if process.poll() is not None:
                tail = "\n".join(log.read_text(errors="replace").splitlines()[-20:])
                raise Failed(f"{name} ended with status {process.returncode}; the end of {log}:\n{tail}")

    def wait_for(self, what, condition, limit=30.0):
        deadline = time.monotonic() + limit
        while True:
            self.check_running()
            with contextlib.suppress(OSError, http.client.HTTPException):
                if condition():
                    return
            if time.monotonic() > deadline:
                raise Failed(f"waited {limit:.0f} s for {what}; the logs are in {self.folder}")
            time.sleep(0.02)

    @staticmethod
    def fetch(port, path):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read().decode(errors="replace")
        finally:
            connection.close()


def ask(connection, path):
    """GET on an open connection; the first word of the answer is the backend's name."""
    connection.request("GET", path, headers={"Host": HOST})
    response = connection.getresponse()
    text = response.read().decode(errors="replace")
    return response.status, text


def expect(what, got, want):
    if got != want:
        raise Failed(f"{what}: got {got!r}, want {want!r}")
    print(f"ok: {what}")


def who(answer):
    return answer[0], answer[1].split(" ", 1)[0]


def check(demo):
    """Does what tell() proposes."""
    plain = http.client.HTTPConnection("127.0.0.1", demo.http, timeout=10)
    plain.connect()
    ours = plain.sock
    expect("HTTP reaches hello", who(ask(plain, "/")), (200, "hello"))
    expect("HTTP reaches world", who(ask(plain, "/world")), (200, "world"))
    expect("an unknown host is 404", Demo.fetch(demo.http, "/")[0], 404)

    trust = ssl.create_default_context(cafile=demo.folder / "tls.crt")
    raw = socket.create_connection(("127.0.0.1", demo.https), timeout=10)
    secure = http.client.HTTPSConnection("127.0.0.1", demo.https)
    secure.sock = trust.wrap_socket(raw, server_hostname=HOST)
    expect("HTTPS shows the certificate of the Secret and reaches hello", who(ask(secure, "/")), (200, "hello"))
    expect("the backend is told of HTTPS", "x-forwarded-proto: https" in ask(secure, "/")[1].lower(), True)

    swapped = INGRESS.replace("name: hello", "name: x").replace("name: world", "name: hello").replace("name: x", "name: world")
    write(demo.manifests / "ingress.yaml", swapped)
    demo.wait_for("the edited Ingress to take effect", lambda: who(ask(plain, "/")) == (200, "world"), 10)
    expect("an edited file moves the route", who(ask(plain, "/world")), (200, "hello"))
    expect("on the connection that was open before", plain.sock is ours, True)
    expect("and on the TLS connection that was open before", who(ask(secure, "/")), (200, "world"))

    write(demo.manifests / "ingress.yaml", "kind: [Ingress\n")
    (demo.manifests / "more.yaml").write_text(INGRESS.replace("name: demo\n", "name: more\n", 1)
                                              .replace("path: /world", "path: /more"))
    demo.wait_for("a new file to be read", lambda: who(ask(plain, "/more")) == (200, "world"), 10)
    expect("a broken file keeps what worked", who(ask(plain, "/world")), (200, "hello"))

    status, metrics = Demo.fetch(demo.admin, "/metrics")
    expect("the data plane has metrics", (status, "headgate" in metrics), (200, True))
    expect("so has the controller", Demo.fetch(demo.controller_admin, "/metrics")[0], 200)
    plain.close()
    secure.close()


def tell(demo):
    suffix = "" if demo.http == 80 else f":{demo.http}"
    where = demo.manifests
    with contextlib.suppress(ValueError):
        where = where.relative_to(pathlib.Path.cwd())
    folder = where.parent
    tries = [
        (f"curl http://{HOST}{suffix}/", "answered by hello"),
        (f"curl http://{HOST}{suffix}/world", "answered by world"),
        (f"curl --cacert {folder}/tls.crt https://{HOST}:{demo.https}/", "the same over HTTPS"),
        (f"edit {where}/ingress.yaml", "routes follow as you save; connections stay open"),
        (f"curl http://127.0.0.1:{demo.admin}/metrics", "of the data plane"),
        (f"curl http://127.0.0.1:{demo.admin}/config", "what it serves, without secrets"),
        (f"curl http://127.0.0.1:{demo.controller_admin}/metrics", "of the controller"),
        (f"tail -f {folder}/access.log", "what was asked"),
    ]
    width = max(len(command) for command, _ in tries)
    print("\nHeadgate is running. Things to try from another terminal:\n")
    for command, meaning in tries:
        print(f"  {command:{width}}   {meaning}")
    print(f"\nLogs are in {folder}. Ctrl-C stops everything.\n", flush=True)


def interrupt(*_):
    """Ends the program through its context managers; asking twice does not cut the cleaning up short."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    print("\nstopping", flush=True)
    raise SystemExit(0)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=pathlib.Path, default=ROOT / "build/release/bin",
                        help="where headgate-controller and headgate-dataplane are")
    parser.add_argument("--dir", type=pathlib.Path, default=ROOT / "build/demo",
                        help="a folder for manifests, state and logs; emptied at the start")
    parser.add_argument("--check", action="store_true", help="try everything out and exit")
    args = parser.parse_args()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)
    try:
        with Demo(args.bin.resolve(), args.dir.resolve()) as demo:
            demo.start()
            if args.check:
                check(demo)
            else:
                tell(demo)
            while not args.check:
                time.sleep(0.5)
                demo.check_running()
        expect("both programs end in good order", set(demo.exit_codes().values()), {0})
    except Failed as problem:
        print(f"demo: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
