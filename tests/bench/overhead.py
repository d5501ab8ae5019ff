# SPDX-License-Identifier: GPL-2.0-only
"""What ebb costs a machine that does not need it, natively: the tests/bpf programs measure, and their lines are read here."""

import os
import re
import subprocess

SPREAD = re.compile(r"^\s*(.+?):\s+mean ([+-][0-9.]+)% \+- ([0-9.]+), median ([+-][0-9.]+)%")
ACCOUNT = re.compile(r"attached ([0-9.]+)% of the time, ([0-9.]+)% of one CPU \(budget ([0-9.]+)%\)")
PASS = re.compile(
    r"one pass over (\d+) groups: iterator ([0-9.]+) ms of CPU .*open-read-parse of (\d+) groups ([0-9.]+) "
)
GROUPS = {True: (10, 100), False: (10, 100, 1000, 10000)}


def parse_faults(text):
    """{what: (mean, error, median) in percent} and the hooks' own account."""
    found = {"spreads": {}, "account": None}
    for line in text.splitlines():
        spread = SPREAD.match(line)
        if spread:
            found["spreads"][spread[1].strip()] = [float(spread[i]) for i in (2, 3, 4)]
        account = ACCOUNT.search(line)
        if account:
            found["account"] = [float(account[i]) for i in (1, 2, 3)]
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


def measure(build, quick):
    """A record as those of the runs; it takes the machine for itself."""
    print("overhead: a loop of page faults, with and without the hooks", flush=True)
    paired = output_of(build, "overhead_check", *((5, 2) if quick else (20, 5)))
    attached = output_of(build, "overhead_check", "attached", 5 if quick else 20)
    census = []
    for groups in GROUPS[quick]:
        print(f"overhead: the census over {groups} groups", flush=True)
        one = parse_census(output_of(build, "census_check", groups, 9))
        if one:
            census.append(one)
    return {
        "id": "overhead",
        "kernel": os.uname().release,
        "cpus": os.cpu_count(),
        "quick": quick,
        "faults": parse_faults(paired),
        "attached": parse_faults(attached),
        "census": census,
    }


def lines(record):
    """The two tables as (title, rows)."""
    what = [["a loop of nothing but page faults", "mean", "±", "median"]]
    names = {
        "at the default budget, runs with against runs without": ("faults", "runs with against runs without"),
        "at the default budget, the windows within their runs": ("faults", "the windows within their runs"),
        "hooks attached all the time": ("attached", "runs with against runs without"),
    }
    for title, (kind, name) in names.items():
        spread = record[kind]["spreads"].get(name)
        if spread:
            what.append([title, f"{spread[0]:+.2f}%", f"{spread[1]:.2f}", f"{spread[2]:+.2f}%"])
    census = [["groups", "census, ms of CPU", "reading files, ms", "files / census"]]
    for groups, ours, files in record["census"]:
        census.append([f"{groups:,}", f"{ours:.2f}", f"{files:.2f}", f"{files / ours:.1f}" if ours else "-"])
    return what, census
