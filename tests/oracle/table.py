"""The words in which cases are written.

A group is a host (or a few) with its Ingresses and, where NGINX has directives for it, the same said in NGINX's
configuration. Its cases are requests. What is seen of a case is a flat dictionary:

    status                       of the answer; 0 when the connection was closed without one
    <field>                      of the answer, in lower case; several joined by " | "
    title                        of an HTML page that the proxy made
    saw                          the services that were asked, in order: "auth echo"
    <service> method|target|body what one of them was asked; "<service> <field>" its fields,
    "<service>#2 …" the second time

A case of a group with `nginx` is sent to both, and what is seen must be the same, but for what `deviates` says, with
`why`. `expect` says what must be seen of Headgate in any case; a compiled pattern is searched for, None means absent.
"""

import dataclasses
import typing


@dataclasses.dataclass
class Case:
    what: str
    request: str = "GET /"  # method and target
    headers: typing.Any = ()  # dict or pairs
    body: typing.Optional[bytes] = None
    host: typing.Optional[str] = None  # else the group's
    no_host: bool = False
    version: str = "1.1"
    tls: bool = False
    server_name: typing.Optional[str] = None  # else the host
    client_certificate: typing.Optional[str] = None
    source: str = "127.0.0.1"
    reply: dict = dataclasses.field(default_factory=dict)
    times: int = 1  # more: "statuses" and "services" are counted, nothing else is seen
    parallel: bool = False
    keep_cookies: bool = False
    copies: int = 0  # wait until so many requests have been seen by backends (mirrors are not waited for by the answer)
    expect: dict = dataclasses.field(default_factory=dict)
    deviates: dict = dataclasses.field(default_factory=dict)
    why: str = ""
    apart: str = ""  # why the whole answer is another one than NGINX's, by intent; `expect` says which


@dataclasses.dataclass
class Path:
    path: str = "/"
    service: str = "echo"
    type: str = "Prefix"


@dataclasses.dataclass
class Ingress:
    name: str
    annotations: dict = dataclasses.field(default_factory=dict)
    paths: typing.Sequence[Path] = (Path(),)
    hosts: typing.Optional[typing.Sequence[str]] = None  # else that of the group
    tls: typing.Optional[typing.Sequence[str]] = None  # hosts of a TLS section with the Secret of the stage
    default_backend: typing.Optional[str] = None


@dataclasses.dataclass
class Group:
    name: str  # also its host: <name>.test
    annotations: dict = dataclasses.field(default_factory=dict)
    paths: typing.Sequence[Path] = (Path(),)
    tls: bool = False
    more: typing.Sequence[Ingress] = ()  # younger than the group's own
    objects: typing.Sequence[dict] = ()  # Secrets and ConfigMaps
    nginx: typing.Optional[str] = None  # inside of server {}
    nginx_http: str = ""  # beside it
    nginx_host: typing.Optional[str] = None
    files: dict = dataclasses.field(default_factory=dict)  # that NGINX's configuration names
    cases: typing.Sequence[Case] = ()

    @property
    def host(self):
        return f"{self.name}.test"

    def ingresses(self):
        return [Ingress(self.name, self.annotations, self.paths, tls=[self.host] if self.tls else None), *self.more]


PREFIX = "nginx.ingress.kubernetes.io/"
MISSING = object()


def secret(name, **data):
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": "default"},
            "stringData": {key.replace("__", "."): value for key, value in data.items()}}


def config_map(name, data):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "default"}, "data": data}


def said(status=200, *headers, **more):
    """A reply of the service "echo"."""
    return {"echo": {"status": status, "headers": [list(pair) for pair in headers], **more}}


# --- NGINX, as ingress-nginx has it written ---

def to(service="echo", *directives, host="$http_host", scheme="http"):
    """The inside of a location that proxies to the service."""
    lines = "".join(f" {directive};" for directive in directives)
    return f"proxy_set_header Host {host}; include proxy.conf;{lines} proxy_pass {scheme}://{service};"


def at(match, inside):
    return f"location {match} {{ {inside} }}\n"


def prefix(path, inside):
    """pathType Prefix of a host without regular expressions: two locations."""
    return at("/", inside) if path == "/" else at(f"{path}/", inside) + at(f"= {path}", inside)
