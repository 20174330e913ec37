#!/usr/bin/env python3
"""Sends the cases of this folder to Headgate and, where NGINX can be told the same, to NGINX: what clients and
backends see must be the same. See table.py for the words of cases.

    oracle.py --bin DIR [--only GROUP[/CASE]] [--show] [--list] [--keep DIR]
"""

import argparse
import collections
import concurrent.futures
import contextlib
import importlib
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import access_log
import client
from stage import Stage, wait_for
from table import MISSING, PREFIX

HERE = pathlib.Path(__file__).resolve().parent
SERVICES = {"echo": 1, "other": 1, "canary": 1, "auth": 1, "errors": 1, "three": 3}
# What depends on the moment, on the connection, or on who answers; and the plumbing of the cases.
IGNORED = {"date", "server", "connection", "keep-alive", "content-length", "transfer-encoding", "etag", "x-case",
           "x-reply", "accept-ranges"}
ID = re.compile(r"^[0-9a-f]{32}$")
PARALLEL_GROUPS = 8
EXPLAINED_GROUPS = 11  # one out of so many


def load_groups():
    sys.path.insert(0, str(HERE))
    groups = []
    for file in sorted((HERE / "cases").glob("*.py")):
        groups += importlib.import_module(f"cases.{file.stem}").GROUPS
    twice = [name for name, count in collections.Counter(g.name for g in groups).items() if count > 1]
    if twice:
        raise SystemExit(f"groups of the same name: {twice}")
    return groups


class Side:
    """One of the two proxies."""

    def __init__(self, stage, mark, http, https):
        self.stage, self.mark, self.http, self.https = stage, mark, http, https

    def send(self, case, host, identity, cookies=None):
        headers = list(case.headers.items() if isinstance(case.headers, dict) else case.headers)
        headers += [("X-Case", identity)]
        if case.reply:
            headers.append(("X-Reply", json.dumps(case.reply)))
        if cookies:
            headers.append(("Cookie", "; ".join(cookies)))
        method, target = case.request.split(" ", 1)
        request = client.head_of(method, target, None if case.no_host else host, headers, case.body, case.version)
        tls = self.stage.tls_context(case.client_certificate) if case.tls else None
        return client.ask(self.https if case.tls else self.http, request, case.body, source=case.source, tls=tls,
                          server_name=case.server_name or host.split(":")[0], head_only=method == "HEAD")

    def observe(self, case, host, identity):
        identity = f"{self.mark}-{identity}"
        host = case.host or host
        if case.times > 1:
            return self._observe_many(case, host, identity)
        response = self.send(case, host, identity)
        if case.copies:
            with contextlib.suppress(TimeoutError):  # what is missing then is seen to be missing
                wait_for("copies", lambda: len(self.stage.echo.taken(identity)) >= case.copies, 10)
        return self._describe(response, self.stage.echo.taken(identity))

    def _observe_many(self, case, host, identity):
        cookies = []
        seen = {}

        def one(number):
            response = self.send(case, host, f"{identity}.{number}", cookies)
            if case.keep_cookies:
                cookies.extend(v.split(";")[0] for v in response.all("set-cookie"))
            return response

        if case.parallel:
            with concurrent.futures.ThreadPoolExecutor(case.times) as pool:
                responses = list(pool.map(one, range(case.times)))
        else:
            responses = [one(number) for number in range(case.times)]
        asked = [s for n in range(case.times) for s in self.stage.echo.taken(f"{identity}.{n}")]
        seen["statuses"] = _counts(response.status for response in responses)
        seen["services"] = _counts(s.service for s in asked)
        seen["endpoints"] = len({(s.service, s.endpoint) for s in asked})
        seen["cookies"] = len(cookies)
        return seen

    def _describe(self, response, asked):
        seen = {"status": response.status}
        for name in dict.fromkeys(n.lower() for n, _ in response.headers):
            if name not in IGNORED:
                seen[name] = self.plain(" | ".join(response.all(name)))
        title = re.search(rb"<title>(.*?)</title>", response.body)
        if title:
            seen["title"] = title.group(1).decode()
            seen.pop("content-type", None)
        elif response.body and not asked:
            seen["text"] = response.body.decode("latin-1")
        if not response.complete:
            seen["broken"] = True
        seen["length"] = 0 if title else len(response.body)
        seen["saw"] = " ".join(s.service for s in asked)
        times = collections.Counter()
        for s in asked:
            times[s.service] += 1
            label = s.service if times[s.service] == 1 else f"{s.service}#{times[s.service]}"
            seen.update({f"{label} method": s.method, f"{label} target": s.target,
                         f"{label} body": s.body.decode("latin-1") if len(s.body) < 200 else f"{len(s.body)} bytes",
                         f"{label} version": s.version})
            if s.server_name:
                seen[f"{label} server name"] = s.server_name
            if s.client:
                seen[f"{label} client certificate"] = s.client
            for name in dict.fromkeys(n.lower() for n, _ in s.headers):
                values = " | ".join(v for n, v in s.headers if n.lower() == name)
                if name not in IGNORED:
                    seen[f"{label} {name}"] = self.plain(values)
        return seen

    def plain(self, value):
        """Without what differs between the two for no reason: ports, and identities of requests."""
        if ID.match(value):
            return "<id>"
        for port, name in ((self.http, "<http>"), (self.https, "<https>")):
            value = re.sub(rf"(?<!\d){port}(?!\d)", name, value)
        return value


def _counts(items):
    return " ".join(f"{count}x{item}" for item, count in sorted(collections.Counter(map(str, items)).items()))


def _fits(wanted, got):
    if wanted is None:
        return got is MISSING
    if isinstance(wanted, re.Pattern):
        return got is not MISSING and wanted.search(str(got)) is not None
    return wanted == got


def _show(value):
    return "absent" if value is MISSING or value is None else repr(value.pattern if isinstance(value,
          re.Pattern) else value)


def judge(case, ours, theirs):
    """What is not as it should be, a line each."""
    wrong = []
    for key, wanted in {**case.expect, **case.deviates}.items():
        got = ours.get(key, MISSING)
        if not _fits(wanted, got):
            wrong.append(f"{key}: want {_show(wanted)}, got {_show(got)}")
    if theirs is None or case.apart:
        return wrong
    for key in sorted(set(ours) | set(theirs)):
        mine, other = ours.get(key, MISSING), theirs.get(key, MISSING)
        if key in case.deviates:
            if mine == other:
                wrong.append(f"{key}: said to deviate, but NGINX has {_show(other)} too")
        elif mine != other:
            wrong.append(f"{key}: NGINX has {_show(other)}, got {_show(mine)}")
    return wrong


def check_table(groups):
    """Every annotation that ingress-nginx has is in some case, and no case is without something to compare."""
    listed = (HERE.parent / "unit" / "translate" / "coverage_test.cc").read_text()
    names = set(re.findall(r'"([a-z0-9-]+)"', listed[listed.index("kOfIngressNginx"):listed.index("static_assert")]))
    missing = names - {name for g in groups for item in g.ingresses() for name in item.annotations}
    if missing or not names:
        raise SystemExit(f"annotations without a case: {sorted(missing)}")
    for group in groups:
        for case in group.cases:
            where = f"{group.name}/{case.what}"
            if bool(case.deviates) != bool(case.why):
                raise SystemExit(f"{where}: a deviation and its reason belong together")
            if (group.nginx is None or case.apart) and not case.expect:
                raise SystemExit(f"{where}: nothing to compare with")
            if group.nginx is None and case.deviates:
                raise SystemExit(f"{where}: nothing to deviate from")


def run_group(group, number, ours, theirs, only, show):
    """What is wrong, how many cases there were, and the names of those that can be found in both logs."""
    wrong, count, alike = [], 0, {}
    for index, case in enumerate(group.cases):
        if only and "/" in only and only.split("/", 1)[1] != case.what:
            continue
        count += 1
        identity = f"{number}-{index}"
        mine = ours.observe(case, group.host, identity)
        other = theirs.observe(case, group.host, identity) if group.nginx is not None else None
        lines = judge(case, mine, other)
        logged = group.annotations.get("enable-access-log") != "false" and mine.get("status") not in (0, 400, None)
        if other is not None and not (lines or case.deviates or case.apart) and logged:
            alike[identity] = f"{group.name}/{case.what}"
        if show:
            print(f"{group.name}/{case.what}\n  ours   {mine}\n  theirs {other}")
        wrong += [f"{group.name}/{case.what} ({case.request}): {line}" for line in lines]
    return wrong, count, alike


def stage_groups(stage, groups):
    """Writes everything that the groups say, for both sides, and starts both."""
    for service, endpoints in SERVICES.items():
        for _ in range(endpoints):
            stage.echo.add(service)
    stage.echo.add("secure", stage.backend_context())
    objects = list(stage.basic_objects())
    for service, ports in {**stage.echo.ports, "empty": [], "dead": [1]}.items():
        objects += stage.service(service, ports)
    stage.write_manifests("base", objects)
    servers = "upstream dead { server 127.0.0.1:1 max_fails=0; }\n"
    fill = {name: stage.pem(name) for name in ("ca.pem", "client.pem", "client.key", "other-ca.pem")}
    fill["other.port"] = str(stage.echo.ports["other"][0])
    age = 0
    for group in groups:
        made = [json.loads(_fill(json.dumps(item), fill)) for item in group.objects]
        for item in group.ingresses():
            made.append(json.loads(_fill(json.dumps(stage.ingress(group.host, item, age)), fill)))
            age += 1
        stage.write_manifests(group.name, made)
        if group.nginx is not None:
            servers += (f"{group.nginx_http}\nserver {{ listen 127.0.0.1:{stage.nginx_http}; "
                        f"listen 127.0.0.1:{stage.nginx_https} ssl; ssl_certificate pki/server.pem; "
                        f"ssl_certificate_key pki/server.key;\n"
                        f"server_name {group.nginx_host or group.host};\n{group.nginx}}}\n")
        for file, text in group.files.items():
            (stage.folder / file).write_text(text)
    stage.start_nginx(servers)
    stage.start_headgate("--configmap=default/options")


def explain(stage, groups):
    """Of some hosts: what `headgate explain` says of the manifests is what the data plane has."""
    wrong = []
    for group in groups:
        request = group.cases[0].request.split(" ", 1)[1]
        done = subprocess.run([stage.programs / "headgate", "explain", f"http://{group.host}{request}", "--output=json",
                               f"--admin=127.0.0.1:{stage.admin}", f"--file={stage.manifests}",
                               "--configmap=default/options"], capture_output=True, text=True, check=False)
        said = json.loads(done.stdout) if done.returncode in (0, 1) else {"dataPlane": done.stderr}
        expected = "has the same route"
        if said["dataPlane"] != expected and said.get("match", "nothing"):
            wrong.append(f"{group.name}/explain: the data plane {said['dataPlane']}, want: {expected}")
    return wrong


def _fill(text, values):
    for name, value in values.items():
        text = text.replace("{{" + name + "}}", json.dumps(value)[1:-1])
    return text


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=pathlib.Path, required=True, help="where the programs are")
    parser.add_argument("--only", default="", help="GROUP or GROUP/CASE")
    parser.add_argument("--show", action="store_true", help="print everything that is seen")
    parser.add_argument("--list", action="store_true", help="print the cases and exit")
    parser.add_argument("--keep", type=pathlib.Path, help="a folder for logs and configurations that is not removed")
    args = parser.parse_args()
    groups = load_groups()
    check_table(groups)
    if args.list:
        for group in groups:
            for case in group.cases:
                print(f"{group.name}/{case.what}")
        return 0
    folder = args.keep or pathlib.Path(tempfile.mkdtemp(prefix="headgate-oracle-"))
    try:
        with Stage(args.bin.resolve(), folder) as stage:
            stage_groups(stage, groups)
            ours = Side(stage, "h", stage.http, stage.https)
            theirs = Side(stage, "n", stage.nginx_http, stage.nginx_https)
            chosen = [g for g in groups if not args.only or g.name == args.only.split("/")[0]]
            with concurrent.futures.ThreadPoolExecutor(PARALLEL_GROUPS) as pool:
                results = list(pool.map(lambda pair: run_group(pair[1], pair[0], ours, theirs, args.only, args.show),
                                        enumerate(chosen)))
            wrong = explain(stage, chosen[::EXPLAINED_GROUPS])
            alike = {identity: name for _, _, names in results for identity, name in names.items()}
            wrong += access_log.compare(ours, theirs, alike)
            stage.check_running()
    finally:
        if not args.keep:
            shutil.rmtree(folder, ignore_errors=True)
    wrong += [line for lines, _, _ in results for line in lines]
    total = sum(count for _, count, _ in results)
    names = {name for g in groups for item in g.ingresses() for name in item.annotations if "/" not in name}
    against = sum(not case.apart for g in chosen if g.nginx is not None for case in g.cases)
    for line in wrong:
        print(line)
    failed = len({line.split(" (")[0] for line in wrong})
    print(f"{total} cases in {len(chosen)} groups, {against} of them beside NGINX, {len(names)} annotations under {PREFIX}, "
          f"{len(alike)} lines of the access log; "
          f"{failed} are not as they should be")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
