# SPDX-License-Identifier: GPL-2.0-only
"""The generated part of docs/benchmarks.md: between the two markers, and nothing else of it."""

import os

import chart
import overhead
import tables
from figures import rows

BEGIN, END = "<!-- generated: begin -->", "<!-- generated: end -->"


def conditions(records):
    good = [r for r in records if r["verdict"] == "PASS"]
    kernels = sorted({r["kernel"] for r in good})
    where = "emulated VMs (no KVM): no time in them is that of a real machine" if any(
        r["emulated"] for r in good) else "VMs with KVM"
    quick = [r["quick"] for r in good]
    half = "with `QUICK=1`: half the memory, one short run of each"
    quick = f", {half}" if quick and all(quick) else f", where it says so {half}" if any(quick) else ""
    times = max((r["repetition"] for r in good), default=0)
    sizes = {len(g) for groups in rows(good).values() for g in groups.values()}
    most = "up to " if len(sizes) > 1 else ""
    return (f"Linux {', '.join(kernels)}; {where}; {most}{times} repetition{'s' if times != 1 else ''}{quick}. "
            "Compressed swap (zram, lz4) is the same for all.")


def generated(records, controllers, works, native=None):
    quick = {r["work"] for r in records if r["quick"]}
    commands = sorted({"`make bench QUICK=1`" if r["quick"] else "`make bench`" for r in records})
    out = [BEGIN, "![The host's memory over time under each controller, and what was saved against what it cost](benchmarks.svg)", "",
           f"{' and '.join(commands)}, then `make bench-docs`. {conditions(records)}", ""]
    for work, saved, cost, each in tables.each_work(records, controllers, works):
        out += [f"### {work.title}{' (`QUICK=1`)' if work.name in quick else ''}", "", " ".join(work.about), "",
                "Saved:", "", tables.markdown(saved), "", "What it cost:", "", tables.markdown(cost), ""]
        if each:
            out += ["Each container:", "", tables.markdown(each), ""]
    out += ["- " + line for line in tables.LEGEND + [tables.SPREADS]] + ["", END]
    if native:
        at = out.pop()
        out += ["### What it costs natively", "", f"Linux {native['kernel']}, {native['cpus']} CPUs; "
                f"`make bench{' QUICK=1' if native['quick'] else ''} BENCH=\"--overhead only\"`.", ""]
        for lines in overhead.lines(native):
            out += [tables.markdown(lines), ""]
        out.append(at)
    return "\n".join(out)


def write(top, records, controllers, works, native=None):
    path = os.path.join(top, "docs/benchmarks.md")
    with open(path, encoding="utf-8") as f:
        text = f.read()
    before, _, rest = text.partition(BEGIN)
    _, found, after = rest.partition(END)
    if not found:
        raise SystemExit(f"{path} has no '{BEGIN}' and '{END}' to write between")
    with open(path, "w", encoding="utf-8") as f:
        f.write(before + generated(records, controllers, works, native) + after)
    picture = os.path.join(top, "docs/benchmarks.svg")
    with open(picture, "w", encoding="utf-8") as f:
        f.write(chart.svg(records, controllers, works, conditions(records)))
    print(f"written: {path}, {picture}")
