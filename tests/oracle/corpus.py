#!/usr/bin/env python3
"""What `headgate check` says of hundreds of Ingresses is what becomes of them when they are applied.

    corpus.py --bin DIR [--keep DIR]

Of every Ingress: the verdict is the expected one; "refused" is answered by 404 or 503 and nothing else is; and what
the controller logs about it is what check has found.
"""

import argparse
import collections
import contextlib
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import client
from corpus_values import CANARIES, CONFLICTS, MAP, ROWS
from stage import Stage, wait_for
from table import Ingress, Path, config_map, secret

BAD = {"R": ("refused", 404), "D": ("refused", 503), "S": ("differs", None)}
LOGGED = re.compile(r" translate (.*) kind=Ingress object=(\S+) field=(\S+) reason=(\S+)$")

# verdict and status may be None: not said beforehand; a status of None is anything but 404 and 503.
Item = collections.namedtuple("Item", "ingress host verdict status what")


def corpus():
    items = []

    def add(annotations, verdict, status, what, service="echo", **more):
        name = f"item-{len(items):03}"
        values = {key: value.replace("{n}", name) for key, value in annotations.items()}
        ingress = Ingress(name, values, [Path("/", service)], [f"{name}.test"], **more)
        items.append(Item(ingress, f"{name}.test", verdict, status, what))

    for name, bad, (good_values, bad_values), beside in ROWS:
        for value in good_values:
            add({**beside, name: value}, None, None, f"{name}: {value!r}")
        for value in bad_values:
            add({**beside, name: value}, *BAD[bad], f"{name}: {value!r} (bad)")
    for name, annotations, service, verdict, status in CONFLICTS:
        add(annotations, verdict, status, name, service)
    for name, (good_values, bad_values) in CANARIES:
        for value, verdict in [(v, "works") for v in good_values] + [(v, "differs") for v in bad_values]:
            add({}, "works", None, f"beside a canary with {name}: {value!r}")
            canary = Ingress(f"{items[-1].ingress.name}-canary", {"canary": "true", name: value}, [Path()],
                             [items[-1].host])
            items.append(Item(canary, items[-1].host, verdict, None, f"canary with {name}: {value!r}"))
    return items


def check(programs, folder):
    """By Ingress: the verdict and the findings."""
    done = subprocess.run([programs / "headgate", "check", "--output=json", "--fail-on=never",
                           "--configmap=default/options",
                           folder], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"headgate check ended with {done.returncode}: {done.stderr}")
    return {item["name"]: item for item in json.loads(done.stdout)["ingresses"]}


def logged(stage):
    """By Ingress: fields and reasons of what the controller has said, each once."""
    said = collections.defaultdict(set)
    for line in (stage.folder / "headgate-controller.log").read_text().splitlines():
        if match := LOGGED.search(line):
            said[match[2].split("/")[1]].add((match[3], match[4]))
    return said


def judge(item, report, status, said):
    wrong = []
    verdict = report["verdict"]
    if item.verdict is not None and verdict != item.verdict:
        wrong.append(f"check says {verdict}, want {item.verdict}")
    if item.status is not None and status != item.status:
        wrong.append(f"answered {status}, want {item.status}")
    refusal = status in (404, 503) or (status == 403 and "auth-tls-secret" in item.ingress.annotations)
    if verdict == "refused" and not refusal:
        wrong.append(f"check says refused, but it is answered {status}")
    if verdict in ("works", "differs") and refusal and item.status is None:
        wrong.append(f"check says {verdict}, but it is answered {status}")
    found = {(finding["field"], finding["reason"]) for finding in report["findings"]}
    if found != said:
        wrong.append(f"check has found {sorted(found)}, the controller {sorted(said)}")
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=pathlib.Path, required=True, help="where the programs are")
    parser.add_argument("--keep", type=pathlib.Path, help="a folder for manifests and logs that is not removed")
    args = parser.parse_args()
    folder = args.keep or pathlib.Path(tempfile.mkdtemp(prefix="headgate-corpus-"))
    items = corpus()
    wrong, verdicts = [], collections.Counter()
    try:
        with Stage(args.bin.resolve(), folder) as stage:
            for service in ("echo", "auth"):
                stage.echo.add(service)
            objects = list(stage.basic_objects())
            for service, ports in {**stage.echo.ports, "empty": [], "dead": [1]}.items():
                objects += stage.service(service, ports)
            objects += [secret("users", auth="jane:{PLAIN}secret\n"), secret("ca", **{"ca.crt": stage.pem("ca.pem")}),
                        config_map(MAP.split("/")[1], {"X-Own": "a"}),
                        config_map("options", {"global-allowed-response-headers": "X-Own"})]
            stage.write_manifests("base", objects)
            stage.start_headgate("--configmap=default/options")
            # The controller logs 200 diagnostics of one change at most.
            reports = {}
            for begin in range(0, len(items), 100):
                for age, item in list(enumerate(items))[begin:begin + 100]:
                    stage.write_manifests(item.ingress.name, [stage.ingress(item.host, item.ingress, age)])
                reports = check(stage.programs, stage.manifests)
                expected = sum(len({(f["field"], f["reason"]) for f in r["findings"]}) for r in reports.values())
                with contextlib.suppress(TimeoutError):  # what is missing is said below
                    wait_for("the controller's log", lambda n=expected: sum(map(len, logged(stage).values())) >= n, 10)
            said = logged(stage)
            last = items[-1].host
            wait_for("the last Ingress", lambda: client.ask(stage.http,
                                                            client.head_of("GET", "/", last, [], None)).status != 404)
            for item in items:
                request = client.head_of("GET", "/", item.host, [("X-Reply", '{"auth": {"status": 200}}')], None)
                status = client.ask(stage.http, request).status
                report = reports[item.ingress.name]
                verdicts[report["verdict"]] += 1
                lines = judge(item, report, status, said[item.ingress.name])
                wrong += [f"{item.ingress.name}, {item.what}: {line}" for line in lines]
            stage.check_running()
    finally:
        if not args.keep:
            shutil.rmtree(folder, ignore_errors=True)
    for line in wrong:
        print(line)
    counts = ", ".join(f"{count} {verdict}" for verdict, count in sorted(verdicts.items()))
    print(f"{len(items)} Ingresses: {counts}; {len(wrong)} things are not as they should be")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
