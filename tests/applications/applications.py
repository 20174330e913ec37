#!/usr/bin/env python3
"""Express and Django with the settings of docs/trust-forwarded-headers.md, behind Headgate's two programs: they see the
client's address and scheme, whatever the client says of itself.

    applications.py --bin DIR [--keep DIR]

The code blocks of that page are what runs, with the address of our data plane for that of the page.
"""

import argparse
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "oracle"))

import client  # noqa: E402
from stage import Stage, wait_for  # noqa: E402
from table import Ingress, Path, config_map  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
PAGE = ROOT / "docs" / "trust-forwarded-headers.md"
DATA_PLANE = "127.0.0.1"  # connects to the applications from there
CLIENT, STRANGER, BALANCER = "127.0.0.9", "127.0.0.77", "127.0.0.50"
LIE, OTHER_HOST = "203.0.113.66", "evil.test"
DOCUMENTED = ("express", "django")
TOKEN = "t" * 32


def block(first_line):
    """The code block of the page that begins with this line, with our data plane for that of the page."""
    found = re.search(rf"^```\w+\n({re.escape(first_line)}\n.*?)^```$", PAGE.read_text(), re.M | re.S)
    if found is None:
        raise RuntimeError(f"{PAGE} has no code block that begins with {first_line!r}")
    return found[1].replace("10.244.0.0/16", f"{DATA_PLANE}/32")


class Applications:
    """Each variant is a process of its own, which the stage owns."""

    def __init__(self, stage, frameworks):
        self.stage, self.frameworks, self.ports = stage, pathlib.Path(frameworks), {}
        middleware, settings = block("# shop/headgate.py"), block("# settings.py")
        self._express("express", block("// The pods of the data plane."))
        self._express("express-hops", "app.set('trust proxy', 1);")
        self._express("express-unset", "")
        self._django("django", middleware, settings)
        self._django("django-redirecting", middleware, settings + "SECURE_SSL_REDIRECT = True\n")
        self._django("django-unset", "", "MIDDLEWARE = ['django.middleware.csrf.CsrfViewMiddleware']\n")
        for name, log in self.ports.items():
            wait_for(name, lambda log=log: stage.check_running() or re.match(r"port \d+\n", log.read_text()))
            self.ports[name] = int(log.read_text().split()[1])

    def _express(self, name, settings):
        express = self.frameworks / "node_modules" / "express"
        self.ports[name] = self.stage.launch("node", HERE / "express_app.js", express, settings, log=name)

    def _django(self, name, middleware, settings):
        asked = json.dumps({"modules": {"shop.headgate": middleware}, "settings": settings})
        python = self.frameworks / "python" / "bin" / "python"
        self.ports[name] = self.stage.launch(python, "-B", HERE / "django_app.py", asked, log=name)


def objects(stage, ports):
    yield from stage.basic_objects()
    for name, port in ports.items():
        yield from stage.service(name, [port])
        host = f"{name}.test"
        yield stage.ingress(host, Ingress(name, {"ssl-redirect": "false"}, [Path("/", name)], [host], [host]), 0)


def lies(scheme):
    """What clients say of themselves, by what is special about it."""
    fields = [("X-Forwarded-For", LIE), ("X-Real-IP", LIE), ("X-Forwarded-Proto", scheme), ("X-Forwarded-Scheme", scheme),
              ("X-Scheme", scheme), ("X-Forwarded-Host", OTHER_HOST), ("X-Forwarded-Port", "444"),
              ("X-Original-Forwarded-For", LIE), ("X-Original-Forwarded-Host", OTHER_HOST)]
    names = ", ".join(name for name, _ in fields)
    return {
        "nothing": [],
        "each field": fields,
        "each field twice": fields + fields,
        "lists": [(name, f"{value}, {value}") for name, value in fields],
        "other cases": [(name.swapcase(), value) for name, value in fields],
        "underscores": [(name.replace("-", "_"), value) for name, value in fields],
        "some underscores": [(name.replace("-", "_", 1), value) for name, value in fields],
        "fields that Connection nominates": [*fields, ("Connection", names)],
        "Forwarded": [("Forwarded", f"for={LIE};proto={scheme};host={OTHER_HOST}")],
    }


class Checks:
    def __init__(self):
        self.passed, self.failed = 0, 0

    def same(self, what, seen, wanted):
        if seen == wanted:
            self.passed += 1
        else:
            self.failed += 1
            print(f"{what}:\n  seen   {seen}\n  wanted {wanted}")


def ask(port, name, headers=(), *, method="GET", source=CLIENT, tls=None):
    """What the application takes the request for, or the status of another answer."""
    host = f"{name}.test"
    body = b"" if method == "POST" else None
    head = client.head_of(method, "/", host, list(headers), body)
    answer = client.ask(port, head, body or b"", source=source, tls=tls, server_name=host if tls else None)
    return json.loads(answer.body) if answer.status == 200 else answer.status


def ask_http2(port, name, headers):
    host = f"{name}.test"
    fields = [argument for field, value in headers for argument in ("-H", f"{field}: {value}")]
    done = subprocess.run(["curl", "-sSfk", "--http2", "--max-time", "15", "--interface", CLIENT, "--connect-to",
                           f"{host}:443:127.0.0.1:{port}", "-w", "\n%{http_version}", *fields, f"https://{host}/"],
                          capture_output=True, text=True, check=False)
    body, _, version = done.stdout.rpartition("\n")
    return json.loads(body) if done.returncode == 0 and version == "2" else done.stdout + done.stderr


def truth(name, scheme, address=CLIENT):
    host = f"{name}.test"
    return {"address": address, "scheme": scheme, "host": host, "url": f"{scheme}://{host}/"}


def clients(checks, stage):
    """Of clients that come to Headgate."""
    tls = stage.tls_context()
    for name in (*DOCUMENTED, "express-hops"):
        for scheme, other, port, context in (("http", "https", stage.http, None), ("https", "http", stage.https, tls)):
            for what, headers in lies(other).items():
                checks.same(f"{name} over {scheme}, the client says {what}", ask(port, name, headers, tls=context),
                            truth(name, scheme))
        for what in ("nothing", "each field", "underscores", "Forwarded"):
            checks.same(f"{name} over HTTP/2, the client says {what}", ask_http2(stage.https, name, lies("http")[what]),
                        truth(name, "https"))
    for name in ("express-unset", "django-unset"):
        checks.same(f"{name} over https: an application that is not told", ask(stage.https, name, tls=tls),
                    truth(name, "http", DATA_PLANE))

    name = "django-redirecting"
    checks.same(f"{name} over http", ask(stage.http, name), 301)
    checks.same(f"{name} over http, said to be https", ask(stage.http, name, lies("https")["each field"]), 301)
    checks.same(f"{name} over https", ask(stage.https, name, tls=tls), truth(name, "https"))


def forms(checks, stage):
    """Django compares the Origin of a form with the scheme and host of the request."""
    tls = stage.tls_context()
    for name, origin, headers, wanted in (
            ("django", "https://django.test", [], truth("django", "https")),
            ("django", f"https://{OTHER_HOST}", lies("https")["each field"], 403),
            ("django-unset", "https://django-unset.test", [], 403)):
        fields = [("Origin", origin), ("Cookie", f"csrftoken={TOKEN}"), ("X-CSRFToken", TOKEN), *headers]
        checks.same(f"{name}, a form from {origin}", ask(stage.https, name, fields, method="POST", tls=tls), wanted)


def strangers(checks, ports):
    """Of clients that come past Headgate."""
    for name in DOCUMENTED:
        for what, headers in lies("https").items():
            checks.same(f"{name}, a stranger says {what}", ask(ports[name], name, headers, source=STRANGER),
                        truth(name, "http", STRANGER))
    checks.same("express-hops believes whoever connects",
                ask(ports["express-hops"], "express-hops", [("X-Forwarded-For", LIE)], source=STRANGER),
                truth("express-hops", "http", LIE))


def behind_a_balancer(checks, stage):
    """Of clients of a load balancer that Headgate trusts, and of those that only look like one."""
    user = "198.51.100.7"
    said = [("X-Forwarded-For", f"{LIE}, {user}"), ("X-Forwarded-Proto", "https")]
    for name in DOCUMENTED:
        checks.same(f"{name} behind a balancer", ask(stage.http, name, said, source=BALANCER), truth(name, "https", user))
        checks.same(f"{name}, a client like a balancer", ask(stage.http, name, said), truth(name, "http"))


def run(programs, folder):
    done = subprocess.run([ROOT / "scripts" / "frameworks"], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError("the frameworks could not be fetched")
    checks = Checks()
    with Stage(programs, folder / "alone") as stage:
        ports = Applications(stage, done.stdout.strip()).ports
        stage.write_manifests("objects", objects(stage, ports))
        stage.start_headgate()
        clients(checks, stage)
        forms(checks, stage)
        strangers(checks, ports)
        with Stage(programs, folder / "balanced") as balanced:
            options = config_map("options", {"use-forwarded-headers": "true", "proxy-real-ip-cidr": f"{BALANCER}/32"})
            balanced.write_manifests("objects", [*objects(balanced, ports), options])
            balanced.start_headgate("--configmap=default/options")
            behind_a_balancer(checks, balanced)
    return checks


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=pathlib.Path, required=True, help="where the programs are")
    parser.add_argument("--keep", type=pathlib.Path, help="a folder for manifests and logs that is not removed")
    args = parser.parse_args()
    folder = args.keep or pathlib.Path(tempfile.mkdtemp(prefix="headgate-applications-"))
    try:
        checks = run(args.bin.resolve(), folder)
    finally:
        if not args.keep:
            shutil.rmtree(folder, ignore_errors=True)
    print(f"{checks.passed} passed, {checks.failed} failed")
    return 1 if checks.failed else 0


if __name__ == "__main__":
    sys.exit(main())
