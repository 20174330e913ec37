"""From the results of all rounds to the figures that are quoted: medians, and two kinds of ratio to nginx.

Noise on a shared machine only ever adds time. The median of the ratios within each round cancels what slow
rounds share; the ratio of the minima drops it. A figure is to be trusted where both agree.
"""

import statistics

BASE = "nginx"


def summarise(results):
    """{peer: rounds or error} of one scenario → {peer: {figure: value}}"""
    summary = {}
    base = results.get(BASE)
    for peer, rounds in results.items():
        if isinstance(rounds, str):
            summary[peer] = {"error": rounds}
            continue
        figures = {}
        for name in ("cpu_us", "requests_per_second", "p50_us", "p99_us", "idle_kib"):
            values = [entry[name] for entry in rounds if name in entry]
            if values:
                figures[name] = statistics.median(values)
        key = "cpu_us" if "cpu_us" in figures else "idle_kib"
        figures["minimum"] = min(entry[key] for entry in rounds)
        if isinstance(base, list) and len(base) == len(rounds):
            figures["ratio_median"] = statistics.median(
                _ratio(ours[key], theirs[key]) for ours, theirs in zip(rounds, base))
            figures["ratio_minima"] = _ratio(figures["minimum"], min(entry[key] for entry in base))
            if "p99_us" in figures:
                figures["ratio_p99"] = statistics.median(
                    _ratio(ours["p99_us"], theirs["p99_us"]) for ours, theirs in zip(rounds, base))
        for entry in rounds:
            if "syscalls" in entry:
                figures["syscalls"] = entry["syscalls"]
        summary[peer] = figures
    return summary


def _ratio(a, b):
    return a / b if b else float("nan")


COLUMNS = ("scenario", "proxy", "CPU µs/request", "minimum", "× nginx (rounds)", "× nginx (minima)",
           "requests/s", "p50 µs", "p99 µs")


def rows(scenario, summary):
    """The table rows of one scenario."""
    for peer, figures in summary.items():
        if "error" in figures:
            yield [scenario.title, peer, "failed", "", "", "", "", "", ""]
            continue
        if "idle_kib" in figures:
            yield [scenario.title, peer, f"{figures['idle_kib']:.2f} KiB", "", _times(figures, "ratio_median"),
                   "", "", "", ""]
            continue
        yield [scenario.title, peer, f"{figures['cpu_us']:.1f}", f"{figures['minimum']:.1f}",
               _times(figures, "ratio_median"), _times(figures, "ratio_minima"),
               f"{figures['requests_per_second']:,.0f}", f"{figures['p50_us']:,.0f}",
               f"{figures['p99_us']:,.0f}"]


def _times(figures, name):
    return f"{figures[name]:.2f}" if name in figures else ""


def as_text(table):
    """A table with aligned columns; the scenario is named once."""
    widths = [max(len(row[i]) for row in [list(COLUMNS)] + table) for i in range(len(COLUMNS))]
    lines = []
    last = None
    for row in [list(COLUMNS)] + table:
        shown = row[:]
        if row[0] == last:
            shown[0] = ""
        last = row[0]
        cells = [shown[i].ljust(widths[i]) if i < 2 else shown[i].rjust(widths[i])
                 for i in range(len(COLUMNS))]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def as_markdown(table):
    lines = ["| " + " | ".join(COLUMNS) + " |", "| --- | --- " + "| ---: " * (len(COLUMNS) - 2) + "|"]
    lines += ["| " + " | ".join(row) + " |" for row in table]
    return "\n".join(lines)


def syscalls_as_text(scenario, summary):
    lines = []
    for peer, figures in summary.items():
        calls = figures.get("syscalls")
        if not calls:
            continue
        parts = sorted(((count, name) for name, count in calls.items() if name != "(all)"), reverse=True)
        shown = ", ".join(f"{name} {count:.2f}" for count, name in parts if count >= 0.005)
        lines.append(f"{scenario.name}: {peer}: {calls.get('(all)', 0):.2f} calls a request: {shown}")
    return "\n".join(lines)
