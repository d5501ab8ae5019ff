# SPDX-License-Identifier: GPL-2.0-only
"""What the records say: savings against doing nothing, as a share of the ideal, and what they cost."""

from statistics import median

import optimum

PAGE = 4096
MIB = 1 << 20
# Fewer compressed pages than this say too little about how well the rest would compress.
RATIO_MIN = 16 * MIB


def passed(records):
    return [r for r in records if r["verdict"] == "PASS"]


def ratios(records):
    """{work: bytes in the pool for each byte that went there}, the median over its runs."""
    found = {}
    for r in passed(records):
        if r["zram"]["original"] >= RATIO_MIN:
            found.setdefault(r["work"], []).append(r["zram"]["used"] / r["zram"]["original"])
    return {work: median(v) for work, v in found.items()}


def ideal_mib(record, ratio, key="cold_bytes"):
    """The most that could be saved: all that is cold by construction (at the end, or with cold_mean_bytes on average), less
    what it takes compressed. None where the work does not say what is cold, or nothing was ever compressed."""
    work = record["work_figures"]
    cold = work.get(key, work.get("cold_bytes"))
    dropped = work.get("cold_file_bytes", 0)  # page cache is dropped, not compressed
    if cold is None or (cold > dropped and ratio is None):
        return None
    return ((cold - dropped) * (1 - (ratio or 0)) + dropped) / MIB


def returned_after(record, level):
    """Seconds from the beginning (when what is cold began to be) until the host held no more than `level` MiB,
    for good; None where it never did."""
    at = None
    for t, mib in record["curve"]:
        if t < 0:
            continue
        if t > record["measured_s"]:
            break
        if mib > level:
            at = None
        elif at is None:
            at = t
    return at


def traces(records):
    """{work: its record of use}"""
    return {r["work"]: r["trace"] for r in passed(records) if r.get("trace")}


def is_trace(r):
    return bool(r.get("trace")) or r["controller"] == "trace"


def sibling(records, r, controller):
    """The run of that controller beside which r is looked at: of the same repetition, or what there is."""
    found = [o for o in passed(records) if o["work"] == r["work"] and o["controller"] == controller]
    same = [o for o in found if o["repetition"] == r["repetition"]]
    return (same or found or [None])[0]


def against_optimum(f, r, beside, trace, ratio):
    """Of what somebody could have saved who knew what is used next, with no more promotions than this run had. Beyond
    `reporting`: that memory which a program gave up itself goes back is nobody's merit."""
    most = optimum.clairvoyant(trace, f["refaults"], ratio)
    if not most or not beside:
        return
    f["optimum_mib"] = most
    f["of_optimum"] = (beside["mean_mib"] - r["mean_mib"]) / most
    by_age, f["best_age_s"] = optimum.best_age(trace, f["refaults"], ratio)
    if by_age:
        f["of_best_age"] = (beside["mean_mib"] - r["mean_mib"]) / by_age


def with_figures(records):
    """Adds to each record what takes its siblings: those of the same work and repetition."""
    ratio, trace = ratios(records), traces(records)
    for r in passed(records):
        cost, work = r["cost"], r["work_figures"]
        minutes = r["measured_s"] / 60
        f = {
            "stall_ms": cost.get("app_memory_some_us", 0) / 1000,
            "majflt": cost.get("app_pgmajfault", 0),
            "refaults": cost.get("app_workingset_refault_anon", 0) + cost.get("app_workingset_refault_file", 0),
            "controller_cpu_ms": cost.get("controller_cpu_us", 0) / 1000,
            "kernel_cpu_ms": sum(v for k, v in cost.items() if k.startswith("thread_")),
            "busy_s": cost.get("busy_ms", 0) / 1000,
            "app_cpu_ms": cost.get("app_cpu_us", 0) / 1000,
            "rate": work["operations"] / minutes if work.get("operations") is not None and minutes else None,
            "p50_ms": work.get("p50_ms"),
            "p99_ms": work.get("p99_ms"),
        }
        if work.get("cold_bytes"):
            f["cold_out"] = work["cold_out_bytes"] / work["cold_bytes"]
        if work.get("hot_pages"):
            f["hot_back"] = work["hot_refaults"] / work["hot_pages"]
        beside = sibling(records, r, "nothing")
        if beside:
            f["saved_mib"] = beside["mean_mib"] - r["mean_mib"]
            f["saved_end_mib"] = beside["end_mib"] - r["end_mib"]
            ideal = ideal_mib(r, ratio.get(r["work"]))
            if ideal:
                f["share"] = f["saved_mib"] / ideal_mib(r, ratio.get(r["work"]), "cold_mean_bytes")
                f["share_end"] = f["saved_end_mib"] / ideal
                f["returned_s"] = returned_after(r, beside["end_mib"] - 0.9 * ideal)
                f["ideal_mib"] = ideal
        if r["work"] in trace and not is_trace(r):
            against_optimum(f, r, sibling(records, r, "reporting"), trace[r["work"]], ratio.get(r["work"]))
        r["figures"] = f
    return records


class Cell:
    """A figure over the repetitions: the median, and how far apart they were."""

    def __init__(self, values):
        self.all = list(values)
        self.values = sorted(v for v in self.all if v is not None)

    @property
    def some(self):
        return bool(self.values)

    @property
    def median(self):
        return median(self.values) if self.values else None

    @property
    def low(self):
        return self.values[0]

    @property
    def high(self):
        return self.values[-1]

    def same_as(self, other):
        """True where the ranges of the two touch: then the difference is no difference. A single
        repetition has no range, so nothing can be said: None."""
        if len(self.values) < 2 or len(other.values) < 2:
            return None
        return self.low <= other.high and other.low <= self.high


def rows(records):
    """{work: {(controller, value): [records]}}, in the order they come."""
    found = {}
    for r in records:
        if is_trace(r):
            continue
        found.setdefault(r["work"], {}).setdefault((r["controller"], r["value"]), []).append(r)
    return found


def cell(group, key):
    return Cell(r["figures"].get(key) if key in r["figures"] else r.get(key) for r in passed(group))
