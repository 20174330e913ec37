"""Backends that remember what they were asked and answer as the request tells them to.

A request belongs to a case by its field X-Case. X-Reply is a JSON object from the name of a service to how it answers:
status, headers (a list of pairs), body, delay (seconds), close (no answer at all); or to a list of those, one for each
time this service is asked in the same case. Both fields survive whatever a proxy does to the path.
"""

import asyncio
import collections
import dataclasses
import json
import threading

MAX_HEAD = 1 << 17


@dataclasses.dataclass
class Seen:
    service: str
    endpoint: int
    method: str
    target: str
    version: str
    headers: list
    body: bytes
    server_name: str
    client: str

    def get(self, name):
        return next((v for n, v in self.headers if n.lower() == name), None)


class Echo:
    """All backends, on one thread with one event loop."""

    def __init__(self):
        self.lock = threading.Lock()
        self.seen = collections.defaultdict(list)
        self.ports = collections.defaultdict(list)
        self.loop = asyncio.new_event_loop()
        self.names = {}
        threading.Thread(target=self.loop.run_forever, daemon=True).start()

    def add(self, service, tls=None):
        """One more endpoint of the service; returns its port."""
        endpoint = len(self.ports[service])
        if tls is not None:
            tls.sni_callback = lambda socket, name, _: self.names.__setitem__(id(socket), name)

        async def start():
            return await asyncio.start_server(lambda r, w: self._serve(service, endpoint, r, w), "127.0.0.1", 0,
                                              ssl=tls,
                                              limit=MAX_HEAD)

        server = asyncio.run_coroutine_threadsafe(start(), self.loop).result(10)
        self.ports[service].append(server.sockets[0].getsockname()[1])
        return self.ports[service][-1]

    def taken(self, case):
        with self.lock:
            return list(self.seen[case])

    async def _serve(self, service, endpoint, reader, writer):
        try:
            while await self._exchange(service, endpoint, reader, writer):
                pass
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError, ValueError):
            pass
        finally:
            writer.close()

    async def _exchange(self, service, endpoint, reader, writer):
        first = await reader.readexactly(1)
        if first == b"\x16":  # a TLS handshake, which an endpoint for plain HTTP does not know
            return False
        head = (first + await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, target, version = head[0].split(" ", 2)
        headers = [tuple(part.strip() for part in line.split(":", 1)) for line in head[1:] if line]
        fields = {name.lower(): value for name, value in headers}
        body = await self._body(fields, reader)
        tls = writer.get_extra_info("ssl_object")
        subject = dict(pair[0] for pair in ((tls and tls.getpeercert()) or {}).get("subject", ()))
        seen = Seen(service, endpoint, method, target, version, headers, body, self.names.get(id(tls), "") or "",
                    subject.get("commonName", ""))
        case = fields.get("x-case", "")
        with self.lock:
            before = sum(1 for other in self.seen[case] if other.service == service)
            self.seen[case].append(seen)
        reply = json.loads(fields.get("x-reply", "{}")).get(service, {})
        if isinstance(reply, list):
            reply = reply[min(before, len(reply) - 1)]
        if reply.get("delay"):
            await asyncio.sleep(reply["delay"])
        if reply.get("close"):
            return False
        return await self._reply(seen, reply, fields, reader, writer)

    @staticmethod
    async def _body(fields, reader):
        if "chunked" in fields.get("transfer-encoding", ""):
            body = b""
            while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
                body += (await reader.readexactly(size + 2))[:-2]
            await reader.readuntil(b"\r\n")
            return body
        return await reader.readexactly(int(fields.get("content-length", 0)))

    @staticmethod
    async def _reply(seen, reply, fields, reader, writer):
        if fields.get("upgrade") and reply.get("status") == 101:
            writer.write(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: " +
                         fields["upgrade"].encode() + b"\r\n\r\n")
            writer.write(await reader.read(1024))
            await writer.drain()
            return False
        status = reply.get("status", 200)
        body = reply.get("body", f"{seen.service}\n").encode() * reply.get("times", 1)
        headers = [tuple(pair) for pair in reply.get("headers", [])]
        if status not in (204, 304):
            headers.append(("Content-Length", str(len(body))))
        if not any(name.lower() == "content-type" for name, _ in headers):
            headers.append(("Content-Type", "text/plain"))
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
        writer.write(f"HTTP/1.1 {status} Said\r\n{lines}\r\n".encode("latin-1"))
        if seen.method != "HEAD" and status not in (204, 304):
            writer.write(body)
        await writer.drain()
        return fields.get("connection", "").lower() != "close" and seen.version != "HTTP/1.0"
