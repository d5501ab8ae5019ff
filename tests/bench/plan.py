# SPDX-License-Identifier: GPL-2.0-only
"""What is run: controllers and works are files with a header; a plan is runs, in an order."""

import glob
import os
import random
import re

HERE = os.path.dirname(os.path.abspath(__file__))


class Part:
    """A controller or a work: its name is that of its file, the rest its comment at the top says."""

    def __init__(self, path):
        self.name = os.path.basename(path)[: -len(".sh")]
        self.about = []
        self.header = {}
        with open(path, encoding="utf-8") as f:
            for line in f:
                if not line.startswith("#"):
                    break
                found = re.match(r"# ([a-z]+): (.*)", line)
                if found:
                    self.header[found[1]] = found[2].strip()
                elif not line.startswith("# shellcheck"):
                    self.about.append(line.strip("# \n"))
        self.title = self.header.get("title", self.name)

    def get(self, key, default=""):
        return self.header.get(key, default)

    def values(self, quick, curves):
        """Those of its knob that are run; '' for a controller without one."""
        if curves and self.get("values"):
            return self.get("values").split()
        return [self.get("quick" if quick else "default", self.get("default"))]

    def takes(self, work):
        """A controller may be for some kinds of work only."""
        return self.get("works", work.get("kind")) == work.get("kind")


def parts(folder):
    found = [Part(p) for p in glob.glob(os.path.join(HERE, folder, "*.sh"))]
    return sorted(found, key=lambda p: (int(p.get("place", "5")), p.name))


class Run:
    """One controller, with one value of its knob, beside one work, once."""

    def __init__(self, controller, value, work, repetition):
        self.controller, self.value, self.work, self.repetition = controller, value, work, repetition

    @property
    def id(self):
        value = "-" + self.value if self.value else ""
        return f"{self.work.name}.{self.controller.name}{value}.{self.repetition}"


def shuffled(runs, seed):
    """In an order of its own, so that what drifts on the machine meets all of them alike; it can be repeated."""
    random.Random(seed).shuffle(runs)
    return runs


def once(controllers, works, repetition, values):
    """One run of each; values(controller, work): those of its knob. A record of use is taken but once."""
    return [
        Run(c, value, work, repetition)
        for work in works
        for c in controllers
        if c.takes(work) and (repetition == 1 or c.get("role") != "trace")
        for value in values(c, work)
    ]


def plan(controllers, works, repetitions, quick, curves):
    """A list of runs, each in a VM of its own: what one leaves behind (free memory that was not reported yet, page cache of
    the system) would be the next one's start, and was up to 50 MiB where they shared one. Within a repetition
    everything comes in an order of its own."""
    order = []
    for repetition in range(1, repetitions + 1):
        order += shuffled(once(controllers, works, repetition, lambda c, w: c.values(quick, curves)), repetition)
    return order


def whole(controllers, works):
    """All of it: everything once; then every value of the knobs on works marked `curves: yes`, and those marked `again: yes` twice
    more. What comes last is what goes if time runs out."""
    again = [w for w in works if w.get("again") == "yes"]
    curves = [w for w in works if w.get("curves") == "yes"]
    order = plan(controllers, works, 1, False, False)
    order += shuffled(once(controllers, curves, 1, lambda c, w: [
        v for v in c.values(False, True) if v not in c.values(False, False)]), 1)
    for repetition in (2, 3):
        order += shuffled(once(controllers, again, repetition, lambda c, w: c.values(False, False)), repetition)
    return order


def scenario(run, settings):
    """The file that tests/vm/run takes for one run."""
    quoted = {
        "ID": run.id,
        "CONTROLLER": run.controller.name,
        "VALUE": run.value,
        "WORK": run.work.name,
        "SECONDS": settings["seconds"] or run.work.get("seconds", "180"),
        "AFTER": settings["after"],
        "SCALE": settings["scale"],
    }
    timeout = int(quoted["SECONDS"]) + int(settings["after"]) + int(run.work.get("prepare", "300"))
    lines = [
        f"# {run.work.title}, {run.controller.title}",
        f"# mem: {run.work.get('mem', '2G')}",
        "# image: bench",
        f"# timeout: {timeout}",
    ]
    lines += [f"BENCH_{key}='{value}'" for key, value in quoted.items()]
    lines.append(". /ebb/extra/bench/guest/run.sh")
    return "\n".join(lines) + "\n"
