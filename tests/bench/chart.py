# SPDX-License-Identifier: GPL-2.0-only
"""The report as one SVG: for each work the host's memory over time, and what was saved against what it cost."""

import textwrap
from html import escape
from statistics import median

import optimum
from figures import passed, ratios, rows, traces
from tables import name_of, titles_of

# Hues after Okabe and Ito, told apart by colour-blind eyes; on light and on dark. ebb's is the first.
HUES = {
    "ebb": ("#0072b2", "#4aa8e8"), "nothing": ("#5f6975", "#9aa4af"), "reporting": ("#a2602a", "#e0a15f"),
    "wsl": ("#d98200", "#e0952c"), "oracle": ("#22272e", "#e6edf3"), "senpai": ("#00795a", "#3fb68b"),
    "damon-reclaim": ("#b34f9b", "#d98cc6"), "damo": ("#c0392b", "#f0776a"),
    "damo-compact": ("#7a1f5c", "#c77fb0"),
}
OTHER = ("#5f6975", "#9aa4af")
WIDTH, MARGIN, GAP, PLOT_H = 1100, 70, 90, 210
HEADING = 130  # letters of that size fit
TIME_W, COST_W = 560, 340


class Axis:
    """From values to pixels; the marks are round numbers."""

    def __init__(self, low, high, at, length):
        self.low, self.high, self.at, self.length = low, high if high > low else low + 1, at, length

    def __call__(self, v):
        return self.at + (v - self.low) / (self.high - self.low) * self.length

    def marks(self, wanted=5):
        span = (self.high - self.low) / wanted
        step = 10 ** len(str(int(span))) / 10 if span >= 1 else 0.1
        step = next((step * m for m in (1, 2, 2.5, 5, 10) if step * m >= span), step * 10)
        first = int(self.low / step + 0.999) * step
        return [first + i * step for i in range(int((self.high - first) / step + 1e-9) + 1)]


def style():
    light, dark = [], []
    for index, tone in ((0, light), (1, dark)):
        paper, ink, soft, grid = (("#ffffff", "#22272e", "#5f6975", "#e6e9ed"),
                                  ("#0d1117", "#e6edf3", "#9aa4af", "#21262d"))[index]
        tone += [f".paper{{fill:{paper}}}", f"text{{fill:{ink}}}", f".soft{{fill:{soft}}}", f".grid{{stroke:{grid}}}"]
        for name, hues in list(HUES.items()) + [("other", OTHER)]:
            tone.append(f".{name}{{stroke:{hues[index]}}}.{name}-ink{{fill:{hues[index]}}}")
    return ("<style>text{font:13px system-ui,sans-serif}.title{font-size:22px;font-weight:600}.heading{font-size:15px;"
            "font-weight:600}.line{fill:none;stroke-width:1.8}" + "".join(light) +
            "@media (prefers-color-scheme:dark){" + "".join(dark) + "}</style>")


def text(x, y, words, kind="", anchor="start"):
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" text-anchor="{anchor}">{escape(words)}</text>'


def rule(x1, y1, x2, y2):
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="grid"/>'


def hue(controller):
    return controller if controller in HUES else "other"


def frame(x, y, w, h, x_title, y_title):
    out = [rule(x.at, y.at + 0, x.at + w, y.at)]
    for v in y.marks():
        out += [rule(x.at, y(v), x.at + w, y(v)), text(x.at - 8, y(v) + 4, f"{v:g}", "soft", "end")]
    for v in x.marks():
        out.append(text(x(v), y.at + 18, f"{v:g}", "soft", "middle"))
    out += [text(x.at + w / 2, y.at + 36, x_title, "soft", "middle"), text(x.at, y.at - h - 10, y_title, "soft")]
    return out


def spread_labels(labels, gap):
    """[(y, ...)] moved apart, top to bottom."""
    labels.sort()
    for i in range(1, len(labels)):
        if labels[i][0] < labels[i - 1][0] + gap:
            labels[i] = (labels[i - 1][0] + gap, *labels[i][1:])
    return labels


def over_time(groups, titles, left, bottom):
    """The first good run of each controller; the host's resident memory, a point a second."""
    shown = [(key, passed(group)[0]) for key, group in groups.items() if passed(group)]
    points = [p for _, r in shown for p in r["curve"]]
    x = Axis(min(p[0] for p in points), max(p[0] for p in points), left, TIME_W)
    y = Axis(0, max(p[1] for p in points) * 1.05, bottom, -PLOT_H)
    out = frame(x, y, TIME_W, PLOT_H, "seconds since what is cold began to be", "MiB of the host")
    end = min(r["measured_s"] for _, r in shown)
    labels = []
    for key, r in shown:
        path = " ".join(f"{x(t):.1f},{y(v):.1f}" for t, v in r["curve"])
        out.append(f'<polyline points="{path}" class="line {hue(key[0])}"/>')
        labels.append((y([v for t, v in r["curve"] if t <= end][-1]), name_of(titles, key), key[0]))
    for at, name, controller in spread_labels(labels, 15):
        out.append(text(left + TIME_W + 6, at + 4, name, hue(controller) + "-ink"))
    return out


def dots_of(groups):
    """{controller: [(median cost, median saved, cost's low and high, saved's low and high, key)]} in the order of cost."""
    dots = {}
    for key, group in groups.items():
        good = [r for r in passed(group) if "saved_mib" in r["figures"]]
        if not good or key[0] == "nothing":
            continue
        saved = [r["figures"]["saved_mib"] for r in good]
        cost = [r["figures"]["refaults"] * 60 / r["measured_s"] for r in good]
        dots.setdefault(key[0], []).append((median(cost), median(saved), (min(cost), max(cost)), (min(saved), max(saved)), key))
    for line in dots.values():
        line.sort(key=lambda d: d[:2])
    return dots


def best_possible(groups, trace, ratio, most):
    """[(refaults a minute, MiB)]: what somebody could have saved who knew what is used next; [] where there is no record."""
    beside = {c: [r for key, g in groups.items() if key[0] == c for r in passed(g)] for c in ("nothing", "reporting")}
    if not trace or not all(beside.values()):
        return []
    free = median(r["mean_mib"] for r in beside["nothing"]) - median(r["mean_mib"] for r in beside["reporting"])
    minutes = trace["looks"] * trace["period_s"] / 60
    return [(p / minutes, free + mib) for p, mib in optimum.frontier(trace, most * minutes, ratio)]


def cross(x, y, dot, kind):
    """The spread of a dot over its repetitions."""
    cost, saved, (c_low, c_high), (s_low, s_high), _ = dot
    out = []
    if c_high > c_low:
        out.append(f'<line x1="{x(c_low):.1f}" x2="{x(c_high):.1f}" y1="{y(saved):.1f}" y2="{y(saved):.1f}" class="{kind}"/>')
    if s_high > s_low:
        out.append(f'<line x1="{x(cost):.1f}" x2="{x(cost):.1f}" y1="{y(s_low):.1f}" y2="{y(s_high):.1f}" class="{kind}"/>')
    return out


def against_cost(groups, titles, left, bottom, trace=None, ratio=None):
    """Each controller's values of its knob as a line: saved on average against the pages that came back, a minute."""
    dots = dots_of(groups)
    every = [d for ds in dots.values() for d in ds]
    if not every:
        return []
    most = max(max(d[2][1] for d in every), 10) * 1.1
    best = best_possible(groups, trace, ratio, most)
    x = Axis(0, most, left, COST_W)
    y = Axis(min(0, min(d[3][0] for d in every)), max([d[3][1] for d in every] + [b[1] for b in best] + [1]) * 1.1, bottom, -PLOT_H)
    out = frame(x, y, COST_W, PLOT_H, "pages of the work that came back, a minute", "MiB saved on average")
    if best:
        path = " ".join(f"{x(c):.1f},{y(v):.1f}" for c, v in best)
        out += [f'<polyline points="{path}" class="line oracle" stroke-dasharray="5 4"/>',
                text(left + COST_W, y(best[-1][1]) - 6, "with foresight", "soft", "end")]
    for controller, line in dots.items():
        path = " ".join(f"{x(d[0]):.1f},{y(d[1]):.1f}" for d in line)
        if len(line) > 1:
            out.append(f'<polyline points="{path}" class="line {hue(controller)}"/>')
        for dot in line:
            out += cross(x, y, dot, hue(controller))
            out.append(f'<circle cx="{x(dot[0]):.1f}" cy="{y(dot[1]):.1f}" r="4.5" class="{hue(controller)}-ink">'
                       f"<title>{escape(name_of(titles, dot[4]))}: {dot[1]:.0f} MiB, {dot[0]:.0f} a minute</title></circle>")
    return out


def svg(records, controllers, works, conditions):
    titles = titles_of(controllers)
    found, trace, ratio = rows(records), traces(records), ratios(records)
    shown = [w for w in works if any(passed(g) for g in found.get(w.name, {}).values())]
    height = 110 + len(shown) * (PLOT_H + GAP + 40)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH + 130} {height}" role="img">', style(),
           '<rect width="100%" height="100%" class="paper"/>',
           text(MARGIN, 36, "The same work under each way of giving memory back", "title"),
           *(text(MARGIN, 60 + 17 * i, line, "soft") for i, line in enumerate(textwrap.wrap(conditions.replace("`", ""), 150)))]
    bottom = 110 + PLOT_H + 40
    for work in shown:
        groups = found[work.name]
        heading = textwrap.shorten(f"{work.title}: {' '.join(work.about)}", HEADING, placeholder=" …")
        out.append(text(MARGIN, bottom - PLOT_H - 32, heading, "heading"))
        out += over_time(groups, titles, MARGIN, bottom)
        out += against_cost(groups, titles, WIDTH - COST_W + 110, bottom, trace.get(work.name), ratio.get(work.name))
        bottom += PLOT_H + GAP + 40
    return "\n".join(out + ["</svg>"]) + "\n"
