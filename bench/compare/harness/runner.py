"""Runs scenarios: starts backend and proxies, drives the load program, reads the counters around it."""

import contextlib
import json
import socket
import subprocess
import time

from harness import machine
from harness.peers import PEERS, Setup

BACKEND_PORT = 9000
COLLECTOR_PORT = 9001
GRPC_PORT = 9002


class RunFailed(Exception):
    """One measurement could not be taken; the message says why."""


class Load:
    """A load program in its line protocol: ready → go → result → end."""

    def __init__(self, options, scenario, port, requests, *more_flags):
        command = [options.binaries / scenario.program, f"--target=127.0.0.1:{port}",
                   f"--requests={requests}", *scenario.load, *more_flags]
        if scenario.hosts:
            command.append("--host=h0.bench.test")
        self._process = subprocess.Popen(machine.pinned(options.load_core, command),
                                         stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                         stderr=subprocess.PIPE, text=True)
        if self._line() != "ready":
            self._fail()

    def measure(self):
        self._process.stdin.write("go\n")
        self._process.stdin.flush()
        line = self._line()
        if not line.startswith("{"):
            self._fail()
        return json.loads(line)

    def close(self):
        """Ends it, measured or not."""
        self._process.communicate("end\nend\n", timeout=30)

    def _line(self):
        return self._process.stdout.readline().strip()

    def _fail(self):
        _, errors = self._process.communicate(timeout=60)
        raise RunFailed(errors.strip() or "the load program ended without a result")


class Runner:
    def __init__(self, options, say):
        self._options = options
        self._say = say
        self._certificates = {kind: self._make_certificate(kind) for kind in ("ecdsa", "rsa")}

    def _make_certificate(self, kind):
        certificate = self._options.workdir / f"{kind}.crt"
        key = self._options.workdir / f"{kind}.key"
        algorithm = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
        if kind == "rsa":
            algorithm = ["-newkey", "rsa:2048"]
        subprocess.run(["openssl", "req", "-x509", *algorithm, "-nodes", "-days", "30", "-subj",
                        "/CN=bench.test", "-addext", "subjectAltName=DNS:bench.test,DNS:*.bench.test",
                        "-keyout", str(key), "-out", str(certificate)], check=True,
                       capture_output=True)
        return certificate, key

    @contextlib.contextmanager
    def backend(self):
        """The applications behind the proxies, for the time of the block."""
        with self._program("bench_backend", BACKEND_PORT, f"--sink=127.0.0.1:{COLLECTOR_PORT}"), \
                self._program("bench_grpc_backend", GRPC_PORT):
            yield

    @contextlib.contextmanager
    def _program(self, name, port, *flags):
        command = [self._options.binaries / name, f"--listen=127.0.0.1:{port}", *flags]
        process = subprocess.Popen(machine.pinned(self._options.load_core, command))
        try:
            deadline = time.monotonic() + 10
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port), 1).close()
                    break
                except OSError:
                    if time.monotonic() > deadline or process.poll() is not None:
                        raise RunFailed(f"{name} did not start") from None
                    time.sleep(0.02)
            yield
        finally:
            process.terminate()
            process.wait()

    def run(self, scenario):
        """{peer name: [result of a round, ...] or "reason of failure"}"""
        options = self._options
        results = {name: [] for name in options.peers}
        with contextlib.ExitStack() as stack:
            peers = {}
            for name in options.peers:
                try:
                    peers[name] = self._start(scenario, name, stack)
                    self._warm_up(scenario, peers[name])
                except (RunFailed, RuntimeError) as error:
                    results[name] = str(error)
            rounds = 1 if scenario.kind == "idle" else options.rounds
            for turn in range(rounds):
                names = [name for name in options.peers if not isinstance(results[name], str)]
                shift = turn % max(len(names), 1)
                for name in names[shift:] + names[:shift]:
                    self._say(f"{scenario.name}: round {turn + 1}/{rounds}, {name}")
                    try:
                        results[name].append(self._measure(scenario, peers[name]))
                    except (RunFailed, RuntimeError) as error:
                        results[name] = str(error)
            if options.syscalls and scenario.kind == "requests":
                for name in options.peers:
                    if not isinstance(results[name], str):
                        self._say(f"{scenario.name}: system calls of {name}")
                        results[name][-1]["syscalls"] = self._count_syscalls(scenario, peers[name])
        return results

    def _start(self, scenario, name, stack):
        options = self._options
        certificate, key = self._certificates[scenario.certificate]
        log = scenario.log if options.log == "scenario" else options.log == "on"
        peer = PEERS[name](Setup(
            workdir=options.workdir, core=options.proxy_core,
            backend_port=BACKEND_PORT, grpc_port=GRPC_PORT, log_collector_port=COLLECTOR_PORT,
            certificate=certificate, key=key, tls=scenario.tls, log=log, hosts=scenario.hosts,
            protocol=scenario.protocol, work=options.work, root=options.root,
            proxy_binaries=options.proxy_binaries))
        stack.callback(peer.stop)
        peer.start()
        return peer

    def _requests(self, scenario):
        return max(int(scenario.requests * self._options.scale), 1)

    def _warm_up(self, scenario, peer):
        """Pages touched, pools filled, lazily loaded certificates loaded."""
        if scenario.kind == "idle":
            return
        load = Load(self._options, scenario, scenario.port(peer),
                    max(self._requests(scenario) // 10, 1))
        load.measure()
        load.close()

    def _measure(self, scenario, peer):
        if scenario.kind == "idle":
            return self._measure_idle(scenario, peer)
        requests = self._requests(scenario)
        load = Load(self._options, scenario, scenario.port(peer), requests)
        pids = peer.pids()
        before = machine.cpu_nanoseconds(pids)
        result = load.measure()
        result["cpu_us"] = (machine.cpu_nanoseconds(pids) - before) / requests / 1000
        load.close()
        return result

    def _measure_idle(self, scenario, peer):
        # Connections that stay open while the others are counted: what a proxy takes once, for the busiest
        # moment, is theirs, and no memory that they gave back is used again.
        first = Load(self._options, scenario, scenario.port(peer), 1, "--connections=512")
        pids = peer.pids()
        before = machine.resident_kib(pids)
        load = Load(self._options, scenario, scenario.port(peer), 1)
        grown = machine.resident_kib(pids) - before
        load.close()
        first.close()
        return {"idle_kib": grown / scenario.connections()}

    def _count_syscalls(self, scenario, peer):
        requests = self._requests(scenario)
        load = Load(self._options, scenario, scenario.port(peer), requests)
        counter = machine.SyscallCounter(peer.pids(), self._options.workdir)
        time.sleep(1.5)  # it says nothing when it is attached
        load.measure()
        calls = counter.finish()
        load.close()
        return {name: round(count / requests, 3) for name, count in calls.items()}
