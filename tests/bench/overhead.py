# SPDX-License-Identifier: GPL-2.0-only
"""What ebb costs a machine that does not need it: the tests/bpf programs measure natively, the scenario `scale` in a VM, and
their lines are read here."""

import json
import os
import re
import subprocess
import tempfile

SPREAD = re.compile(r"^\s*(.+?):?\s+mean ([+-][0-9.]+)% \+- ([0-9.]+), median ([+-][0-9.]+)%")
DENIED = re.compile(r"^\s*(\w+): not here \((.+)\)")
LOOP = re.compile(r"(\w+), (\d) threads?: .* ([0-9.]+) ns a fault without")
ACCOUNT = re.compile(r"attached ([0-9.]+)% of the time, ([0-9.]+)% of one CPU \(budget ([0-9.]+)%\)")
PASS = re.compile(
    r"one pass over (\d+) groups: iterator ([0-9.]+) ms of CPU .*open-read-parse of (\d+) groups ([0-9.]+) "
)
GROUPS = {True: (10, 100), False: (10, 100, 1000, 10000)}
LOOPS = {True: (("anon", 1),), False: tuple((kind, threads) for kind in ("anon", "file", "cow") for threads in (1, 2))}
WINDOWS, WHOLE = "the windows within their runs", "runs with against runs without"


def parse_faults(text):
    """{what: (mean, error, median) in percent}, the hooks' own account, what a fault takes, and hooks that are not to be had."""
    found = {"spreads": {}, "account": None, "ns": None, "denied": {}}
    for line in text.splitlines():
        spread, account, loop, denied = (p.search(line) for p in (SPREAD, ACCOUNT, LOOP, DENIED))
        if spread:
            found["spreads"][spread[1].strip()] = [float(spread[i]) for i in (2, 3, 4)]
        if account:
            found["account"] = [float(account[i]) for i in (1, 2, 3)]
        if loop:
            found["ns"] = float(loop[3])
        if denied:
            found["denied"][denied[1]] = denied[2]
    return found


def parse_census(text):
    """[groups, ms of CPU by the iterator, ms by reading files]; None where there is no such line."""
    found = PASS.search(text)
    return [int(found[3]), float(found[2]), float(found[4])] if found else None


def output_of(build, name, *args):
    command = [os.path.join(build, "bpftest", name)] + [str(a) for a in args]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                          check=False)
    return done.stdout


def measure_loops(build, quick):
    loops = []
    for kind, threads in LOOPS[quick]:
        print(f"overhead: a loop of page faults ({kind}, {threads} thread{'s' * (threads > 1)})", flush=True)
        more = [kind] + ["threads"] * (threads > 1)
        loops.append({
            "kind": kind, "threads": threads,
            "budget": parse_faults(output_of(build, "overhead_check", *more, *((5, 2) if quick else (6, 5)))),
            "attached": parse_faults(output_of(build, "overhead_check", "attached", *more, 5 if quick else 8)),
        })
    return loops


def measure_census(build, quick):
    census = []
    for groups in GROUPS[quick]:
        print(f"overhead: the census over {groups} groups", flush=True)
        one = parse_census(output_of(build, "census_check", groups, 9))
        if one:
            census.append(one)
    return census


def measure_scale(top, build, kernel):
    """What ebbd itself costs with so many groups. In a VM: it needs memory on cgroup v2."""
    print(f"overhead: ebbd with {', '.join(map(str, GROUPS[False]))} groups, in a VM", flush=True)
    with tempfile.TemporaryDirectory() as out:
        subprocess.run([os.path.join(top, "tests/vm/run"), "--kernel", kernel, "--build", build, "--out", out, "--env",
                        "SCALE_SIZES=" + " ".join(map(str, GROUPS[False])), "scale"], stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, check=False)
        path = os.path.join(out, "scale.jsonl")
        if not os.path.exists(path):
            return []
        with open(path, encoding="utf-8") as f:
            return [json.loads(line)["data"] for line in f]


def measure(top, build, quick, kernel):
    """A record; it takes the machine for itself."""
    each = parse_faults(output_of(build, "overhead_check", "each", 8, 1)) if not quick else None
    return {
        "id": "overhead",
        "kernel": os.uname().release,
        "vm_kernel": kernel,
        "cpus": os.cpu_count(),
        "quick": quick,
        "loops": measure_loops(build, quick),
        "each": each,
        "census": measure_census(build, quick),
        "scale": [] if quick else measure_scale(top, build, kernel),
    }


def spread_text(found, name):
    spread = found["spreads"].get(name)
    return f"{spread[0]:+.2f}% ± {spread[1]:.2f}" if spread else "-"


def loop_lines(record):
    out = [["a loop of page faults", "ns a fault", "hooks attached all the time", "at the budget, by the windows",
            "at the budget, by whole runs"]]
    for loop in record["loops"]:
        out.append([f"{loop['kind']}, {loop['threads']} thread{'s' * (loop['threads'] > 1)}", f"{loop['budget']['ns'] or 0:,.0f}",
                    spread_text(loop["attached"], WHOLE), spread_text(loop["budget"], WINDOWS), spread_text(loop["budget"], WHOLE)])
    return out


def each_lines(record):
    if not record["each"]:
        return None
    out = [["each hook alone, attached all the time", "mean", "median"]]
    for name, (mean, error, median) in record["each"]["spreads"].items():
        out.append([f"`{name}`", f"{mean:+.2f}% ± {error:.2f}", f"{median:+.2f}%"])
    return out + [[f"`{name}`", f"not to be had: {why}", "-"] for name, why in record["each"]["denied"].items()]


def census_lines(record):
    out = [["groups", "census, ms of CPU", "us a group", "reading files, ms", "files / census"]]
    for groups, ours, files in record["census"]:
        out.append([f"{groups:,}", f"{ours:.2f}", f"{1000 * ours / groups:.2f}", f"{files:.2f}", f"{files / ours:.1f}" if ours else "-"])
    return out


def scale_lines(record):
    if not record["scale"]:
        return None
    out = [["groups", "containers", "ebbd's CPU, ms a minute", "of one core of this machine", "resident, MiB"]]
    for s in record["scale"]:
        share = s["cpu_ms"] / (1000 * s["seconds"])
        # The same fixed piece of work took `here` us of CPU in the VM and `there` on the machine itself.
        out.append([f"{s['groups']:,}", f"{s['containers']:,}", f"{60 * s['cpu_ms'] / s['seconds']:,.0f}",
                    f"{100 * share * s['there'] / max(s['here'], s['there']):.3f}%", f"{s['rss_kib'] / 1024:.1f}"])
    return out


def lines(record):
    """The tables, each a list of rows."""
    found = (loop_lines(record), each_lines(record), census_lines(record), scale_lines(record))
    return [lines for lines in found if lines]
