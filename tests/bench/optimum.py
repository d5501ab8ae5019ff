# SPDX-License-Identifier: GPL-2.0-only
"""The most that could have been saved, by somebody who knows what is used next, from a record of when each page was used.

A page that is left alone for a while can be out of memory for that while. Each such absence saves its
length, and costs one promotion if the page is used again after it, nothing if it never is. All cost
the same, so with so many promotions to spend the longest are the best: taking them in that order is
exact. usetrace (tests/bench/trace) has the record as {length in periods: how many pages}.
"""

PAGE = 4096
MIB = 1 << 20


def absences(trace, ratio):
    """(those that are never paid for, those that cost a promotion): lists of (periods, worth of one page and period, pages).
    What goes to swap is worth only what compression leaves of it; ratio None: what that is, is not known."""
    free, paid = [], []
    for kind, worth in (("file", 1.0), ("swap", 1 - ratio if ratio is not None else None)):
        for histogram, into in ((trace[kind]["over"], free), (trace[kind]["again"], paid)):
            if histogram and worth is None:
                return None
            into += [(int(periods), worth, pages) for periods, pages in histogram.items()]
    return free, paid


def mean_mib(trace, page_periods):
    return page_periods * PAGE / trace["looks"] / MIB


def clairvoyant(trace, promotions, ratio):
    """MiB saved on average with at most so many promotions; None where it cannot be told."""
    found = absences(trace, ratio) if trace and trace["looks"] else None
    if found is None:
        return None
    free, paid = found
    saved = sum(periods * worth * pages for periods, worth, pages in free)
    for periods, worth, pages in sorted(paid, key=lambda a: a[0] * a[1], reverse=True):
        taken = min(pages, promotions)
        saved += periods * worth * taken
        promotions -= taken
        if promotions <= 0:
            break
    return mean_mib(trace, saved)


def best_age(trace, promotions, ratio):
    """(MiB saved on average, age in seconds) of the one age that saves most, of those that cost no more promotions: what is
    left alone for so long is taken then, and only then begins to save."""
    found = absences(trace, ratio) if trace and trace["looks"] else None
    if found is None:
        return None
    free, paid = found
    best = (0.0, None)
    for age in sorted({a[0] for a in free + paid} | {1}):
        if sum(pages for periods, _, pages in paid if periods > age) > promotions:
            continue
        saved = sum((periods - age) * worth * pages for periods, worth, pages in free + paid if periods > age)
        best = max(best, (saved, age * trace["period_s"]), key=lambda b: b[0])
    return mean_mib(trace, best[0]), best[1]


def frontier(trace, most, ratio, points=24):
    """[(promotions, MiB)] from none to the most: the line that nobody gets above."""
    if clairvoyant(trace, 0, ratio) is None:
        return []
    return [(most * i / points, clairvoyant(trace, most * i / points, ratio)) for i in range(points + 1)]
