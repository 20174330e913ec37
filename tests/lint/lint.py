#!/usr/bin/env python3
"""Rules about the whole repository that no compiler checks.

    lint.py [--root DIR] layers|hygiene|banned|length|layout|docs|annotations|scripts ...

Prints one line a violation, `file:line: what is wrong`, and exits 1 if there is any. A line may be exempted
from one banned call where the reason is written beside it:

    std::time_t now = std::time(nullptr);  // lint: allow(wall-clock) the log line shows wall-clock time
"""

import argparse
import pathlib
import re
import shutil
import subprocess
import sys

MAX_LINES = 600
SOURCE_SUFFIXES = {".cc", ".h"}
COUNTED_SUFFIXES = SOURCE_SUFFIXES | {".py", ".go", ".proto", ".cmake", ""}

# Folders that do I/O; a pure folder includes none of them.
IO_HEADERS = re.compile(
    r"<(sys/(socket|epoll|uio|timerfd|eventfd|inotify|stat|mman|wait)\.h|unistd\.h|fcntl\.h|netdb\.h|"
    r"pthread\.h|thread|mutex|condition_variable|fstream|filesystem|iostream)>"
)

OURS = ("common/", "controller/", "dataplane/", "proto/", "tests/", "bench/")

# name, pattern, where it applies (path prefixes), reason.
BANNED = [
    ("regex", r"\bstd::regex\b|<regex>", ("common/", "controller/", "dataplane/", "tests/"),
     "backtracks without bound in time and stack; use RE2"),
    ("shell", r"(?<![\w.>:])(?:std::)?(?:system|popen)\s*\(", ("common/", "controller/", "dataplane/", "tests/"),
     "runs a shell"),
    ("wall-clock", r"\bsystem_clock\b|(?<![\w.>])(?:std::|::)?time\s*\(\s*(?:nullptr|NULL|0|&)|\bgettimeofday\b|"
     r"\babsl::Now\s*\(|\bCLOCK_REALTIME\b", ("common/", "controller/", "dataplane/"),
     "the wall clock jumps and no test can move it; take a Clock"),
    ("detach", r"\.detach\s*\(\s*\)", ("common/", "controller/", "dataplane/", "tests/"),
     "a thread that nobody joins outlives what it uses"),
    ("sleep", r"\b(?:sleep_for|sleep_until|usleep|nanosleep|absl::SleepFor)\b|(?<![\w.>:])sleep\s*\(",
     ("common/", "controller/", "dataplane/", "tests/"),
     "wait for a condition, or move the fake clock"),
    ("c-string", r"\b(?:strcpy|strcat|sprintf|vsprintf|gets|strtok|strncpy)\s*\(",
     ("common/", "controller/", "dataplane/", "tests/"), "knows no bounds, or hides truncation"),
    ("throwing-parse", r"\bstd::sto(?:i|l|ll|ul|ull|f|d|ld)\s*\(|\b(?:atoi|atol|atoll|atof)\s*\(",
     ("common/", "controller/", "dataplane/"),
     "throws on, or swallows, malformed input; use absl::SimpleAtoi or std::from_chars"),
    ("weak-random", r"(?<![\w.>:])(?:std::)?s?rand\s*\(", ("common/", "controller/", "dataplane/"),
     "predictable and not thread-safe; use an absl::BitGen"),
    ("absl-mutex", r"\babsl::(?:Mutex|CondVar|MutexLock|Notification)\b",
     ("common/", "controller/", "dataplane/", "tests/"),
     "ThreadSanitizer does not see inside an uninstrumented abseil; use std::mutex"),
    ("delete-this", r"\bdelete\s+this\b", ("common/", "controller/", "dataplane/"),
     "the owner decides the end of a life; see Retire"),
]


class Repo:
    """The files of a checkout: those git tracks or would track, or all files when there is no git."""

    def __init__(self, root):
        self.root = pathlib.Path(root)
        listed = subprocess.run(
            ["git", "-C", str(self.root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            capture_output=True, check=False)
        if listed.returncode == 0:
            names = [n for n in listed.stdout.decode().split("\0") if n]
        else:
            names = [str(p.relative_to(self.root)) for p in self.root.rglob("*")]
        self.names = sorted(n for n in names if (self.root / n).is_file())

    def text(self, name):
        return (self.root / name).read_text(encoding="utf-8", errors="replace")

    def sources(self, *prefixes):
        return [n for n in self.names
                if pathlib.PurePath(n).suffix in SOURCE_SUFFIXES and (not prefixes or n.startswith(prefixes))]


def strip_code(text):
    """Blanks comments and literals, keeping every line where it is."""
    token = re.compile(
        r'R"([^()\\ ]*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|(?<![0-9a-zA-Z_])\'(?:\\.|[^\'\\\n])+\'|//[^\n]*|/\*.*?\*/', re.S)

    def blank(match):
        return re.sub(r"[^\n]", " ", match.group(0))

    return token.sub(blank, text)


def read_layers(repo):
    """The tables of docs/architecture.md, section "Layers".

    Data plane rows:  | level | `folder` | ... | notes |     notes may hold "pure" and "proto"
    Controller rows:  | `folder` | ... | what it may include, in backticks | notes |
    """
    text = repo.text("docs/architecture.md")
    start = text.find("## Layers")
    if start < 0:
        raise SystemExit('docs/architecture.md: no section "## Layers"')
    end = text.find("\n## ", start + 1)
    section = text[start:end if end > 0 else None]
    dataplane, controller = {}, {}
    for line in section.splitlines():
        cells = [c.strip() for c in line.strip().strip("|").split("|")]
        if len(cells) < 4:
            continue
        if cells[0].isdigit():
            for folder in re.findall(r"`([a-z0-9_]+)/`", cells[1]):
                dataplane[folder] = (int(cells[0]), set(re.findall(r"\w+", cells[3])))
        elif re.fullmatch(r"`[a-z0-9_]+/`", cells[0]):
            folder = cells[0].strip("`/")
            controller[folder] = (set(re.findall(r"`([a-z0-9_./]+)`", cells[2])), set(re.findall(r"\w+", cells[3])))
    if not dataplane or not controller:
        raise SystemExit("docs/architecture.md: the layer tables are missing or not in the form that lint reads")
    return dataplane, controller


def includes(text):
    for number, line in enumerate(text.splitlines(), 1):
        match = re.match(r'\s*#\s*include\s*(["<][^">]+[">])', line)
        if match:
            yield number, match.group(1)


def check_layers(repo):
    dataplane, controller = read_layers(repo)
    for name in repo.sources("common/", "controller/", "dataplane/"):
        parts = pathlib.PurePath(name).parts
        program, folder = parts[0], parts[1] if len(parts) > 2 else ""
        row = {"dataplane": dataplane, "controller": controller}.get(program, {}).get(folder)
        if program != "common" and row is None:
            yield f"{name}:1: folder {program}/{folder} is not in the layer table of docs/architecture.md"
            continue
        notes = row[1] if row else set()
        for number, include in includes(repo.text(name)):
            where = f"{name}:{number}"
            if include[0] == "<" or not include[1:-1].startswith(OURS):
                if "pure" in notes and IO_HEADERS.fullmatch(include):
                    yield f"{where}: {program}/{folder} is pure and may not include {include}"
                continue
            target = include[1:-1]
            top, _, rest = target.partition("/")
            sub = rest.partition("/")[0]
            if top == "common" or (top == program and sub == folder):
                continue
            if program == "common":
                yield f"{where}: common/ includes only common/, not {target}"
            elif top == "proto":
                if program == "dataplane" and "proto" not in notes:
                    yield f"{where}: generated messages do not reach dataplane/{folder}"
                if program == "controller" and "proto/" not in row[0]:
                    yield f"{where}: controller/{folder} may not include proto/"
            elif top != program:
                yield f"{where}: {program}/ may not include {target}"
            elif program == "dataplane":
                if sub not in dataplane:
                    yield f"{where}: {target} is in no layer"
                elif dataplane[sub][0] >= row[0]:
                    yield (f"{where}: dataplane/{folder} (level {row[0]}) may not include {target} "
                           f"(level {dataplane[sub][0]})")
                elif "pure" in notes and "io" in dataplane[sub][1]:
                    yield f"{where}: dataplane/{folder} is pure and may not include {target}"
            elif f"{sub}/" not in row[0] and rest not in row[0]:
                yield f"{where}: controller/{folder} may not include {target}"


def check_hygiene(repo):
    for name in repo.sources("common/", "controller/", "dataplane/", "tests/", "bench/"):
        text = repo.text(name)
        code = strip_code(text)
        if name.endswith(".h"):
            first = next((line for line in code.splitlines() if line.strip()), "")
            if first.strip() != "#pragma once":
                yield f"{name}:1: a header starts with #pragma once"
        for number, line in enumerate(code.splitlines(), 1):
            if re.search(r"\busing\s+namespace\b(?!\s+std::\w*literals;)", line):
                yield f"{name}:{number}: no using namespace"
        for number, include in includes(text):
            target = include[1:-1]
            if include[0] == '"' and "/" not in target:
                yield f"{name}:{number}: include {target} from the root of the repository"
            elif (include[0] == '"' and target.startswith(OURS) and not target.endswith(".pb.h")
                  and not (repo.root / target).is_file()):
                yield f"{name}:{number}: {target} does not exist"
            elif include.startswith("<bits/"):
                yield f"{name}:{number}: {include} is the library's own"
        own = text + (repo.text(name[:-3] + ".h") if name.endswith(".cc") and name[:-3] + ".h" in repo.names else "")
        if re.search(r"\bu?int(8|16|32|64|ptr)_t\b", code) and not re.search(r"<(cstdint|stdint\.h)>", own):
            yield f"{name}:1: uses the integer types of <cstdint> without including it"


def check_banned(repo):
    rules = [(rule, re.compile(pattern), prefixes, reason) for rule, pattern, prefixes, reason in BANNED]
    for name in repo.sources():
        text = repo.text(name)
        raw = text.splitlines()
        for number, line in enumerate(strip_code(text).splitlines(), 1):
            for rule, pattern, prefixes, reason in rules:
                if not name.startswith(prefixes) or not pattern.search(line):
                    continue
                around = raw[max(0, number - 2):number]
                if any(re.search(rf"lint: allow\({rule}\)\s+\S", a) for a in around):
                    continue
                yield f"{name}:{number}: {rule}: {reason}"


def check_length(repo):
    for name in repo.names:
        path = pathlib.PurePath(name)
        if path.suffix not in COUNTED_SUFFIXES or path.name in {"LICENSE"} or "corpus" in path.parts:
            continue
        lines = repo.text(name).count("\n")
        if lines > MAX_LINES:
            yield f"{name}:{lines}: {lines} lines, at most {MAX_LINES}: is it still one idea?"


def check_layout(repo):
    """C++ sources are laid out as .clang-format says, by the version of Debian 12: others differ in small things."""
    program = shutil.which("clang-format-14")
    sources = repo.sources()
    if program is None or not sources:
        return
    result = subprocess.run([program, "--dry-run", "--Werror", *sources], cwd=repo.root, capture_output=True,
                            text=True, check=False)
    places = re.findall(r"^(\S+?:\d+):\d+: error: code should be clang-formatted", result.stderr, re.M)
    first = {place.partition(":")[0]: place for place in reversed(places)}
    for place in sorted(first.values()):
        yield f"{place}: not laid out by .clang-format; `make format` does it"
    if result.returncode != 0 and not places:
        yield f"clang-format: {result.stderr.strip()}"


def anchor(title):
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def check_docs(repo):
    targets = set(re.findall(r"^([a-z][a-z-]*):", repo.text("Makefile"), re.M))
    for name in (n for n in repo.names if n.endswith(".md")):
        text = repo.text(name)
        folder = (repo.root / name).parent
        for number, line in enumerate(text.splitlines(), 1):
            for target in re.findall(r"(?:^|[`\s(])make ([a-z][a-z-]*)(?=[`\s).,:;]|$)", line):
                quoted = f"`make {target}" in line or re.match(rf"\s*(?:\$ )?make {target}\b", line)
                if quoted and target not in targets:
                    yield f"{name}:{number}: the Makefile has no target '{target}'"
            for link in re.findall(r"\]\(([^)\s]+)\)", line):
                path, _, fragment = link.partition("#")
                if re.match(r"[a-z]+:", link):
                    continue
                file = (folder / path).resolve() if path else repo.root / name
                if not file.exists():
                    yield f"{name}:{number}: link to {link}, which does not exist"
                elif fragment and file.suffix == ".md":
                    titles = re.findall(r"^#+ (.*)$", file.read_text(encoding="utf-8"), re.M)
                    if fragment not in {anchor(t) for t in titles}:
                        yield f"{name}:{number}: {path or 'this page'} has no heading for #{fragment}"
            for path in re.findall(r"`((?:common|controller|dataplane|tests|scripts|docs|proto|deploy|helm|e2e|bench)"
                                   r"/[\w./-]+\.[a-z]+|scripts/[a-z-]+)`", line):
                if not (repo.root / path).exists():
                    yield f"{name}:{number}: `{path}` does not exist"
    yield from check_strictness(repo)


def check_strictness(repo):
    """Each row of the tables of docs/http-strictness.md names tests that exist, and it leaves out none of theirs."""
    page = "docs/http-strictness.md"
    if page not in repo.names:
        return
    tables, singles = set(), set()
    for name in (n for n in repo.names if n.startswith("tests/") and n.endswith(".cc")):
        singles |= set(re.findall(r"^TEST(?:_F|_P)?\(\w+, (\w+)\)", repo.text(name), re.M))
        if re.fullmatch(r"tests/integration/strictness_\w+\.cc", name):
            tables |= set(re.findall(r'^    \{"(\w+)",', repo.text(name), re.M))
    told = set()
    for number, line in enumerate(repo.text(page).splitlines(), 1):
        cells = line.strip("|").split("|")
        if not line.startswith("|") or cells[-1].strip() in {"tests", "---"}:
            continue
        names = re.findall(r"`(\w+)`", cells[-1])
        if not names:
            yield f"{page}:{number}: the row names no test"
        for name in names:
            if name not in tables | singles:
                yield f"{page}:{number}: there is no test {name}"
        told |= set(names)
    for name in sorted(tables - told):
        yield f"{page}: says nothing about the test {name}"


def check_annotations(repo):
    """README.md says nothing of annotations that the controller does not know (docs/annotations.md has a test of its own)."""
    known = set()
    for name in (n for n in repo.names if re.fullmatch(r"controller/translate/annotations/\w+\.h", n)):
        for names in re.findall(r"std::array<std::string_view, \d+> k\w+Names\s*=\s*\{(.*?)\}", repo.text(name), re.S):
            known |= set(re.findall(r'"([a-z./-]+)"', names))
    rows = [line.split("|")[1] for line in repo.text("README.md").splitlines() if line.startswith("| `")]
    told = {name for row in rows for name in re.findall(r"`([a-z./-]+)`", row)}
    for name in sorted(told - known):
        yield f"README.md: the controller knows no annotation {name}"


def check_scripts(repo):
    for name in repo.names:
        text = repo.text(name) if pathlib.PurePath(name).suffix in {"", ".sh", ".py"} else ""
        if not text.startswith("#!") and not name.endswith(".sh"):
            continue
        if "bash" in text.partition("\n")[0] or name.endswith(".sh"):
            result = subprocess.run(["bash", "-n", str(repo.root / name)], capture_output=True, text=True, check=False)
            for line in result.stderr.splitlines():
                yield f"{name}: {line}"
        if text.startswith("#!") and not (repo.root / name).stat().st_mode & 0o111:
            yield f"{name}:1: has an interpreter line but is not executable"


CHECKS = {"layers": check_layers, "hygiene": check_hygiene, "banned": check_banned, "length": check_length,
          "layout": check_layout, "docs": check_docs, "annotations": check_annotations, "scripts": check_scripts}


def main():
    parser = argparse.ArgumentParser(description="Repository-wide rules.")
    parser.add_argument("--root", default=pathlib.Path(__file__).resolve().parents[2])
    parser.add_argument("checks", nargs="*", default=[], metavar="CHECK", help=", ".join(CHECKS))
    args = parser.parse_args()
    repo = Repo(args.root)
    bad = 0
    for check in args.checks or CHECKS:
        for line in CHECKS[check](repo):
            print(line)
            bad += 1
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
