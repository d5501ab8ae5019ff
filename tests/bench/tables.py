# SPDX-License-Identifier: GPL-2.0-only
"""The results as tables: in a terminal and in docs/benchmarks.md, from the same rows."""

from figures import cell, passed, rows


def number(v, digits=0):
    return f"{round(v, digits) + 0.0:,.{digits}f}" if v is not None else "-"  # + 0.0: no "-0"


def percent(v, digits=0):
    return number(100 * v, digits) + "%" if v is not None else "-"


def seconds(v):
    return f"{v:.0f}" if v is not None else "never"


# Title, figure, how it is written, whether it is compared with ebb's, whether it is of known cold sets alone.
SAVED = [
    ("mean MiB", "mean_mib", number, True, False),
    ("peak MiB", "peak_mib", number, False, False),
    ("GiB·min", "footprint_gib_min", lambda v: number(v, 2), True, False),
    ("residue MiB", "residue_mib", number, False, False),
    ("saved MiB", "saved_mib", number, True, False),
    ("of ideal", "share", percent, True, True),
    ("at the end", "share_end", percent, True, True),
    ("of optimum", "of_optimum", percent, True, False),
    ("of best age", "of_best_age", percent, False, False),
    ("cold out", "cold_out", percent, False, True),
    ("returned s", "returned_s", seconds, False, True),
]
COST = [
    ("hot back", "hot_back", lambda v: percent(v, 2), False, True),
    ("majflt", "majflt", number, False, False),
    ("refaults", "refaults", number, False, False),
    ("stall ms", "stall_ms", number, False, False),
    ("p50 ms", "p50_ms", lambda v: number(v, 1), True, False),
    ("p99 ms", "p99_ms", lambda v: number(v, 1), True, False),
    ("per min", "rate", number, True, False),
    ("its CPU ms", "app_cpu_ms", number, True, False),
    ("controller ms", "controller_cpu_ms", number, False, False),
    ("kernel ms", "kernel_cpu_ms", number, False, False),
]

LEGEND = [
    "mean, peak: resident memory of the VM on the host, the compressed pool counted in; GiB·min: from the start of the controller until the work "
    "has gone; residue: what the host holds then, above the start",
    "saved: mean below that of `nothing`; of ideal: the share of what is cold by construction, less what it takes compressed; "
    "at the end: the same for the last two seconds; cold out: cold pages that were out of memory then; returned: until the host had 90% of the ideal",
    "of optimum: saved beyond `reporting alone`, of what somebody could have saved who knew when each page is used next, with no more refaults than "
    "this run had; of best age: of what the best single age would have saved with no more. From a record of use, a run of its own; less what it takes compressed",
    "hot back: faults to get back pages in use, of these pages; majflt, refaults, stall (PSI memory some): of the work's group",
    "p50, p99: of the work's own rounds or requests; per min: how many; CPU: of the work, of the controller, of kernel threads "
    "(kswapd, kcompactd, kdamond, workers)",
]

SPREADS = "median (low–high) of the repetitions; = is no difference from ebb: the spreads of the two meet"


def titles_of(controllers):
    """{name: (title, unit of its knob)}"""
    return {c.name: (c.title, c.get("unit")) for c in controllers}


def name_of(titles, key):
    controller, value = key
    title, unit = titles.get(controller, (controller, ""))
    return f"{title} {value} {unit}".strip() if value else title


def text_of(group, key, write):
    c = cell(group, key)
    if key == "returned_s" and passed(group) and any("share" in r["figures"] for r in passed(group)):
        # Never is worse than any time, and the median may be it.
        times = sorted((v if v is not None else float("inf")) for v in c.all)
        middle = times[(len(times) - 1) // 2]
        return "never" if middle == float("inf") else write(middle)
    if not c.some:
        return "-"
    text = write(c.median)
    if len(c.values) > 1 and write(c.low) != write(c.high):
        text += f" ({write(c.low)}–{write(c.high)})"
    return text


def reference(groups):
    """Whom the others are compared with: ebb, where it ran."""
    for key, group in groups.items():
        if key[0] == "ebb" and passed(group):
            return group
    return None


def table(groups, titles, columns, acts=False):
    """Rows of text: a header and one for each controller; those that have no result say why. acts: and what it did, in its
    own words, in the first repetition: who did nothing cannot have cost anything."""
    truth = any("share" in r["figures"] for g in groups.values() for r in passed(g))
    used = [c for c in columns if truth or not c[4]]
    lines = [["controller"] + [c[0] for c in used] + (["what it did"] if acts else [])]
    ebb = reference(groups)
    for key, group in groups.items():
        good = passed(group)
        if not good:
            why = group[0]["reason"] or "no reason given"
            lines.append([name_of(titles, key), f"{group[0]['verdict'].lower()}: {why}"])
            continue
        line = [name_of(titles, key)]
        for _, figure, write, compared, _ in used:
            text = text_of(group, figure, write)
            if ebb is not None and group is not ebb and compared and cell(group, figure).same_as(cell(ebb, figure)):
                text += " ="
            line.append(text)
        if acts:
            line.append(good[0]["acted"] or "nothing")
        lines.append(line)
    return without_empty(lines)


def without_empty(lines):
    """Columns in which nobody has a figure go."""
    whole = [l for l in lines[1:] if len(l) == len(lines[0])]
    keep = [i for i in range(len(lines[0])) if i == 0 or any(l[i] != "-" for l in whole)]
    return [[l[i] for i in keep] if len(l) == len(lines[0]) else l for l in lines]


def plain(lines):
    whole = [l for l in lines if len(l) == len(lines[0])]
    width = [max(len(l[i]) for l in whole) for i in range(len(lines[0]))]
    out = []
    for line in lines:
        if len(line) != len(lines[0]):
            out.append("  " + line[0].ljust(width[0]) + "  " + line[1])
            continue
        cells = [line[0].ljust(width[0])] + [c.rjust(w) for c, w in zip(line[1:], width[1:])]
        if lines[0][-1] == "what it did":
            cells[-1] = line[-1]
        out.append("  " + "  ".join(cells))
    return "\n".join(out)


def markdown(lines):
    out = ["| " + " | ".join(lines[0]) + " |", "|---" + "|--:" * (len(lines[0]) - 1) + "|"]
    for line in lines[1:]:
        out.append("| " + " | ".join(line + [""] * (len(lines[0]) - len(line))) + " |")
    return "\n".join(out)


def containers(groups, titles):
    """Works of several containers: what it cost each of them, in the first good run of each controller; None for others."""
    found = {key: passed(g)[0] for key, g in groups.items() if passed(g) and passed(g)[0].get("containers")}
    if not found:
        return None
    names = sorted({c["name"] for r in found.values() for c in r["containers"]})
    lines = [["controller"] + [f"{n}: refaults" for n in names] + [f"{n}: p99 ms" for n in names
             if any(n in r["work_figures"].get("services", {}) and "p99_ms" in r["work_figures"]["services"][n] for r in found.values())]]
    for key, r in found.items():
        of = {c["name"]: c for c in r["containers"]}
        services = r["work_figures"].get("services", {})
        line = [name_of(titles, key)] + [number(of[n]["refaults"]) if n in of else "-" for n in names]
        line += [number(services.get(t.split(":")[0], {}).get("p99_ms")) for t in lines[0][1 + len(names):]]
        lines.append(line)
    return lines


def by_place(groups, order):
    return dict(sorted(groups.items(), key=lambda kv: (order.index(kv[0][0]) if kv[0][0] in order else 99,
                                                       float(kv[0][1] or 0))))


def each_work(records, controllers, works):
    """Yields (work, what was saved, what it cost, what it cost each container or None), in the order of the folders."""
    titles = titles_of(controllers)
    order = [c.name for c in controllers]
    found = rows(records)
    for work in works:
        if work.name in found:
            groups = by_place(found[work.name], order)
            yield work, table(groups, titles, SAVED), table(groups, titles, COST, acts=True), containers(groups, titles)
