"""The machine the comparison runs on: namespaces, cores, CPU time and memory of processes."""

import os
import pathlib
import resource
import shutil
import subprocess
import sys

INSIDE = "HEADGATE_BENCH_INSIDE"
# Descriptors a proxy may have, and the connections that it can have with clients: each may need one with a backend.
FILES = min(resource.getrlimit(resource.RLIMIT_NOFILE)[1], 65536)
CONNECTIONS = (FILES - 200) // 2


def enter_own_namespaces():
    """Runs this program again inside a network and a process namespace of its own.

    The first keeps the host's firewall and connection tracking out of the figures, the second makes sure
    that nothing started here outlives us. Returns only in the inner program.
    """
    if os.environ.get(INSIDE):
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        # Many short connections to one address: enough ports, those that proxies and backends listen on apart, and
        # TIME_WAIT ones may be used again. And the congestion control that every kernel has and allows: with BBR,
        # which is some machines' default, pacing and its timers are a part of what each exchange costs every proxy.
        for name, value in (("ip_local_port_range", "1024 65535"), ("ip_local_reserved_ports", "7000-9999"),
                            ("tcp_tw_reuse", "1"), ("tcp_max_syn_backlog", "8192"),
                            ("tcp_congestion_control", "reno")):
            path = pathlib.Path("/proc/sys/net/ipv4") / name
            if path.exists() and os.access(path, os.W_OK):
                path.write_text(value)
        return
    command = ["unshare", "--net", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation=private"]
    if os.getuid() != 0:
        command += ["--user", "--map-root-user"]
    os.environ[INSIDE] = "1"
    os.execvp(command[0], command + [sys.executable] + sys.argv)


def pick_cores(proxy, load):
    """(proxy core, load cores) as lists for taskset; defaults: the first allowed core, and the second."""
    allowed = sorted(os.sched_getaffinity(0))
    if proxy is None:
        proxy = allowed[0]
    if load is None:
        load = allowed[1] if len(allowed) > 1 else allowed[0]
    return str(proxy), str(load)


def enter_root(root, *shared):
    """Makes a Debian root usable for peers: the shared folders appear there under the same path.

    The mounts are in the namespace of this run and end with it.
    """
    for folder in ("/proc", "/dev", *map(str, shared)):
        inside = pathlib.Path(str(root) + folder)
        inside.mkdir(parents=True, exist_ok=True)
        subprocess.run(["mount", "--rbind", folder, inside], check=True)


def in_root(root, command):
    return (["chroot", str(root)] if root else []) + [str(part) for part in command]


def pinned(core, command):
    return ["taskset", "-c", core] + [str(part) for part in command]


def cpu_nanoseconds(pids):
    """CPU time of all threads of these processes so far."""
    total = 0
    for pid in pids:
        for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
            try:
                total += int((task / "schedstat").read_text().split()[0])
            except FileNotFoundError:  # a thread that has just ended
                pass
    return total


def resident_kib(pids):
    """Resident memory of these processes, pages shared between them counted once."""
    total = 0
    for pid in pids:
        for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1])
    return total


def with_children(pid):
    """The process and everything below it."""
    found = [pid]
    for parent in found:
        for task in pathlib.Path(f"/proc/{parent}/task").iterdir():
            found += [int(child) for child in (task / "children").read_text().split()]
    return found


# What a proxy may call per request. The tracepoint of all calls tells whether something is missing here.
SYSCALLS = (
    "accept4 bind close connect dup epoll_ctl epoll_pwait epoll_pwait2 epoll_wait fcntl futex getpid "
    "getpeername getrandom getsockname getsockopt ioctl madvise mmap munmap pipe2 pread64 pwrite64 read "
    "readv recvfrom recvmsg sched_yield sendfile64 sendmsg sendto setsockopt shutdown socket splice tee "
    "timerfd_settime clock_gettime write writev").split()


class SyscallCounter:
    """Counts the system calls of processes with the kernel's tracepoints, or with strace without them.

    strace slows the proxy down several times: its shares of epoll_wait come out lower than they are.
    """

    def __init__(self, pids, workdir):
        self._output = workdir / "syscalls.txt"
        self._perf = shutil.which("perf") is not None and self._tracepoints_work()
        targets = ",".join(str(pid) for pid in pids)
        if self._perf:
            events = ",".join(["raw_syscalls:sys_enter"] +
                              [f"syscalls:sys_enter_{name}" for name in SYSCALLS])
            command = ["perf", "stat", "-x", ";", "-o", self._output, "-e", events, "-p", targets]
        else:
            command = ["strace", "-f", "-c", "-o", self._output]
            for pid in pids:
                command += ["-p", str(pid)]
        self._process = subprocess.Popen([str(part) for part in command],
                                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    @staticmethod
    def _tracepoints_work():
        return subprocess.run(["perf", "stat", "-e", "raw_syscalls:sys_enter", "true"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                              check=False).returncode == 0

    def finish(self):
        """{name: calls}, with "(all)" for their sum."""
        self._process.send_signal(2)
        self._process.wait(timeout=20)
        calls = {}
        for line in self._output.read_text().splitlines():
            if self._perf:
                fields = line.split(";")
                if len(fields) > 2 and fields[0].isdigit():
                    name = fields[2].removeprefix("syscalls:sys_enter_")
                    calls["(all)" if name.startswith("raw_") else name] = int(fields[0])
            else:
                fields = line.split()
                if len(fields) >= 5 and fields[3].isdigit():
                    calls["(all)" if fields[-1] == "total" else fields[-1]] = int(fields[3])
        return {name: count for name, count in calls.items() if count}


def describe():
    """One line without anything that names the machine."""
    model = "unknown CPU"
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    virtual = "VM" if "hypervisor" in pathlib.Path("/proc/cpuinfo").read_text() else "machine"
    kernel = ".".join(os.uname().release.split("-")[0].split(".")[:2])
    return f"{os.cpu_count()}-core {virtual}, {model}, Linux {kernel}"
