# SPDX-License-Identifier: GPL-2.0-only
"""Two runs of the bench: do they put the controllers in the same order?"""

import json
from statistics import median

import figures

# What is saved differs by a few MiB from run to run, whoever does it.
LEAST_MIB, LEAST_SHARE = 8, 0.05


def load(path):
    with open(path, encoding="utf-8") as f:
        return [json.loads(line) for line in f if line.strip()]


def savings(records):
    """{work: {(controller, value): [MiB saved, one a repetition]}}"""
    found = {}
    for work, groups in figures.rows(figures.with_figures(records)).items():
        for key, group in groups.items():
            values = [r["figures"]["saved_mib"] for r in figures.passed(group) if "saved_mib" in r["figures"]]
            if values and key[0] != "nothing":
                found.setdefault(work, {})[key] = values
    return found


def margin(of_work):
    """MiB: less is no difference between two controllers."""
    return max(LEAST_MIB, LEAST_SHARE * max(median(v) for v in of_work.values()))


def above(of_work, a, b):
    """1: a saved more than b, -1: less, 0: no difference."""
    one, other = of_work[a], of_work[b]
    apart = median(one) - median(other)
    if abs(apart) < margin(of_work):
        return 0
    if len(one) > 1 and len(other) > 1 and min(one) <= max(other) and min(other) <= max(one):
        return 0
    return 1 if apart > 0 else -1


def order(of_work, keys):
    return sorted(keys, key=lambda k: -median(of_work[k]))


def name(key):
    return " ".join(part for part in key if part)


def swapped(first, second, keys):
    """Pairs of which the first run says that one saved more, and the second that the other did."""
    return [(a, b) for i, a in enumerate(keys) for b in keys[i + 1:] if above(first, a, b) * above(second, a, b) < 0]


def lines(first, second):
    """(what there is to say, how many works have another order)"""
    out, others = [], 0
    for work in first:
        keys = [k for k in order(first[work], first[work]) if k in second.get(work, {})]
        if len(keys) < 2:
            continue
        bad = swapped(first[work], second[work], keys)
        others += bool(bad)
        out.append(f"{work}: {'another order' if bad else 'the same order'}: " + ", ".join(
            f"{name(k)} {median(first[work][k]):.0f}/{median(second[work][k]):.0f}" for k in keys))
        out += [f"  {name(a)} and {name(b)} have changed places" for a, b in bad]
    return out, others


def main(one, other):
    said, others = lines(savings(load(one)), savings(load(other)))
    if not said:
        print("the two have no work with two controllers in common")
        return 2
    print("MiB saved on average, first/second:")
    print("\n".join(said))
    print(f"\n{len(said) - sum(l.startswith('  ') for l in said)} works, {others} of them in another order "
          f"(less than {LEAST_MIB} MiB or {100 * LEAST_SHARE:.0f}% of the most is no difference)")
    return 1 if others else 0
