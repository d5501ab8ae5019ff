# SPDX-License-Identifier: GPL-2.0-only
"""From what a VM left behind (rss.csv, bench.jsonl, verdicts) to one record a run."""

import csv
import json
import os
import re

MIB = 1 << 20


def read_rss(path):
    """Rows of (seconds, KiB, mark)."""
    rows = []
    with open(path, newline="", encoding="utf-8", errors="replace") as f:
        for row in csv.reader(f):
            if len(row) >= 2 and row[0].isdigit():
                rows.append((int(row[0]) / 1000, int(row[1]), row[2] if len(row) > 2 else ""))
    return rows


def marks_of(rows, run_id):
    """The moments of a run, by name."""
    prefix = f"bench {run_id} "
    return {mark[len(prefix) :]: t for t, _, mark in rows if mark.startswith(prefix)}


def between(rows, begin, end):
    return [(t, kib) for t, kib, _ in rows if begin <= t <= end]


def mean(samples):
    """Over time: each sample holds until the next."""
    if len(samples) < 2:
        return samples[0][1] if samples else 0
    area = sum((b[0] - a[0]) * a[1] for a, b in zip(samples, samples[1:]))
    return area / (samples[-1][0] - samples[0][0])


def at_end(rows, end, seconds=2):
    """What was held when a span ended: a single sample would catch a page in flight."""
    return mean(between(rows, end - seconds, end))


def curve(samples, begin, step=1.0):
    """A point a second, for drawing: (seconds since begin, MiB)."""
    points, due = [], None
    for t, kib in samples:
        if due is None or t >= due:
            points.append([round(t - begin, 1), round(kib / 1024, 1)])
            due = t + step
    return points


def difference(before, after):
    return {key: after[key] - before.get(key, 0) for key in after}


def record(run, rows, data):
    marks = marks_of(rows, run.id)
    missing = [m for m in ("base", "begin", "end", "gone", "over") if m not in marks]
    if missing:
        raise ValueError(f"{run.id}: the marks {', '.join(missing)} are not in rss.csv")
    window = between(rows, marks["begin"], marks["end"])
    whole = between(rows, marks["base"], marks["over"])
    return {
        "base_mib": data["base_kib"] / 1024,
        "mean_mib": mean(window) / 1024,
        "peak_mib": max(kib for _, kib in whole) / 1024,
        "end_mib": at_end(rows, marks["end"]) / 1024,
        "footprint_gib_min": mean(whole) / MIB * (marks["over"] - marks["base"]) / 60,
        "residue_mib": at_end(rows, marks["over"]) / 1024 - data["base_kib"] / 1024,
        "measured_s": marks["end"] - marks["begin"],
        "curve": curve(whole, marks["begin"]),
        "cost": difference(data["before"], data["after"]),
        "zram": {k: data["after"].get("zram_" + k, 0) for k in ("original", "used")},
        "work_figures": data["work"],
        "trace": data.get("trace"),
        "containers": data.get("containers", []),
        "acted": data["acted"],
        "kernel": data["kernel"],
        "emulated": data["emulated"],
    }


def verdicts(output):
    """{scenario's name: (PASS|FAIL|SKIP, reason)} of what tests/vm/run printed."""
    found = {}
    for line in output.splitlines():
        said = re.match(r"(PASS|FAIL|SKIP) (\S+?)(?: \([0-9.]+ s\))?(?:: (.*))?$", line)
        if said:
            found[said[2]] = (said[1], (said[3] or "").strip())
    return found


def read_data(path, run_id):
    with open(path, encoding="utf-8") as f:
        for line in f:
            one = json.loads(line)["data"]
            if one["id"] == run_id:
                return one
    raise ValueError("the guest said nothing")


def collect(run, out, output, settings):
    """The record of one VM. A run that failed or was skipped has one too, with the reason."""
    verdict, reason = verdicts(output).get(run.id, ("FAIL", "the VM gave no verdict"))
    result = {
        "id": run.id,
        "controller": run.controller.name,
        "value": run.value,
        "work": run.work.name,
        "repetition": run.repetition,
        "scale": settings["scale"],
        "quick": settings["quick"],
        "verdict": verdict,
        "reason": reason,
    }
    if verdict == "PASS":
        try:
            data = read_data(os.path.join(out, "bench.jsonl"), run.id)
            result.update(record(run, read_rss(os.path.join(out, "rss.csv")), data))
        except (OSError, KeyError, ValueError) as e:
            result.update(verdict="FAIL", reason=f"no measurement: {e}")
    return result
