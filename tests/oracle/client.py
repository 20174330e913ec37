"""An HTTP/1.1 client that sends what it is told, byte for byte, and shows all that comes back."""

import dataclasses
import socket

TIMEOUT = 15


@dataclasses.dataclass
class Response:
    status: int
    headers: list
    body: bytes
    complete: bool = True

    def all(self, name):
        return [v for n, v in self.headers if n.lower() == name]


def head_of(method, target, host, headers, body, version="1.1"):
    lines = [f"{method} {target} HTTP/{version}"]
    names = {name.lower() for name, _ in headers}
    if host is not None:
        lines.append(f"Host: {host}")
    lines += [f"{name}: {value}" for name, value in headers]
    if body is not None and not names & {"content-length", "transfer-encoding"}:
        lines.append(f"Content-Length: {len(body)}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def ask(port, request, body=b"", *, source="127.0.0.1", tls=None, server_name=None, head_only=False):
    """One request on a connection of its own. `tls` is an SSLContext."""
    with socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT, source_address=(source, 0)) as raw:
        connection = tls.wrap_socket(raw, server_hostname=server_name) if tls else raw
        try:
            connection.sendall(request + (body or b""))
        except (BrokenPipeError, ConnectionResetError):
            pass  # answered before it had been read to the end: the answer is there
        with connection.makefile("rb") as stream:
            try:
                return _read(stream, head_only)
            except OSError:  # a reset, or nothing for too long
                return Response(0, [], b"", False)


def _read(stream, head_only):
    while True:
        line = stream.readline()
        if not line:
            return Response(0, [], b"", False)
        status = int(line.split(b" ")[1])
        headers = []
        while (line := stream.readline()) not in (b"\r\n", b""):
            name, _, value = line.decode("latin-1").partition(":")
            headers.append((name.strip(), value.strip()))
        if status >= 200 or status == 101:
            break
    response = Response(status, headers, b"")
    if not head_only and status not in (101, 204, 304):
        _read_body(stream, response)
    return response


def _read_body(stream, response):
    if "chunked" in "".join(response.all("transfer-encoding")):
        while True:
            line = stream.readline()
            if not line:
                response.complete = False
                return
            size = int(line.split(b";")[0], 16)
            piece = stream.read(size + 2)
            if size == 0:
                return
            response.body += piece[:size]
    lengths = response.all("content-length")
    if not lengths:
        response.body = stream.read()
        return
    response.body = stream.read(int(lengths[0]))
    response.complete = len(response.body) == int(lengths[0])
